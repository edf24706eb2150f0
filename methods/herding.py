"""Herding (Welling 2009, "Herding dynamical weights to learn", ICML), as used for exemplars and coresets."""

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.gradients import finite
from methods.policies import class_turns
from methods.registry import subset


@subset(
    "herding",
    needs="features",
    direction="any",
    nested=True,
    per_class=True,
    paper="Welling, ICML 2009",
)
def herding(context: Context, budget: Budget) -> Integers:
    """Greedy: the sample that brings the mean of the picked features nearest to the class mean.

    At step t, with S the sum of the t - 1 picks so far and m the class mean, the pick minimises
    || m - (S + h_i) / t ||. An argmin: circulating code takes the farthest. Penultimate features after the last
    epoch, as they are (unnormalised); each class gets picks in proportion to its size.
    """
    turns = class_turns(np.bincount(context.labels, minlength=context.num_classes), budget.k, context.rng)
    shuffle = context.rng.permutation(context.n)  # equal distances are decided by the generator
    features, labels = finite(context.signals, "features"), context.labels[shuffle]
    picks = np.empty(budget.k, dtype=np.int64)
    for c in np.unique(turns):
        members = shuffle[labels == c]
        mine = np.flatnonzero(turns == c)
        picks[mine] = members[greedy_mean(features[members], len(mine))]
    return picks


def greedy_mean(features: Floats, k: int) -> Integers:
    """The first k picks among features [n, d]; one matrix-vector product a pick."""
    mean = features.mean(axis=0)
    features = features - mean  # the target becomes 0, which keeps the differences exact where features are large
    squares = np.einsum("nd,nd->n", features, features)
    total, picks = np.zeros(features.shape[1]), np.empty(k, dtype=np.int64)
    for step in range(k):
        # ||S + h||^2 without its constant ||S||^2
        distance = squares + 2 * (features @ total)
        picks[step] = np.argmin(distance)
        total += features[picks[step]]
        squares[picks[step]] = np.inf
    return picks
