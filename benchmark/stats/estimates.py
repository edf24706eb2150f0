"""Means with intervals, for both estimands and for families of cells."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from benchmark.stats.samples import CONFIDENCE, MIN_REPLICATES, checked, differences, spread, t_quantile


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` replicates, the half-width of its interval and that interval's degrees of freedom.

    Both are None where there are too few replicates for an interval.
    """

    mean: float
    half_width: float | None
    n: int
    df: float | None = None

    def may_be(self, value: float) -> bool:
        """Whether the interval holds `value`; without an interval nothing is ruled out."""
        return self.half_width is None or abs(self.mean - value) <= self.half_width


def estimate(
    values: ArrayLike, confidence: float = CONFIDENCE, *, step: float = 0.0, least: int = MIN_REPLICATES
) -> Estimate:
    """Estimand A: the mean of one value for each replicate and its two-sided t interval, n - 1 degrees of freedom.

        half-width = t(n - 1) s / sqrt(n)

    `least`: with fewer replicates there is no interval; never below 2.

    Raises:
        ValueError: no value, or one that is not finite.
    """
    sample = checked(values, "an estimate needs one finite value for each replicate")
    n, mean = sample.size, float(sample.mean())
    if n < max(least, 2):
        return Estimate(mean, None, n)
    return Estimate(mean, float(t_quantile(confidence, n - 1) * spread(sample, step) / np.sqrt(n)), n, n - 1)


def paired_difference(
    first: ArrayLike, second: ArrayLike, confidence: float = CONFIDENCE, *, step: float = 0.0
) -> Estimate:
    """Estimand A of `first - second`, replicate by replicate: what the two share in a replicate cancels.

    Raises:
        ValueError: the two do not have the same replicates, or a value is not finite.
    """
    return estimate(differences(first, second), confidence, step=step)


def crossed(
    values: ArrayLike, confidence: float = CONFIDENCE, *, step: float = 0.0, least: int = MIN_REPLICATES
) -> Estimate:
    """Estimand B: the mean of `values[S, n]`, S replicates by n test images, over other images as well.

    Replicates and images are two crossed random factors with one value for each pair: for a difference between two
    rows -1, 0 or 1 an image, or the mean of such over fractions. With the mean squares of the two-way layout,

        variance = (MS_seed + MS_image - MS_res) / (S n)

    and Satterthwaite's degrees of freedom, variance^2 over the sum of the squared terms, each over its own S - 1, n - 1
    or (S - 1)(n - 1). Two rules keep it honest with few replicates, where MS_seed may come out small by chance (without
    them intervals for 3 replicates cover 92 %, for 2 replicates 87 %, and a variance may be negative):
    variance components are not negative, so neither MS_seed nor MS_image counts as less than MS_res; and the interval
    is never shorter than that of estimand A for the same numbers, since it has more to allow for. `step` is that of
    estimand A: of a replicate's mean over all images.

    `least`: with fewer replicates there is no interval; never below 2.

    Raises:
        ValueError: not a table of finite numbers with two images at least.
    """
    table = checked(values, "estimand B needs one finite value for each replicate and test image", axes=2)
    seeds, images = table.shape
    if images < 2:
        raise ValueError("estimand B needs two test images at least")
    mean = float(table.mean())
    if seeds < max(least, 2):
        return Estimate(mean, None, seeds)
    df_seed, df_image = seeds - 1, images - 1
    centred = table - mean
    by_seed, by_image = centred.mean(axis=1), centred.mean(axis=0)
    of_seeds, of_images = images * float(by_seed @ by_seed), seeds * float(by_image @ by_image)  # sums of squares
    rest = max(float(np.vdot(centred, centred)) - of_seeds - of_images, 0.0)
    ms_seed, ms_image, ms_res = of_seeds / df_seed, of_images / df_image, rest / (df_seed * df_image)

    above = max(ms_image - ms_res, 0.0)
    total = max(ms_seed, ms_res) + above
    squares = ms_seed**2 / df_seed + ms_image**2 / df_image + ms_res**2 / (df_seed * df_image)
    df = max(total**2 / squares, df_seed) if squares > 0 else df_seed
    wide = t_quantile(confidence, df) * np.sqrt(total / table.size)
    floor = t_quantile(confidence, df_seed) * spread(table.mean(axis=1), step) / np.sqrt(seeds)
    return Estimate(mean, float(max(wide, floor)), seeds, df_seed if floor > wide else df)


def simultaneous(values: ArrayLike, confidence: float = CONFIDENCE, *, step: float = 0.0) -> list[Estimate]:
    """Estimand A of each line of `values[cells, S]`, all intervals right at once with probability `confidence`.

    By Bonferroni, whatever the cells share: each interval has confidence 1 - (1 - confidence) / cells. So one may look
    for the largest cell and still trust its interval, which "up to" needs: the largest of many estimates is too large
    on average.

    Raises:
        ValueError: not a table of finite numbers, one line for each cell.
    """
    table = checked(values, "simultaneous intervals need one finite value for each cell and replicate", axes=2)
    each = 1 - (1 - confidence) / len(table)
    return [estimate(line, each, step=step) for line in table]
