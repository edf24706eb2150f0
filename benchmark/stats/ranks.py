"""Ranks as intervals, and who cannot be told from the best: higher values are better."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.stats.comparisons import holm
from benchmark.stats.samples import CONFIDENCE, checked, probability, t_p_values, without_rounding


def rank_intervals(values: ArrayLike, confidence: float = CONFIDENCE, *, step: float = 0.0) -> list[tuple[int, int]]:
    """The ranks that each row of `values[rows, S]` may have, 1 for the highest: all right at once.

    All pairs of rows are compared by paired t tests, adjusted by Holm as one family. A row's ranks go from 1 + the
    number of rows that are surely better to the number of rows less those that are surely worse. Whoever is tied in
    truth may hold any of the ranks that they share, and the interval has all of those.

    Raises:
        ValueError: not a table of finite numbers, one line for each row.
    """
    better = surely_better(values, confidence, step=step)
    above, below = better.sum(axis=0), better.sum(axis=1)
    return [(1 + int(up), len(better) - int(down)) for up, down in zip(above, below, strict=True)]


def among_best(values: ArrayLike, confidence: float = CONFIDENCE, *, step: float = 0.0) -> NDArray[np.bool_]:
    """Which rows of `values[rows, S]` are not distinguishable from the best: those that no row is surely better than.

    They are the rows whose rank intervals begin at 1. The row that is best in truth is among them with probability
    `confidence`, and so is the row of the highest mean, always; that the data chose it does no harm.

    Raises:
        ValueError: not a table of finite numbers, one line for each row.
    """
    return np.logical_not(surely_better(values, confidence, step=step).any(axis=0))


def surely_better(values: ArrayLike, confidence: float = CONFIDENCE, *, step: float = 0.0) -> NDArray[np.bool_]:
    """[rows, rows]: whether the first has the higher mean and their adjusted comparison rejects equality.

    A row above another that is above a third is above the third: standard deviations add up at most, so its t is no
    smaller than the smaller of the other two, and Holm rejects it with them.

    Raises:
        ValueError: not a table of finite numbers, one line for each row.
    """
    table = checked(values, "ranks need one finite value for each row and replicate", axes=2)
    pairs = without_rounding(table[:, None, :], table[None, :, :])
    upper = np.triu_indices(len(table), k=1)
    rejected = np.zeros(pairs.shape[:2], dtype=np.bool_)
    rejected[upper] = holm(t_p_values(pairs[upper], step)) < 1 - probability(confidence, "confidence")
    better: NDArray[np.bool_] = (rejected | rejected.T) & (pairs.mean(axis=-1) > 0)
    return better
