"""CRAIG: a weighted coreset whose gradients stand in for all (Mirzasoleiman et al. 2020, arXiv:1906.01827).

    maximise F(S) = sum_{i in V} max_{j in S} (d_max - d_ij),  d_ij = ||g_i - g_j||

greedily within each class V (eq. 8 and 11). Each sample is then represented by its nearest pick, and a pick's weight
is the number of samples that it represents (algorithm 1, line 9). The weighted sum of the picks' gradients differs
from the sum of all by no more than sum_i min_j d_ij (eq. 6), which is what F keeps small.
"""

import numpy as np

from methods.api import Budget, Context, Coreset, Floats, Integers
from methods.errors import unknown
from methods.gradients import NEEDS, LastLayer
from methods.greedy import Rows, all_pairs, blocks, facility_location_order, within_classes
from methods.registry import subset


@subset(
    "craig",
    needs=NEEDS,
    direction="cover",
    nested=True,
    per_class=True,
    weighted=True,
    paper="arXiv:1906.01827",
)
def craig(context: Context, budget: Budget, *, gradient: str = "weights") -> Coreset:
    """Greedy: the samples nearest in gradient to all of their class, each weighted by how many it stands for.

    Euclidean distances, not squared, between gradients of each sample's own loss in the last layer, weight and bias,
    after the proxy's last epoch. The paper asks for the gradient of the last layer (section 3.4) and takes that of its
    outputs, p - onehot(y): `gradient="logits"`. Greedy, exact. Memory for the pairs of one class in float32:
    100 MB for 5,000 samples; those of a class of more than 20,000 are computed anew whenever they are read.

    Left open by the paper: a pick counts for itself also where its equal was picked before it, so that no weight is
    below 1; a class without a pick (k < C) counts for the nearest picks of the others. Either way weights sum to N.
    They belong to one budget: the picks nest, the weights do not.
    """
    if gradient not in ("weights", "logits"):
        raise unknown("value of craig's 'gradient'", gradient, ("weights", "logits"))
    gradients = LastLayer.of(context.signals, context.labels)
    if gradient == "logits":
        gradients = LastLayer(gradients.errors, gradients.features[:, :0])  # the bias's gradient is e itself
    picks = within_classes(
        context, budget, lambda members, k: facility_location_order(closeness(gradients[members]), k)
    )
    return Coreset(picks, cluster_sizes(gradients, context.labels, picks))


def closeness(gradients: LastLayer) -> Rows:
    """D - d_ij of all pairs. D is the bound 2 max_i ||g_i - mean|| of d_max, in whose place it changes no pick."""
    n = len(gradients)
    mean = gradients.total(np.full(n, 1 / n))
    bound = 2 * np.sqrt(np.max(gradients.squares() - 2 * gradients.along(mean) + (mean**2).sum()).clip(min=0))

    def part(rows: Integers, columns: slice) -> Floats:
        distances = np.sqrt(gradients[rows].squared_distances(gradients[columns]))
        distances[rows[:, None] == np.arange(n)[columns]] = 0
        return np.maximum(bound - distances, 0, out=distances)

    return all_pairs(part, n)


def cluster_sizes(gradients: LastLayer, labels: Integers, picks: Integers) -> Floats:
    """How many samples each pick stands for: itself, and those of its class whose nearest pick it is, [k]."""
    sizes = np.ones(len(picks))
    rest = np.setdiff1d(np.arange(len(labels)), picks)
    for c in np.unique(labels[rest]):
        members, candidates = rest[labels[rest] == c], np.flatnonzero(labels[picks] == c)
        if not len(candidates):
            candidates = np.arange(len(picks))
        for block in blocks(len(members), len(candidates)):
            distances = gradients[members[block]].squared_distances(gradients[picks[candidates]])
            sizes += np.bincount(candidates[distances.argmin(axis=1)], minlength=len(picks))
    return sizes
