"""GLISTER as in DeepCore (deepcore/methods/glister.py, `Glister.finish_run`): the gradient is never updated."""

import numpy as np

from methods.api import Budget, Context, Integers
from methods.glister import Validation
from methods.gradients import LastLayer
from methods.registry import subset


@subset(
    "glister-deepcore",
    needs=("probability", "features", "select.features", "select.logits"),
    direction="any",
    nested=True,
    paper="arXiv:2012.10630",
    repeats="glister",
)
def glister_deepcore(context: Context, budget: Budget) -> Integers:
    """The samples whose last-layer gradient points most along that of the held-out loss as it is before any pick.

    The fault: the update after each pick is handed over under a misspelt keyword (`upadate_state`), which the
    optimiser takes among others and never calls. What is greedy in the method becomes a plain top-k.
    """
    shuffle = context.rng.permutation(context.n)
    gradients = LastLayer.of(context.signals, context.labels)[shuffle]
    direction = Validation.of(context.held_out, eta=1.0).gradient()
    return shuffle[np.argsort(-gradients.along(direction), kind="stable")[: budget.k]]
