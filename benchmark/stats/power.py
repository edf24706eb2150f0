"""How many replicates it would take."""

import math

from numpy.typing import ArrayLike

from benchmark.stats.samples import CONFIDENCE, MIN_REPLICATES, differences, probability, spread, t_quantile

MOST_REPLICATES = 10_000


def replicates_needed(
    first: ArrayLike, second: ArrayLike, power: float = 0.8, confidence: float = CONFIDENCE, *, step: float = 0.0
) -> int | None:
    """The replicates, those at hand included, with which a paired t test separates the two with that probability.

    The mean d and the standard deviation s of the differences at hand are taken for the truth; then the test's
    statistic has the noncentral t distribution with n - 1 degrees of freedom and noncentrality d sqrt(n) / s, and the
    smallest n of enough power is the answer. As uncertain as d and s are, so a plan, not a promise. One comparison:
    no adjustment for a family.

    None: more than 10,000, or the two are equal, or there are too few replicates to know s.

    Raises:
        ValueError: the two do not have the same replicates, a value is not finite, or a power outside (0, 1).
    """
    probability(power, "power")
    sample = differences(first, second)
    mean = abs(float(sample.mean()))
    if sample.size < MIN_REPLICATES or mean == 0:
        return None
    deviation = float(spread(sample, step))
    if deviation == 0:
        return MIN_REPLICATES
    effect = mean / deviation
    if _power(MOST_REPLICATES, effect, confidence) < power:
        return None
    few, enough = MIN_REPLICATES - 1, MOST_REPLICATES
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if _power(middle, effect, confidence) >= power else (middle, enough)
    return enough


def _power(n: int, effect: float, confidence: float) -> float:
    """The probability that the test rejects with n replicates, in the direction of the effect."""
    from scipy.special import nctdtr

    below = float(nctdtr(n - 1, effect * math.sqrt(n), t_quantile(confidence, n - 1)))
    return 1.0 if math.isnan(below) else 1.0 - below  # NaN: noncentrality of 35 and more, where the test is certain
