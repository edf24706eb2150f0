"""CRAIG and GradMatch as they are meant to be used: chosen again and again from the model in training.

Mirzasoleiman et al. 2020 (arXiv:1906.01827) and Killamsetty et al. 2021 (arXiv:2103.00123) re-select every R epochs
from the gradients of the model as it stands; `craig` and `gradmatch` choose once, from a trained proxy. These are the
same functions on the model's own probabilities and features, between two epochs of its training.

As in the authors' code (CORDS, without its warm start): the first R epochs present a random subset, unweighted, since
an untrained model's gradients say little; R is 20 of 300 epochs there, a share `every` of the schedule here, so that a
short training is refreshed as often; losses are weighted and divided by the sum of the weights in the batch.

Gradients are those of the cross-entropy of the images as they are, also where training attacks: `acs` follows the
objective itself.
"""

import numpy as np

from methods.api import Budget, Coreset
from methods.craig import craig
from methods.dynamics import Presentations, TrainingContext, rounds_between
from methods.functions import FunctionMethod
from methods.gradmatch import gradmatch
from methods.registry import dynamic


def refreshed(
    method: FunctionMethod, context: TrainingContext, budget: Presentations, epoch: int, every: float
) -> Coreset:
    """A random subset until the first refresh, then the method's choice, new every so many epochs."""
    if epoch == 0:
        context.memory["chosen"] = Coreset(context.rng.permutation(context.n)[: budget.k], np.ones(budget.k))
    elif epoch % rounds_between(every, budget) == 0:
        context.memory["chosen"] = method.select(context, Budget(budget.k, budget.n))
    chosen: Coreset = context.memory["chosen"]
    return chosen


@dynamic(
    "craig-refreshed",
    needs=craig.info.needs,
    direction="any",
    stochastic=True,
    weighted=True,
    weighting="batch",
    per_class=True,
    paper="arXiv:1906.01827",
)
def craig_refreshed(context: TrainingContext, budget: Presentations, epoch: int, *, every: float = 0.1) -> Coreset:
    """CRAIG on the model in training, chosen anew at every tenth of the schedule.

    One forward pass over all N at each refresh, and what `craig` costs.
    """
    return refreshed(craig, context, budget, epoch, every)


@dynamic(
    "gradmatch-refreshed",
    needs=gradmatch.info.needs,
    direction="any",
    stochastic=True,
    weighted=True,
    weighting="batch",
    per_class=True,
    paper="arXiv:2103.00123",
)
def gradmatch_refreshed(
    context: TrainingContext, budget: Presentations, epoch: int, *, every: float = 0.1, lam: float = 0.5
) -> Coreset:
    """GradMatch on the model in training, chosen anew at every tenth of the schedule.

    One forward pass over all N at each refresh, and what `gradmatch` costs, whose ridge `lam` is.
    """
    return refreshed(gradmatch.with_params({"lam": lam}), context, budget, epoch, every)
