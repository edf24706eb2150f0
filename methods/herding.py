"""Herding (Welling 2009, "Herding dynamical weights to learn", ICML), as used for exemplars and coresets.

Cost: one pass over a class's features in float32 a pick, at the speed of memory. Memory for two copies of one class in
float32.
"""

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
    || m - (S + h_i) / t ||, without replacement: the exemplars of iCaRL (Rebuffi et al. 2017, arXiv:1611.07725,
    algorithm 4). Welling's own step, the largest <w, h_i> with w += m - h_i, is the same where all features have one
    norm. An argmin: circulating code takes the farthest. Penultimate features after the last
    epoch, as they are (unnormalised); each class gets picks in proportion to its size.
    """
    turns = class_turns(np.bincount(context.labels, minlength=context.num_classes), budget.k, context.rng)
    shuffle = context.rng.permutation(context.n)  # equal distances are decided by the generator
    features = finite(context.signals, "features", context.signals.features.dtype)
    labels = context.labels[shuffle]
    picks = np.empty(budget.k, dtype=np.int64)
    for c in np.unique(turns):
        members = shuffle[labels == c]
        mine = np.flatnonzero(turns == c)
        picks[mine] = members[greedy_mean(features[members], len(mine))]
    return picks


def greedy_mean(features: Floats, k: int) -> Integers:
    """The first k picks among features [n, d].

    float32 tells all but those samples that its rounding could not tell from the best; float64 decides between these.
    """
    n, d = features.shape
    mean = features.mean(axis=0, dtype=np.float64)
    # The target becomes 0, which keeps differences where features are large
    centred = np.empty((n, d), dtype=np.float32)
    np.subtract(features, mean, out=centred, casting="same_kind")
    squares = np.vecdot(centred, centred)
    longest, rounding = np.sqrt(squares.max()), (d + 8) * np.finfo(np.float32).eps
    total, picks = np.zeros(d), np.empty(k, dtype=np.int64)
    for step in range(k):
        # ||S + h||^2 without its constant ||S||^2, and twice the error that a sum of d rounded products can have
        distance = squares + np.vecdot(centred, (2 * total).astype(np.float32))
        slack = rounding * longest * (longest + 2 * np.linalg.norm(total))
        best = np.flatnonzero(distance <= distance.min() + slack)
        if len(best) > 1:
            best = best[[np.argmin(np.square(total + (features[best] - mean)).sum(axis=1))]]
        picks[step] = best[0]
        total += features[best[0]] - mean
        squares[best[0]] = np.inf
    return picks
