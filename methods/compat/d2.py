"""D2 with the area under the margin in two modes of its repository (core/data/Coreset.py and sampling.py).

Both differ from `d2` with difficulty="aum" in the difficulties alone: the area under the margin is small where a
sample is difficult, and has to be turned round once. Budgets, graphs and what is dropped first are those of `d2`.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.d2 import nearest
from methods.gradients import finite
from methods.policies import class_turns
from methods.registry import subset
from methods.sampling import cut, even_budgets

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

NEEDS = ("features", "probability_margin")
PAPER = "arXiv:2310.07931"
FLOOR = 1e-7


@subset("d2-class-mode", needs=NEEDS, direction="any", per_class=True, paper=PAPER, repeats="d2")
def d2_class_mode(
    context: Context, budget: Budget, *, neighbours: int = 5, gamma: float = 0.1, beta: float = -1.0
) -> Integers:
    """Easy samples in easy surroundings: the area under the margin stands for difficulty as it is.

    As in `CoresetSelection.density_sampling` with the key accumulated_margin. The fault: scores are moved to begin at
    0 and not turned round, so that the largest margin counts as the greatest difficulty.
    """
    return _select(context, budget, lambda margin: margin - margin.min(), neighbours, gamma, beta)


@subset("d2-stratified-mode", needs=NEEDS, direction="any", per_class=True, paper=PAPER, repeats="d2")
def d2_stratified_mode(
    context: Context, budget: Budget, *, neighbours: int = 5, gamma: float = 0.1, beta: float = -1.0
) -> Integers:
    """Difficult samples whatever their surroundings: no message passes, and a pick raises its neighbours.

    As in `CoresetSelection.stratified_sampling` and `GraphDensitySampler` with the key accumulated_margin. The fault:
    scores are turned round to be 0 at most, and messages are held at 1e-7 at least, so that each weighs nothing; and
    what is subtracted from the neighbours of a pick is negative. The project draws graphs within strata, here they are
    drawn within classes as in `d2`.
    """
    return _select(context, budget, lambda margin: margin.min() - margin, neighbours, gamma, beta)


def _select(
    context: Context,
    budget: Budget,
    difficulty: Callable[[Floats], Floats],
    neighbours: int,
    gamma: float,
    beta: float,
) -> Integers:
    """The steps of `d2`, with difficulties of the margins that were not dropped."""
    margin, features = (finite(context.signals, name) for name in ("probability_margin", "features"))
    margin, ties = margin.mean(axis=0), context.rng.permutation(context.n)
    share = beta if beta >= 0 else 0.4 * (1 - budget.fraction) ** 2
    kept = context.rng.permutation(cut(np.lexsort((ties, margin)), budget.k, share))
    difficulties = np.zeros(context.n)
    difficulties[kept] = difficulty(margin[kept])
    members = [kept[context.labels[kept] == c] for c in range(context.num_classes)]
    budgets = even_budgets(np.array([len(m) for m in members]), budget.k, context.rng)
    turns = class_turns(budgets, budget.k, context.rng)
    picks = np.empty(budget.k, dtype=np.int64)
    graphs = nearest([features[m] for m in members], neighbours)
    for c, (own, graph) in enumerate(zip(members, graphs, strict=True)):
        picks[turns == c] = own[_greedy(graph, difficulties[own], gamma, budgets[c])]
    return picks


def _greedy(graph: "csr_matrix", difficulties: Floats, gamma: float, k: int) -> Integers:
    """The first k picks of one class; no message weighs less than `FLOOR`."""
    x = difficulties + graph @ np.maximum(difficulties, FLOOR)
    discount, picks = graph.data**gamma, np.empty(k, dtype=np.int64)
    for step in range(k):
        picks[step] = i = np.argmax(x)
        edges = slice(graph.indptr[i], graph.indptr[i + 1])
        x[graph.indices[edges]] -= discount[edges] * x[i]
        x[i] = -np.inf
    return picks
