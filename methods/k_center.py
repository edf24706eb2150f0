"""k-center greedy (Sener and Savarese 2018, arXiv:1708.00489, algorithm 1).

Cost: distances of picks from those samples only that may still be the farthest, by matrix products of whole batches: a
quarter to three quarters of all N k where it was measured. Memory for a few thousand samples beside the signal.
"""

from collections.abc import Callable

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.gradients import finite
from methods.registry import subset

CANDIDATES = 256  # among how many samples the next picks are sought at a time
ROWS = 4 * CANDIDATES  # how many samples are brought up to date at a time
PICKS = 4096  # with how many picks at a time


@subset("k-center", needs="features", direction="cover", nested=True, paper="arXiv:1708.00489")
def k_center(context: Context, budget: Budget) -> Integers:
    """Farthest-first: each pick is the sample farthest from all picks before it.

    Euclidean distance of penultimate features after the last epoch, over all classes together. The paper starts from
    an existing labelled pool; without one, the first pick here is the sample nearest to the mean of all. The radius
    that the picks leave uncovered is at most twice the smallest possible.
    """
    shuffle = context.rng.permutation(context.n)  # equal distances are decided by the generator
    features = finite(context.signals, "features", context.signals.features.dtype)
    mean = features.mean(axis=0, dtype=np.float64)

    def centred(samples: Integers) -> Floats:
        return features[shuffle[samples]] - mean  # in float64, which all of them together never are

    blocks = np.array_split(np.arange(context.n), -(-context.n // ROWS))
    squares = np.concatenate([np.square(centred(block)).sum(axis=1) for block in blocks])

    def distances(some: Integers, others: Integers) -> Floats:
        squared = centred(some) @ centred(others).T
        squared *= -2
        squared += squares[some, None]
        squared += squares[others]
        return np.maximum(squared, 0, out=squared)

    return shuffle[farthest_first(distances, int(np.argmin(squares)), context.n, budget.k)]


def farthest_first(distances: Callable[[Integers, Integers], Floats], first: int, n: int, k: int) -> Integers:
    """The first k picks of n: `first`, then each time the one farthest from all before it, int64 [k].

    `distances` gives those of some samples from others, [some, others], none below 0; any increasing function of a
    distance does. Of equally far samples the lower index is picked.

    Picks only bring a sample nearer, so that its distance from the earlier ones bounds that from all. Samples are
    brought up to date from the largest bound down; among the first `CANDIDATES`, once these are, picks need no look at
    the others for as long as the farthest candidate is beyond the largest bound outside.
    """
    picks = np.full(k, first, dtype=np.int64)
    nearest = np.full(n, np.inf)  # squared distance from the nearest of those picks that a sample has seen
    seen = np.zeros(n, dtype=np.int64)
    nearest[first], made = -1, 1  # a pick is never its own farthest, also among duplicates
    while made < k:
        order = np.argsort(-nearest, kind="stable")[: ROWS + 1]
        candidates = np.sort(order[:CANDIDATES])
        if seen[candidates].min() < made:
            late = order[seen[order] < made]
            for start in range(seen[late].min(), made, PICKS):
                new = distances(late, picks[start : min(start + PICKS, made)]).min(axis=1)
                nearest[late] = np.minimum(nearest[late], new)
            seen[late] = made
            continue
        far, among = nearest[candidates], distances(candidates, candidates)
        outside = (nearest[order[CANDIDATES]], -order[CANDIDATES]) if n > CANDIDATES else (-1, 0)
        while made < k and (far[best := np.argmax(far)], -candidates[best]) > outside:
            picks[made], made = candidates[best], made + 1
            np.minimum(far, among[best], out=far)
            far[best] = -1
        nearest[candidates], seen[candidates] = far, made
    return picks
