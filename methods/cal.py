"""Contrastive active learning (Margatina et al. 2021, arXiv:2109.03764, algorithm 1).

    score(x) = 1/k sum_{n in kNN(x)} KL(p_n || p_x)

samples whose prediction differs from those of their neighbours in feature space; the highest are kept. The divergence
is taken from the neighbour to the sample and not symmetrised. k = 10, the mean and features of unit length, as in the
authors' code; distances are Euclidean.

Left open by the paper: everything about coresets. Its candidates are unlabelled and its neighbours are the labelled
samples; here all are labelled, and the neighbours of a sample are all other training samples, of any class, never
itself. Exact duplicates are neighbours like any other. Features of zero length stay zero. A float32 softmax can be 0:
logarithms are taken of no less than the smallest normal float32, so that a divergence is at most 87 nats.

Cost: all N^2 / 2 distances, in blocks of float32; float64 decides where float32 could not tell. Memory linear in N.
"""

import numpy as np

from methods.api import Floats, Integers, Signals
from methods.errors import UsageError
from methods.gradients import finite
from methods.registry import score

BLOCK = 2048  # samples whose similarities with as many others are held at once


@score("cal", needs=("features", "probability"), keep="high", direction="hard", paper="arXiv:2109.03764")
def cal(signals: Signals, rng: np.random.Generator, *, k: int = 10) -> Floats:
    """Largest mean divergence of the k nearest neighbours' predictions from the sample's own."""
    if k < 1:
        raise UsageError(f"cal's 'k' is {k}; ask for at least one neighbour.")
    features, p = finite(signals, "features", signals.features.dtype), finite(signals, "probability")
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
    from sklearn.preprocessing import normalize

    n, d = features.shape
    if k == 0:
        return np.empty((n, 0), dtype=np.int64)
    shuffle = rng.permutation(n)
    unit = normalize(features[shuffle].astype(np.float64), copy=False)
    closeness, nearest = nearest_in_float32(unit.astype(np.float32), k + 1)
    # Rounding errors of d products add up like a random walk; eight times its length, for each of two inner products
    unclear = np.flatnonzero(closeness[:, k - 1] - closeness[:, k] < 8 * np.sqrt(d) * np.finfo(np.float32).eps)
    nearest = nearest[:, :k]
    if len(unclear):
        nearest[unclear] = nearest_in_float64(unit, unclear, k)
    found = np.empty((n, k), dtype=np.int64)
    found[shuffle] = shuffle[nearest]
    return found


def nearest_in_float64(unit: Floats, some: Integers, k: int) -> Integers:
    """The k nearest others of some of n vectors, [some, k]."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(unit)
    found = index.kneighbors(unit[some], return_distance=False)
    drop = found == some[:, None]
    drop[~drop.any(axis=1), -1] = True  # among many duplicates a sample may not find itself
    return found[~drop].reshape(-1, k)


def nearest_in_float32(unit: Floats, m: int) -> tuple[Floats, Integers]:
    """The m nearest others of each of n vectors of length 1 or 0: 1 - ||a - b||^2 / 2, descending, and whose, [n, m].

    Each pair of blocks is multiplied once and read from both sides: what is nearer to a sample than the m-th of its
    list so far joins the list. Where others cannot fill it, it ends in -inf.
    """
    n = len(unit)
    closeness, whose = np.full((n, m), -np.inf, dtype=np.float32), np.zeros((n, m), dtype=np.int64)
    half: Floats = np.where(unit.any(axis=1), np.float32(0), np.float32(0.5))  # what the cosine lacks beside a 0

    def join(rows: slice, columns: slice, block: Floats, axis: int) -> None:
        """The rows, which lie along that axis of the block, meet the columns."""
        hits = np.flatnonzero(block > np.expand_dims(closeness[rows, -1], 1 - axis))
        place = np.divmod(hits, block.shape[1])
        size = rows.stop - rows.start
        near = np.concatenate([closeness[rows].ravel(), block.ravel()[hits]])
        other = np.concatenate([whose[rows].ravel(), columns.start + place[1 - axis]])
        own = np.concatenate([np.repeat(np.arange(size, dtype=np.int16), m), place[axis].astype(np.int16)])
        order = np.argsort(-near)
        order = order[np.argsort(own[order], kind="stable")]  # a radix sort, for integers so short
        listed = order[np.searchsorted(own[order], np.arange(size))[:, None] + np.arange(m)]
        closeness[rows], whose[rows] = near[listed], other[listed]

    blocks = [slice(start, min(start + BLOCK, n)) for start in range(0, n, BLOCK)]
    for i, rows in enumerate(blocks):
        for columns in blocks[i::-1]:
            block = unit[rows] @ unit[columns].T
            if half.any():
                block += half[rows, None] + half[columns]
            if columns == rows:
                np.fill_diagonal(block, -np.inf)
                few = block[:, : 32 * m]
                first = np.argsort(-few, axis=1)[:, :m]
                closeness[rows, : first.shape[1]] = np.take_along_axis(few, first, axis=1)
                whose[rows, : first.shape[1]] = columns.start + first
                few[:] = -np.inf
            else:
                join(columns, rows, block, axis=1)
            join(rows, columns, block, axis=0)
    return closeness, whose
