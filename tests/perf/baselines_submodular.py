"""Facility location, graph cut and matching pursuit as DeepCore is built (Guo et al. 2022): the yardstick of selection.

Similarities of all pairs in one float32 matrix, gathered by masks; lazy greedy that asks for the gain of one sample at
a time; gradients written out, and every system of the pursuit set up and solved from nothing. Faults that are no part
of the structure are left out: the ridge is that of our definition, and so is the target.
"""

from collections.abc import Callable

import numpy as np

from methods.api import Floats, Integers


def shifted_cosines(features: Floats) -> Floats:
    """(1 + cos) / 2 of all pairs."""
    norms = np.linalg.norm(features, axis=1)
    return 0.5 + 0.5 * (features @ features.T) / (norms[:, None] * norms)


def lazy_greedy(
    n: int, k: int, gain: Callable[[Integers, Integers], Floats], update: Callable[[int], None] | None = None
) -> Integers:
    """The sample of the largest known gain has it computed anew, until it stays the largest."""
    selected, picks = np.zeros(n, dtype=bool), np.empty(k, dtype=np.int64)
    gains = np.array(gain(~selected, selected), dtype=np.float64)
    for step in range(k):
        fresh = -1
        while (best := int(gains.argmax())) != fresh:
            gains[best], fresh = gain(np.array([best]), selected)[0], best
        picks[step], selected[best], gains[best] = best, True, -np.inf
        if update:
            update(best)
    return picks


def facility_location(features: Floats, k: int) -> Integers:
    """Gains from columns of the matrix."""
    similarity = shifted_cosines(features)
    n = len(similarity)
    everyone, covered = np.ones(n, dtype=bool), np.zeros(n, dtype=np.float32)

    def gain(candidates: Integers, selected: Integers) -> Floats:
        return np.maximum(0.0, similarity[np.ix_(everyone, candidates)] - covered[:, None]).sum(axis=0)

    def update(pick: int) -> None:
        np.maximum(covered, similarity[np.ix_(everyone, np.array([pick]))].max(axis=1), out=covered)

    return lazy_greedy(n, k, gain, update)


def graph_cut(features: Floats, k: int) -> Integers:
    """Sums over all samples once, sums over the picks for every gain."""
    similarity = shifted_cosines(features)
    sums = similarity.sum(axis=0)

    def gain(candidates: Integers, selected: Integers) -> Floats:
        return sums[candidates] - similarity[np.ix_(selected, candidates)].sum(axis=0)

    return lazy_greedy(len(similarity), k, gain)


def matching_pursuit(gradients: Floats, k: int, ridge: float) -> tuple[Integers, Floats]:
    """Of gradients [D, n], towards their sum: k picks and their weights, not negative after the last of them.

    Gradients are float32 there and the identity is float64, which makes everything float64 from the second pick on: the
    matrix of all gradients is converted for every product with the residual.
    """
    from scipy.linalg import lstsq
    from scipy.optimize import nnls

    target = gradients.sum(axis=1)
    residual, free = target.copy(), np.ones(gradients.shape[1], dtype=bool)
    everyone, picks = np.arange(gradients.shape[1]), []
    within = np.empty((0, len(gradients)), dtype=gradients.dtype)
    for _ in range(k):
        projections = gradients.T.dot(residual)
        best = int(everyone[free][np.argmax(projections[free])])
        picks.append(best)
        free[best] = False
        within = np.vstack([within, gradients[:, best]])
        gram = within.dot(within.T) + ridge * np.identity(len(within))
        weights = lstsq(gram, within.dot(target))[0]
        residual = target - within.T.dot(weights)
    return np.array(picks), nnls(gram, within.dot(target))[0]
