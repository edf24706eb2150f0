"""The interval of the largest over fractions of the least over others, which "more than each" and "up to" ask for."""

import numpy as np
from numpy.typing import NDArray

from benchmark.stats import CONFIDENCE, Estimate, estimate


def ends(
    values: NDArray[np.float64], step: float, confidence: float = CONFIDENCE
) -> tuple[float, float] | tuple[None, None]:
    """An interval that holds max over f of min over o of the expected `values[o, f, S]`; None below three replicates.

    Each end is the same largest of least, of ends of paired t intervals, and each is adjusted (Bonferroni) for as many
    cells as could make it wrong, so that it is wrong with a probability of at most (1 - confidence) / 2:

    -   the lower end exceeds the truth only if, at some fraction, it exceeds that of the truly least other there: one
        cell for each fraction. Against every other at once, at one fraction, nothing has to be adjusted.
    -   the upper end falls below the truth only if, at the truly largest fraction, it falls below that of some other:
        one cell for each other.
    """
    others, fractions, _ = values.shape
    low = _largest_of_least(values, -1, 1 - (1 - confidence) / fractions, step)
    high = _largest_of_least(values, 1, 1 - (1 - confidence) / others, step)
    return (None, None) if low is None or high is None else (low, high)


def _largest_of_least(values: NDArray[np.float64], side: int, confidence: float, step: float) -> float | None:
    found = [[_end(estimate(cell, confidence, step=step), side) for cell in row] for row in values]
    if any(end is None for row in found for end in row):
        return None
    return float(np.array(found, dtype=np.float64).min(axis=0).max())


def _end(found: Estimate, side: int) -> float | None:
    return None if found.half_width is None else found.mean + side * found.half_width
