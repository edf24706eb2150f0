"""k-center greedy (Sener and Savarese 2018, arXiv:1708.00489, algorithm 1)."""

from collections.abc import Callable

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.gradients import finite
from methods.registry import subset


@subset("k-center", needs="features", direction="cover", nested=True, paper="arXiv:1708.00489")
def k_center(context: Context, budget: Budget) -> Integers:
    """Farthest-first: each pick is the sample farthest from all picks before it.

    Euclidean distance of penultimate features after the last epoch, over all classes together. The paper starts from
    an existing labelled pool; without one, the first pick here is the sample nearest to the mean of all. The radius
    that the picks leave uncovered is at most twice the smallest possible. One matrix-vector product a pick.
    """
    shuffle = context.rng.permutation(context.n)  # equal distances are decided by the generator
    features = finite(context.signals, "features")[shuffle]
    features -= features.mean(axis=0)
    squares = np.einsum("nd,nd->n", features, features)

    def distances(pick: int) -> Floats:
        return squares + squares[pick] - 2 * (features @ features[pick])

    return shuffle[farthest_first(distances, int(np.argmin(squares)), context.n, budget.k)]


def farthest_first(distances: Callable[[int], Floats], first: int, n: int, k: int) -> Integers:
    """The first k picks of n: `first`, then each time the one farthest from all before it, int64 [k].

    `distances` gives those of all samples from one pick, [n]; any increasing function of a distance does.
    """
    picks, nearest = np.full(k, first, dtype=np.int64), np.full(n, np.inf)
    for step in range(1, k):
        last = picks[step - 1]
        np.minimum(nearest, np.maximum(distances(last), 0), out=nearest)
        nearest[last] = -1  # a pick is never its own farthest, also among duplicates
        picks[step] = np.argmax(nearest)
    return picks
