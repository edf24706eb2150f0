"""Submodular functions as in DeepCore (deepcore/methods/methods_utils/submodular_function.py and _optimizer.py)."""

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.greedy import within_classes
from methods.registry import subset
from methods.submodular import NEEDS, PAPER, Similarity, similarities


@subset("log-det-deepcore", needs=NEEDS, direction="any", nested=True, per_class=True, paper=PAPER, repeats="log-det")
def log_det_deepcore(context: Context, budget: Budget, *, similarity: str = "features", ridge: float = 0.1) -> Integers:
    """Greedy: the sample best explained by the picks before it.

    As in `LogDeterminant.calc_gain`. The fault: the gain is s_jA S_A^-1 s_Aj, without the minus sign and without the
    diagonal term s_jj before it; the largest gain is the most redundant sample. The ridge is that of `log-det`; the
    project has a pseudo-inverse in its place.
    """
    of = similarities(context, similarity)
    return within_classes(context, budget, lambda members, k: explained_order(of(members), ridge, k))


def explained_order(alike: Similarity, ridge: float, k: int) -> Integers:
    """The first k greedy picks; the conditional variance is kept by an incremental Cholesky factor."""
    explained, variance = np.zeros(len(alike)), np.asarray(alike.diagonal + ridge)
    factor, picks = np.empty((k, len(alike))), np.empty(k, dtype=np.int64)
    for step in range(k):
        best = picks[step] = np.argmax(explained)
        factor[step] = alike[best] - factor[:step, best] @ factor[:step]
        factor[step] /= np.sqrt(variance[best] - explained[best])
        explained += factor[step] ** 2
        explained[best] = -np.inf
    return picks


@subset(
    "facility-location-deepcore",
    needs=NEEDS,
    direction="any",
    nested=True,
    per_class=True,
    paper=PAPER,
    repeats="facility-location",
)
def facility_location_deepcore(
    context: Context, budget: Budget, *, similarity: str = "features", batch: int = 256
) -> Integers:
    """Greedy coverage of the first batch of the file alone.

    As in `FacilityLocation.calc_gain_batch`, which the project's Craig calls without balance. The fault: the loop over
    batches counts in rows and multiplies by the batch size once more, so that every slice after the first lies beyond
    the data (of up to B^2 rows, 65,536 at the project's default). Once these rows are covered all gains are 0.
    """
    of = similarities(context, similarity)

    def order(members: Integers, k: int) -> Integers:
        return coverage_order(of(members)[members < batch], k)

    return within_classes(context, budget, order)


def coverage_order(similarity: Floats, k: int) -> Integers:
    """The first k greedy picks among m columns for f(A) = sum_i max_{j in A} s_ij over the rows [r, m]."""
    covered, taken = np.zeros(len(similarity)), np.zeros(similarity.shape[1], dtype=bool)
    picks = np.empty(k, dtype=np.int64)
    for step in range(k):
        gains = np.maximum(similarity - covered[:, None], 0).sum(axis=0)
        best = picks[step] = np.argmax(np.where(taken, -1, gains))
        covered, taken[best] = np.maximum(covered, similarity[:, best]), True
    return picks


@subset(
    "stochastic-greedy-deepcore",
    needs=NEEDS,
    direction="any",
    stochastic=True,
    per_class=True,
    paper="arXiv:1409.7938",
    repeats="facility-location",
)
def stochastic_greedy_deepcore(
    context: Context, budget: Budget, *, similarity: str = "features", epsilon: float = 0.9
) -> Integers:
    """Facility location by stochastic greedy that draws one candidate a step: a random set, for any share above 7 %.

    As in `StochasticGreedy`. The best of (n / k) ln(1 / epsilon) random candidates is taken at each step, for 1 - 1/e
    - epsilon of the largest value (Mirzasoleiman et al. 2015). The fault is the default epsilon = 0.9, a bound below 0:
    0.105 n / k candidates are one at a tenth of the data. It is usually 0.01 to 0.1.
    """
    of = similarities(context, similarity)

    def order(members: Integers, k: int) -> Integers:
        alike, count = of(members), max(round(-np.log(epsilon) * len(members) / max(k, 1)), 1)
        covered, rest = np.zeros(len(members)), list(range(len(members)))
        picks = np.empty(k, dtype=np.int64)
        for step in range(k):
            drawn = context.rng.choice(rest, min(count, len(rest)), replace=False)
            gains = np.maximum(alike[drawn] - covered, 0).sum(axis=1)
            best = picks[step] = drawn[np.argmax(gains)]
            covered = np.maximum(covered, alike[best])
            rest.remove(best)
        return picks

    return within_classes(context, budget, order)
