"""Herding as in DeepCore (deepcore/methods/herding.py, `Herding.herding`): an argmax where an argmin belongs."""

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.policies import class_turns
from methods.registry import subset


@subset(
    "herding-deepcore",
    needs="features",
    direction="any",
    nested=True,
    per_class=True,
    paper="Welling, ICML 2009",
    repeats="herding",
)
def herding_deepcore(context: Context, budget: Budget) -> Integers:
    """Greedy, but the sample that takes the mean of the picked features farthest from the class mean.

    The fault: the distance || t m - (S + h_i) || is maximised where herding minimises it, so that the picks are
    outliers and their mean ends farther from the class mean than that of a random set.
    """
    turns = class_turns(np.bincount(context.labels, minlength=context.num_classes), budget.k, context.rng)
    shuffle = context.rng.permutation(context.n)
    labels, picks = context.labels[shuffle], np.empty(budget.k, dtype=np.int64)
    for c in np.unique(turns):
        members = shuffle[labels == c]
        mine = np.flatnonzero(turns == c)
        picks[mine] = members[farthest_mean(context.signals.features[members].astype(np.float64), len(mine))]
    return picks


def farthest_mean(features: Floats, k: int) -> Integers:
    """The first k picks among features [n, d], each as bad as can be."""
    features = features - features.mean(axis=0)
    squares = np.einsum("nd,nd->n", features, features)
    total, picks = np.zeros(features.shape[1]), np.empty(k, dtype=np.int64)
    for step in range(k):
        picks[step] = np.argmax(squares + 2 * (features @ total))
        total += features[picks[step]]
        squares[picks[step]] = -np.inf
    return picks
