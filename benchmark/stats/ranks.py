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
    """Which rows of `values[rows, S]` are not distinguishable from the row of the highest mean, itself among them.

    Read off the same adjusted family of all pairs as `rank_intervals`, so the two never contradict each other, and it
    does no harm that the data chose the best row.

    Raises:
        ValueError: not a table of finite numbers, one line for each row.
    """
    better = surely_better(values, confidence, step=step)
    best = int(np.asarray(values, dtype=np.float64).mean(axis=1).argmax())
    among: NDArray[np.bool_] = ~better[best]
    return among


def surely_better(values: ArrayLike, confidence: float = CONFIDENCE, *, step: float = 0.0) -> NDArray[np.bool_]:
    """[rows, rows]: whether the first has the higher mean and the adjusted comparison rejects equality."""
    table = checked(values, "ranks need one finite value for each row and replicate", axes=2)
    rows = len(table)
    pairs = without_rounding(table[:, None, :], table[None, :, :])
    upper = np.triu_indices(rows, k=1)
    rejected = np.zeros((rows, rows), dtype=np.bool_)
    rejected[upper] = holm(t_p_values(pairs[upper], step)) < 1 - probability(confidence, "confidence")
    better: NDArray[np.bool_] = (rejected | rejected.T) & (pairs.mean(axis=-1) > 0)
    return better
