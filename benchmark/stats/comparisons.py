"""Tests of a difference, and their adjustment over a family."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.stats.samples import Floats, checked, differences, t_p_values


def paired_p(first: ArrayLike, second: ArrayLike, *, step: float = 0.0) -> float:
    """Two-sided p of the paired t test over replicates, n - 1 degrees of freedom (estimand A).

    Raises:
        ValueError: the two do not have the same replicates, or a value is not finite.
    """
    return float(t_p_values(differences(first, second), step))


def holm(p: ArrayLike) -> Floats:
    """Adjusted p-values of one family, in the order given (Holm 1979).

    With p(1) <= ... <= p(m): adjusted p(i) = the largest of (m - j + 1) p(j) over j <= i, at most 1. Rejecting those
    below a level keeps the probability of any false rejection below it, however the tests depend on each other.

    Raises:
        ValueError: not a line of numbers in [0, 1].
    """
    family = np.asarray(p, dtype=np.float64)
    if family.ndim != 1 or not ((family >= 0) & (family <= 1)).all():
        raise ValueError(f"p-values are a line of numbers in [0, 1], got {family!r}")
    order = np.argsort(family, kind="stable")
    adjusted = np.empty_like(family)
    adjusted[order] = np.maximum.accumulate(family[order] * np.arange(family.size, 0, -1))
    return np.minimum(adjusted, 1.0)


def mcnemar(first: ArrayLike, second: ArrayLike) -> float:
    """Exact two-sided p of McNemar's test: do two trained models differ in the share of images that they get right?

    Of the images on which the two disagree, the number won by the first is binomial with probability 1/2 if
    neither is better; p is twice the smaller tail, at most 1, and 1 where they never disagree. It answers for these two
    models, and says nothing about the methods that they came from. Images of several seeds are refused: pooled
    over seeds that differ by a few points, the test rejects true nulls several times too often (docs/statistics.md).

    Raises:
        ValueError: not one bit for each image, or not the same images.
    """
    a, b = _bits(first), _bits(second)
    if a.shape != b.shape:
        raise ValueError(f"McNemar's test needs the same images of both models, got {a.size} and {b.size}")
    won, lost = int((a & ~b).sum()), int((b & ~a).sum())
    if won == lost:
        return 1.0
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(won, lost), won + lost, 0.5)))


def _bits(values: ArrayLike) -> NDArray[np.bool_]:
    if np.ndim(values) != 1:
        raise ValueError("McNemar's test compares two trained models, one bit an image; it is not pooled over seeds")
    bits = checked(values, "McNemar's test needs one bit for each image")
    if not np.isin(bits, (0, 1)).all():
        raise ValueError(f"McNemar's test needs bits, 0 or 1 for each image, got {bits!r}")
    return bits == 1
