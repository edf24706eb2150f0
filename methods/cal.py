"""Contrastive active learning (Margatina et al. 2021, arXiv:2109.03764, algorithm 1).

    score(x) = 1/k sum_{n in kNN(x)} KL(p_n || p_x)

samples whose prediction differs from those of their neighbours in feature space; the highest are kept. The divergence
is taken from the neighbour to the sample and not symmetrised. k = 10, the mean and features of unit length, as in the
authors' code; distances are Euclidean.

Left open by the paper: everything about coresets. Its candidates are unlabelled and its neighbours are the labelled
samples; here all are labelled, and the neighbours of a sample are all other training samples, of any class, never
itself. Exact duplicates are neighbours like any other. Features of zero length stay zero. A float32 softmax can be 0:
logarithms are taken of no less than the smallest normal float32, so that a divergence is at most 87 nats.

Cost: all N^2 distances, in blocks; memory linear in N.
"""

import numpy as np

from methods.api import Floats, Integers, Signals
from methods.errors import UsageError
from methods.gradients import finite
from methods.registry import score


@score("cal", needs=("features", "probability"), keep="high", direction="hard", paper="arXiv:2109.03764")
def cal(signals: Signals, rng: np.random.Generator, *, k: int = 10) -> Floats:
    """Largest mean divergence of the k nearest neighbours' predictions from the sample's own."""
    if k < 1:
        raise UsageError(f"cal's 'k' is {k}; ask for at least one neighbour.")
    features, p = finite(signals, "features"), finite(signals, "probability")
    log_p, divergence = log_probability(p), np.zeros(len(p))
    neighbours = nearest_others(features, min(k, len(p) - 1), rng)
    for n in neighbours.T:
        divergence += (p[n] * (log_p[n] - log_p)).sum(axis=1)
    return divergence / max(1, neighbours.shape[1])


def log_probability(p: Floats) -> Floats:
    """Logarithms of probabilities, of no less than the smallest normal float32."""
    return np.log(np.maximum(p, np.finfo(np.float32).tiny))


def nearest_others(features: Floats, k: int, rng: np.random.Generator) -> Integers:
    """The k nearest other samples of each by the angle between features, int64 [N, k]; the generator breaks ties."""
    from sklearn.neighbors import NearestNeighbors
    from sklearn.preprocessing import normalize

    if k == 0:
        return np.empty((len(features), 0), dtype=np.int64)
    shuffle = rng.permutation(len(features))
    index = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(normalize(features[shuffle]))
    found = np.empty((len(features), k), dtype=np.int64)
    found[shuffle] = shuffle[index.kneighbors(return_distance=False)]  # of the indexed samples, each but itself
    return found
