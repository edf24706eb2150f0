"""Estimates, tests, ranks and nulls over replicates: pure functions of numbers that know nothing of records.

Whatever is passed in has a unit, and results have the same one. Two estimands:

    A   the expected value over replicates (proxy, selection and training randomness) on the test images at hand:
        `estimate`, `paired_difference`, `paired_p`, `simultaneous`, `rank_intervals`, `among_best`;
    B   over test images as well, as if others had been drawn from the same source: `crossed`.

Stated once for all of them. Fewer than `MIN_REPLICATES` replicates give values, but no interval, p = 1 and every rank.
What is not finite, empty or of the wrong shape raises ValueError. Two values whose difference is below 1e-12 of the
larger are equal. `step` is the finest step by which values can differ (for a share of n images averaged over F
fractions, 1 / (n F)): a standard deviation is never taken to be smaller than that of rounding to it, step / sqrt(12),
since a few replicates may agree by chance. Without it, replicates that agree have an interval of zero width,
and p = 0 unless they agree on 0. The formulas, with what they were calibrated on, are in docs/statistics.md.
"""

from benchmark.stats.comparisons import holm, mcnemar, paired_p
from benchmark.stats.estimates import (
    CONFIDENCE,
    MIN_REPLICATES,
    Estimate,
    crossed,
    estimate,
    paired_difference,
    simultaneous,
)
from benchmark.stats.nulls import NullPosition, null_position
from benchmark.stats.power import replicates_needed
from benchmark.stats.ranks import among_best, rank_intervals

__all__ = [
    "CONFIDENCE",
    "MIN_REPLICATES",
    "Estimate",
    "NullPosition",
    "among_best",
    "crossed",
    "estimate",
    "holm",
    "mcnemar",
    "null_position",
    "paired_difference",
    "paired_p",
    "rank_intervals",
    "replicates_needed",
    "simultaneous",
]
