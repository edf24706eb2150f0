"""AUM in two public implementations: over one epoch, and under budgets of the wrong class."""

import numpy as np

from methods.api import Budget, Context, Floats, Integers, Signals
from methods.registry import score, subset


@score("aum-dual", needs="probability_margin", keep="low", direction="hard", paper="arXiv:2001.10528", repeats="aum")
def aum_dual(signals: Signals) -> Floats:
    """Smallest margin at the last presentation, not the area under it.

    As in the baselines of DUAL's repository (exp_cifar/importance_evaluation.py, `aum`). The fault: the sum is set to
    zero within the loop over epochs, so that only the last one counts.
    """
    return signals.probability_margin[-1].astype(np.float64)


@subset("aum-ccs", needs="probability_margin", direction="any", per_class=True, paper="Zheng et al., ICLR 2023",
        repeats="aum")  # fmt: skip
def aum_ccs(context: Context, budget: Budget) -> Integers:
    """Smallest area under the margin in each class, with the last class's budget for every class.

    As in CCS's class-balanced mode (core/data/Coreset.py, `score_monotonic_selection`). The fault: a loop that counts
    the classes keeps the count of the last one, and the next loop uses it for all; a class that is smaller gives all
    that it has. The total is k only where classes are of one size.
    """
    margin = context.signals.probability_margin.mean(axis=0, dtype=np.float64)
    members = context.classes()
    share = int(len(members[-1]) * budget.fraction)
    return np.concatenate([mine[np.argsort(margin[mine], kind="stable")[:share]] for mine in members])
