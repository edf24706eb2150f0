"""Estimates over replicates: pure functions of numbers, in the unit of what they are given.

The estimand is the expected value over replicates (proxy, selection and training randomness) on the test images
at hand; the images themselves are not resampled.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

CONFIDENCE = 0.95
MIN_REPLICATES = 3  # below it the t interval is wider than anything it could tell apart


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` replicates and the half-width of its t interval (None: too few replicates for one)."""

    mean: float
    half_width: float | None
    n: int

    def may_be(self, value: float) -> bool:
        """Whether the interval holds `value`; without an interval nothing is ruled out."""
        return self.half_width is None or abs(self.mean - value) <= self.half_width


def estimate(values: ArrayLike, confidence: float = CONFIDENCE) -> Estimate:
    """The mean of one value for each replicate, with a two-sided t interval of n - 1 degrees of freedom.

    Raises:
        ValueError: no value, or one that is not finite.
    """
    sample = np.asarray(values, dtype=np.float64)
    if sample.ndim != 1 or sample.size == 0 or not np.isfinite(sample).all():
        raise ValueError(f"an estimate needs one finite value for each replicate, got {sample!r}")
    n = sample.size
    if n < MIN_REPLICATES:
        return Estimate(float(sample.mean()), None, n)
    from scipy.special import stdtrit  # the quantile of t; imported where it is needed, for it takes long

    quantile = stdtrit(n - 1, (1 + confidence) / 2)
    return Estimate(float(sample.mean()), float(quantile * sample.std(ddof=1) / np.sqrt(n)), n)


def paired_difference(first: ArrayLike, second: ArrayLike, confidence: float = CONFIDENCE) -> Estimate:
    """The mean of `first - second`, replicate by replicate: what the two share in a replicate cancels.

    Raises:
        ValueError: the two do not have the same replicates.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired values need the same replicates, got {a.shape} and {b.shape}")
    return estimate(a - b, confidence)
