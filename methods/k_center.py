"""k-center greedy (Sener and Savarese 2018, arXiv:1708.00489, algorithm 1)."""

import numpy as np

from methods.api import Budget, Context, Integers
from methods.registry import subset


@subset("k-center", needs="features", direction="cover", nested=True, paper="arXiv:1708.00489")
def k_center(context: Context, budget: Budget) -> Integers:
    """Farthest-first: each pick is the sample farthest from all picks before it.

    Euclidean distance of penultimate features after the last epoch, over all classes together. The paper starts from
    an existing labelled pool; without one, the first pick here is the sample nearest to the mean of all.
    """
    shuffle = context.rng.permutation(context.n)  # equal distances are decided by the generator
    features = context.signals.features[shuffle].astype(np.float64)
    features -= features.mean(axis=0)
    squares = np.einsum("nd,nd->n", features, features)
    picks = np.empty(budget.k, dtype=np.int64)
    picks[0] = np.argmin(squares)
    nearest = np.full(context.n, np.inf)
    for step in range(1, budget.k):
        last = picks[step - 1]
        distance = squares + squares[last] - 2 * (features @ features[last])
        np.minimum(nearest, np.maximum(distance, 0), out=nearest)
        nearest[last] = -1  # a pick is never its own farthest, also among duplicates
        picks[step] = np.argmax(nearest)
    return shuffle[picks]
