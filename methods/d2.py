"""D2 pruning: message passing between difficulty and diversity (Maharana et al. 2024, ICLR, arXiv:2310.07931).

On a graph that joins each sample to its k nearest neighbours in feature space, difficulties s are passed forward,

    x_i = s_i + sum over neighbours j of e^{-d_ij} s_j,

and then, greedily, the sample of highest x is picked and its neighbours lose what it speaks for:

    x_j -= e^{-gamma d_ij} x_i.

s is the number of forgetting events (`difficulty="forgetting"`, the authors' choice for CIFAR) or how far the area
under the margin of probabilities lies below its maximum ("aum"). Before that the share beta of all samples with the
smallest area under the margin is dropped (beta at most 1 - k/N). Classes have graphs of their own and share the
budget evenly, the smallest first and what it lacks carried on (the authors' "uniform" budget, which is in proportion
where classes are equal). Features are the penultimate ones after the last epoch. Cost: the neighbours within each
class by scikit-learn, in memory linear in N, then one pass over the class a pick.

The authors tuned k, gamma and beta for each data set and budget. `table="paper"` takes those of their commands
(adymaharana/d2pruning): k = 5, gamma = 0.1 and beta = 0.4 at 10 % of CIFAR-10 and of ImageNet, by the number of
classes and whatever the budget, the paper's own tables being out of reach. `table="default"` is one rule: k = 5,
gamma = 0.1 and beta = 0.4 (1 - f)^2 of the fraction f kept, as for `ccs`. `neighbours` where positive, `gamma` and
`beta` where not negative, override both.

Left open by the paper: the scale of d, which decides whether e^{-d} vanishes. Here d is the Euclidean distance over
the median distance of neighbours, all classes taken together, so that a message is worth e^{-1} of a difficulty
there. The published gamma multiplies raw distances in the authors' code: in this unit 0.1 takes e^{-0.1} of a pick's
x from a neighbour at the median distance, whatever the features' scale, and so is that gamma by name alone.
Neighbours are mutual: i and j are joined if either is among the k nearest of the other, as in the authors' code where
it computes the graph (where the graph is read from a file they are not). A sample that was never right counts as most
forgettable, not as never forgotten. x may fall below 0, and a pick below 0 raises its neighbours, as in the authors'
code. There "aum" is negated and then held above 0 in the stratified mode, so that no message passes, and not negated
in the class mode, so that easy samples pass for difficult ones; here difficulties are never negative.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.aum import aum
from methods.errors import CoresetBenchError, UsageError, unknown
from methods.forgetting import forgetting
from methods.policies import class_turns
from methods.registry import subset
from methods.sampling import cut, even_budgets, published, share_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

COMMAND = (5, 0.1, 0.4)
PAPER: Mapping[int, Mapping[float, tuple[int, float, float]]] = {10: {0.1: COMMAND}, 1000: {0.1: COMMAND}}


@subset(
    "d2",
    needs=("features", "correct", "probability_margin"),
    direction="any",
    per_class=True,
    paper="arXiv:2310.07931",
)
def d2(
    context: Context,
    budget: Budget,
    *,
    table: str = "default",
    difficulty: str = "forgetting",
    neighbours: int = 0,
    gamma: float = -1.0,
    beta: float = -1.0,
) -> Integers:
    """Difficult samples in difficult surroundings, each pick discounting its neighbours; the very hardest dropped."""
    rule = (5, 0.1, 0.4 * (1 - budget.fraction) ** 2)
    k, fading, share = published(PAPER, rule, table, context.num_classes, budget.fraction)
    k, fading, share = neighbours or k, gamma if gamma >= 0 else fading, share_of("beta", beta if beta >= 0 else share)
    if k < 1:
        raise UsageError(f"The number of neighbours is {k}; join each sample to one at least.")
    margin = aum(context.signals, outputs="probabilities")
    features = context.signals.features
    if not (np.isfinite(margin).all() and np.isfinite(features).all()):
        raise CoresetBenchError(
            "'d2' reads features or margins that are NaN or infinite; look at the proxy's training."
        )
    if difficulty not in ("forgetting", "aum"):
        raise unknown("value of d2's 'difficulty'", difficulty, ("forgetting", "aum"))
    difficulties = forgetting(context.signals) if difficulty == "forgetting" else margin.max() - margin

    ties = context.rng.permutation(context.n)  # equals are decided by the generator
    kept = context.rng.permutation(cut(np.lexsort((ties, margin)), budget.k, share))
    members = [kept[context.labels[kept] == c] for c in range(context.num_classes)]
    budgets = even_budgets(np.array([len(m) for m in members]), budget.k, context.rng)
    graphs = nearest([features[m] for m in members], k)
    turns = class_turns(budgets, budget.k, context.rng)
    picks = np.empty(budget.k, dtype=np.int64)
    for c, (own, graph) in enumerate(zip(members, graphs, strict=True)):
        picks[turns == c] = own[greedy(graph, difficulties[own], fading, budgets[c])]
    return picks


def nearest(classes: list[Floats], k: int) -> "list[csr_matrix]":
    """Mutual k-nearest-neighbour graphs with e^{-d} on their edges, d over the median distance of all of them."""
    from scipy.sparse import csr_matrix
    from sklearn.neighbors import NearestNeighbors

    distances, ends = [], []
    for features in classes:
        count = min(k, len(features) - 1)
        if count < 1:
            distances.append(np.zeros((len(features), 0)))
            ends.append(np.zeros((len(features), 0), dtype=np.int64))
            continue
        found = NearestNeighbors(n_neighbors=count).fit(features.astype(np.float64)).kneighbors()
        distances.append(found[0])
        ends.append(found[1])
    every = np.concatenate([d.ravel() for d in distances])
    scale = np.median(every[every > 0]) if (every > 0).any() else 1.0
    graphs = []
    for d, to in zip(distances, ends, strict=True):
        n = len(d)
        edges = csr_matrix((np.exp(-d / scale).ravel(), to.ravel(), np.arange(n + 1) * d.shape[1]), shape=(n, n))
        graphs.append(edges.maximum(edges.T).tocsr())
    return graphs


def greedy(graph: "csr_matrix", difficulties: Floats, gamma: float, k: int) -> Integers:
    """The first k picks of one class."""
    x = difficulties + graph @ difficulties
    discount = graph.data**gamma  # e^{-gamma d} of e^{-d}
    picks = np.empty(k, dtype=np.int64)
    for step in range(k):
        picks[step] = i = np.argmax(x)
        edges = slice(graph.indptr[i], graph.indptr[i + 1])
        x[graph.indices[edges]] -= discount[edges] * x[i]
        x[i] = -np.inf
    return picks
