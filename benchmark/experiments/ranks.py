"""How much alike two rankings of the same samples are."""

import numpy as np
from numpy.typing import ArrayLike

from methods.api import Integers


def spearman(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation, tied values at their mean rank; 0 where one of the two does not vary.

    Infinite values stand at their end of the ranking.

    Raises:
        ValueError: the two differ in length, or hold NaN.
    """
    from scipy.stats import rankdata

    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2:
        raise ValueError(f"two rankings of the same samples are needed, got {a.shape} and {b.shape}")
    if np.isnan(a).any() or np.isnan(b).any():
        raise ValueError("a ranking holds NaN")
    ranks = rankdata(a), rankdata(b)
    if np.ptp(ranks[0]) == 0 or np.ptp(ranks[1]) == 0:
        return 0.0
    return float(np.corrcoef(*ranks)[0, 1])


def spearman_within(first: ArrayLike, second: ArrayLike, groups: ArrayLike) -> float:
    """The mean of Spearman's correlation over groups, weighted by their sizes; groups of one say nothing."""
    a, b, labels = np.asarray(first), np.asarray(second), np.asarray(groups)
    members = [np.flatnonzero(labels == group) for group in np.unique(labels)]
    members = [each for each in members if len(each) > 1]
    if not members:
        return 0.0
    return float(np.average([spearman(a[m], b[m]) for m in members], weights=[len(m) for m in members]))


def lowest(scores: ArrayLike, share: float) -> Integers:
    """The ids of the lowest `share` of the scores, at least one; of equal ones the first."""
    values = np.asarray(scores)
    return np.argsort(values, kind="stable")[: max(1, round(share * len(values)))]


def highest(scores: ArrayLike, share: float) -> Integers:
    """The ids of the highest `share`, likewise."""
    return lowest(-np.asarray(scores), share)


def shared_picks(first: ArrayLike, second: ArrayLike, share: float) -> float:
    """Which share of the lowest `share` of one is among those of the other."""
    picks = lowest(first, share)
    return float(np.isin(picks, lowest(second, share)).mean())
