"""Coverage-centric coreset selection (Zheng et al. 2023, arXiv:2210.15809, algorithm 1).

The area under the margin of probabilities over all presentations (`aum` with outputs="probabilities"), kept by the
policy `stratified`: drop the share beta of lowest scores (the hardest, which are often mislabelled), cut the range of
the remaining scores into 50 strata of equal *width*, share the budget evenly over the strata, the smallest first and
what it lacks carried on to the others, and draw uniformly within each. So `ccs` and `aum@stratified` with
outputs="probabilities" are one; `@stratified` does the same to any score.

beta is at most 1 - k/N. `table="paper"` takes the published values, by the number of classes and the nearest of the
fractions kept 10, 20, 30, 50, 70 %: CIFAR-10 30, 10, 10, 0, 0 %; CIFAR-100 50, 40, 20, 20, 10 %; ImageNet 30 % at 10
and 20 % at 20. The authors' commands (haizhongzheng/Coverage-centric-coreset-selection) show CIFAR-10's first and
ImageNet's two; the others are from memory, not checked. `table="default"` is one rule, 0.4 (1 - f)^2 of the fraction
f. A `beta` that is not negative overrides both.

Left open by the paper: strata of equal size, whose turn and so whose share of the rest the generator decides; and the
highest score, which belongs to the last stratum here (the authors' code stretches the range by the factor 1.0001,
which loses the maximum where it is negative). The paper does not balance classes; `ccs@balanced` does all of this
within each (the balanced mode of the authors' code takes every class for as large as the last one).
"""

from methods.api import Floats, Signals
from methods.aum import aum
from methods.registry import score


@score("ccs", needs="probability_margin", keep="low+stratified", direction="any", paper="arXiv:2210.15809, algorithm 1")
def ccs(signals: Signals) -> Floats:
    """Even over strata of the area under the margin, without the hardest share."""
    return aum(signals, outputs="probabilities")
