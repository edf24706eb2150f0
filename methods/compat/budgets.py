"""Budgets as in DeepCore (every method with `balance=True`; methods_utils/submodular_optimizer.py for the order), and
as in DataCull (datacull/data.py, `DCDataLoader`).
"""

import numpy as np

from methods.api import Budget, Context, Integers
from methods.registry import subset


@subset("random-deepcore", direction="any", stochastic=True, per_class=True, paper="none", repeats="random")
def random_deepcore(context: Context, budget: Budget) -> Integers:
    """Uniform within each class, but with a budget that is rounded class by class, and in the order of the file.

    Two faults: round(f N_c) over all classes need not sum to round(f N), so that 101 samples come back for 100
    asked; and picks come back as the ascending indices of a mask, in which a greedy order is lost.
    """
    chosen = [
        context.rng.choice(members, round(budget.fraction * len(members)), replace=False)
        for members in context.classes()
    ]
    return np.concatenate([np.sort(picks) for picks in chosen])


@subset("random-datacull", direction="any", stochastic=True, paper="none", repeats="random")
def random_datacull(context: Context, budget: Budget) -> Integers:
    """Uniform, but as many samples as were to be removed.

    The fault: the share that is documented as the one to remove is the one that is kept. At the budget k it keeps
    N - k, one at least.
    """
    return context.rng.permutation(context.n)[: max(1, context.n - budget.k)]
