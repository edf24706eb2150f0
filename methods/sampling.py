"""Two ways of drawing a set from a score, and the parameters that their authors tuned.

`stratified` is Coverage-centric Coreset Selection (Zheng et al. 2023, arXiv:2210.15809, algorithm 1): drop the hardest
share beta, cut the range of the remaining scores into strata of equal *width*, share the budget evenly over strata,
the smallest first and its leftover carried on, and draw uniformly within each.

`beta` is the sampling of DUAL (Cho et al. 2025, arXiv:2502.06905): draw without replacement with probability in
proportion to score * Beta(p; a, b), where p is the mean probability of the label over the presentations of the first
share `seen` of the proxy's schedule, r the share that is pruned, m the mean p of the ten highest scores, and

    b = 15 (1 - m) (1 - r^c),    a = 16 - b.

The more is pruned, the nearer the density's mode is to p = 1. Its draws need scores that are not negative.

`table` says where beta and c come from, unless a number that is not negative is given: "paper" takes the values that
the authors published for a data set of so many classes (10: CIFAR-10, 100: CIFAR-100, 1000: ImageNet) at the nearest
fraction that they report, which beyond the largest of these says little: 20 % of ImageNet is dropped at 80 % kept as
at 20 %, and nothing is left to draw from; "default" is one rule, beta = 0.4 (1 - f)^2 of the fraction f kept, near
the middle of the published ones, and c = 5. Neither looks at the data set's name.
"""

from collections.abc import Mapping
from typing import TypeVar

import numpy as np

from methods.api import Budget, Context, Floats, Integers, Scalar
from methods.errors import CoresetBenchError, UsageError, unknown

T = TypeVar("T")

TABLES = ("default", "paper")
DEFAULT_C = 5.0
EDGE = 1e-6  # mean probabilities are held this far from 0 and 1, where the density may be 0 or infinite
ANCHORS = 10

# Share dropped by classes and fraction kept. 30 % of CIFAR-10 and ImageNet at 10 % and 20 % of ImageNet at 20 % are
# the authors' commands (haizhongzheng/Coverage-centric-coreset-selection); the others from memory, not checked.
CCS_BETA: Mapping[int, Mapping[float, float]] = {
    10: {0.1: 0.3, 0.2: 0.1, 0.3: 0.1, 0.5: 0.0, 0.7: 0.0},
    100: {0.1: 0.5, 0.2: 0.4, 0.3: 0.2, 0.5: 0.2, 0.7: 0.1},
    1000: {0.1: 0.3, 0.2: 0.2},
}
# The exponent c, at every fraction. CIFAR-100's and ImageNet's are the authors' commands and defaults
# (behaapyy/dual-pruning); CIFAR-10's from memory, not checked.
DUAL_C: Mapping[int, Mapping[float, float]] = {10: {0.1: 5.5}, 100: {0.1: 4.0}, 1000: {0.1: 11.0}}


def published(
    values: Mapping[int, Mapping[float, T]], default: T, table: Scalar, num_classes: int, fraction: float
) -> T:
    """The published value for so many classes at the nearest fraction, or the default, as `table` says.

    Raises:
        UsageError: no such table, or nothing is published for so many classes.
    """
    if table not in TABLES:
        raise unknown("value of 'table'", str(table), TABLES)
    if table == "default":
        return default
    if num_classes not in values:
        known = ", ".join(map(str, sorted(values)))
        raise UsageError(f'Nothing is published for {num_classes} classes (only for {known}); use table="default".')
    return values[num_classes][min(values[num_classes], key=lambda f: (abs(f - fraction), f))]


def share_of(name: str, value: Scalar) -> float:
    """A parameter that is a share of the samples.

    Raises:
        UsageError: it lies outside [0, 1].
    """
    if not 0 <= float(value) <= 1:
        raise UsageError(f"The share '{name}' is {value}; it must lie in [0, 1].")
    return float(value)


