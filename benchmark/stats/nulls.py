"""Where a row stands among random coresets."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.stats.samples import ROUNDING, checked

RESAMPLES = 10_000


@dataclass(frozen=True)
class NullPosition:
    """`percentile`: the share of null means below, in %, ties by half. `z`: distance from the null's mean in errors."""

    percentile: float
    z: float


def null_position(mean: float, draws: ArrayLike, size: int) -> NullPosition:
    """The place of a row's mean over `size` replicates among the means of `size` of the D random coresets in `draws`.

    Null means are drawn from the same D with replacement, 10,000 of them by a fixed generator, and spread about
    their mean by the factor that makes a new row of random coresets fall uniformly among them: the D coresets
    have a mean of their own, which errs by s / sqrt(D), and resampling sees only (D - 1) / D of the variance.

        z = (mean - mean(draws)) / (s sqrt(1 / size + 1 / D))

    Draws that are all equal: z is 0 where the mean is equal to them as well, and infinite otherwise.

    Raises:
        ValueError: fewer than two draws, a number that is not finite, or a size below 1.
    """
    null = checked(draws, "a null needs one finite value for each random coreset")
    if null.size < 2 or size < 1 or not math.isfinite(mean):
        raise ValueError(
            f"a null needs two draws, a size of 1 and a finite mean at least, got {null.size}, {size}, {mean}"
        )
    centre, error = float(null.mean()), float(null.std(ddof=1) * math.sqrt(1 / size + 1 / null.size))
    beyond = mean - centre
    if abs(beyond) <= ROUNDING * max(abs(mean), abs(centre)):
        beyond = 0.0
    if error <= ROUNDING * abs(centre):
        sign = (beyond > 0) - (beyond < 0)
        return NullPosition(50.0 * (1 + sign), sign * math.inf if sign else 0.0)
    means = null[_picks(null.size, size)].mean(axis=1) - centre
    means *= error / (null.std() / math.sqrt(size))
    below, equal = int((means < beyond).sum()), int((means == beyond).sum())
    return NullPosition(100 * (below + equal / 2) / RESAMPLES, beyond / error)


@lru_cache(maxsize=16)
def _picks(draws: int, size: int) -> NDArray[np.intp]:
    """[RESAMPLES, size]: which draws make up each null mean; the same for everyone who asks."""
    return np.random.default_rng(20240501).integers(draws, size=(RESAMPLES, size), dtype=np.intp)