def cut_share(values: Mapping[str, Scalar], num_classes: int, fraction: float) -> float:
    """The share `beta` that is dropped: the number given, or by the table."""
    if float(values["beta"]) >= 0:
        return share_of("beta", values["beta"])
    return published(CCS_BETA, 0.4 * (1 - fraction) ** 2, values["table"], num_classes, fraction)


def cut(hardest_first: Integers, k: int, share: float) -> Integers:
    """What is left when the share at the front is dropped, or less of it where k would not be left."""
    n = len(hardest_first)
    return hardest_first[min(int(share * n + 1e-9), n - k) :]


def even_budgets(sizes: Integers, k: int, rng: np.random.Generator) -> Integers:
    """How many of k each stratum gives: evenly, the smallest stratum first, its leftover carried on. int64 [strata].

    Strata of equal size take their turns in an order drawn by the generator.
    """
    order = rng.permutation(len(sizes))
    budgets, left = np.zeros(len(sizes), dtype=np.int64), k
    for done, stratum in enumerate(order[np.argsort(sizes[order], kind="stable")]):
        budgets[stratum] = min(int(sizes[stratum]), left // (len(sizes) - done))
        left -= budgets[stratum]
    return budgets


def stratified(
    hardest_first: Integers, k: int, scores: Floats, share: float, strata: int, rng: np.random.Generator
) -> Integers:
    """k of the given samples: evenly from strata of the scores that are left when the hardest share is dropped."""
    if strata < 1:
        raise UsageError(f"The number of strata is {strata}; cut the range into one at least.")
    kept = rng.permutation(cut(hardest_first, k, share))
    if not len(kept):
        return kept
    halves = scores[kept].astype(np.float64) / 2  # so that the width of the widest range is a number
    width = np.ptp(halves)
    place = (halves - halves.min()) / width if width > 0 else np.zeros(len(kept))
    stratum = np.minimum((place * strata).astype(np.int64), strata - 1)  # the maximum belongs to the last one
    sizes = np.bincount(stratum, minlength=strata)
    budgets = even_budgets(sizes, k, rng)
    by_stratum = np.argsort(stratum, kind="stable")
    turn = np.empty(len(kept), dtype=np.int64)  # within the stratum, in the order drawn
    turn[by_stratum] = np.arange(len(kept)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return kept[turn < budgets[stratum]]


def beta_keys(
    scores: Floats, ties: Integers, context: Context, budget: Budget, name: str, values: Mapping[str, Scalar]
) -> Floats:
    """Random keys whose k highest are the draw. float64 [N].

    The highest of log(weight) + Gumbel noise are a successive draw in proportion to the weights, without replacement;
    a weight of zero is the key -inf, so that a short draw is filled with samples of score zero. Densities are taken as
    logarithms, where their normalising constant is one for all.
    """
    scores = scores.astype(np.float64)
    if (scores < 0).any():
        raise CoresetBenchError(
            f"'{name}' has negative scores, which 'beta' cannot draw in proportion to; use another policy."
        )
    seen, signals = float(values["seen"]), context.signals
    if not 0 < seen <= 1:
        raise UsageError(f"The share 'seen' of the schedule is {seen}; it must lie in (0, 1].")
    p = signals.label_probability[: signals.epoch(seen) + 1].mean(axis=0, dtype=np.float64)
    if not np.isfinite(p).all():
        raise CoresetBenchError("The signal 'label_probability' holds NaN or infinity; look at the proxy's training.")
    c = float(values["c"])
    if c < 0:
        c = published(DUAL_C, DEFAULT_C, values["table"], context.num_classes, budget.fraction)
    highest = np.lexsort((ties, scores))[-ANCHORS:]
    b = 15 * (1 - p[highest].mean()) * (1 - (1 - budget.fraction) ** c)
    a = 16 - b
    p = p.clip(EDGE, 1 - EDGE)
    with np.errstate(divide="ignore"):
        log_weight = np.log(scores) + (a - 1) * np.log(p) + (b - 1) * np.log1p(-p)
    return log_weight + context.rng.gumbel(size=context.n)
