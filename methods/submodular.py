"""Three submodular functions, maximised greedily within each class (Iyer et al. 2021, arXiv:2006.15412).

    facility location   f(A) = sum_{i in V} max_{j in A} s_ij
    graph cut           f(A) = sum_{i in V} sum_{j in A} s_ij - lam sum_{i,j in A} s_ij
    log-determinant     f(A) = log det(S_A + ridge I)

The similarity is s_ij = (1 + cos(v_i, v_j)) / 2: in [0, 1] and positive semi-definite, so that the first is monotone,
the second for lam <= 1/2, and log det(I + S_A / ridge), which has the third's greedy picks, for every ridge. Of each
such function the greedy set has at least 1 - 1/e of the largest value (Nemhauser et al. 1978).

`similarity="features"` takes for v the penultimate features after the last epoch, `"gradients"` those of the last
layer, e (x) [h, 1] with e = p - onehot(y), whose cosine is cos(e_i, e_j) cos([h_i, 1], [h_j, 1]).

Left open by the paper: which similarity and of what. The shifted cosine is that of circulating code (DeepCore, on
gradients). A vector of zero norm is at right angles to all, itself too: s = 1/2. V is one class, so that no more than
the pairs within a class are compared, and classes get picks in proportion to their sizes.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from methods.api import Budget, Context, Floats, Integers
from methods.errors import UsageError, unknown
from methods.gradients import errors, finite
from methods.greedy import WHOLE, Ahead, all_pairs, blocks, facility_location_order, within_classes
from methods.registry import subset

NEEDS = ("features", "probability")
PAPER = "arXiv:2006.15412"


class Similarity:
    """s_ij = (1 + cos(v_i, v_j)) / 2 of n vectors, each the outer product of one row of every factor, [n, *]."""

    def __init__(self, *factors: Floats) -> None:
        self.units = [unit(factor) for factor in factors]
        nonzero = np.logical_and.reduce([unit.any(axis=1) for unit in self.units])
        self.diagonal = (1 + nonzero) / 2  # exactly 1, or 1/2

    def __len__(self) -> int:
        return len(self.diagonal)

    def __getitem__(self, rows: Any) -> Floats:
        """s_ij of some i with every j, of the precision of the factors."""
        return self.part(rows, slice(None))

    def part(self, rows: Any, columns: slice) -> Floats:
        """s_ij of some i with some j. The cosine of outer products is the product of their factors'.

        What is equal but for rounding in float32, as are those of a sample and of its copy, is made so nearly always:
        2^-20 is as fine as a cosine gets there when 8 is added to it and taken away, 2^-21 where it is below 0.
        """
        cosines: Floats = reduce(np.multiply, (unit[rows] @ unit[columns].T for unit in self.units))
        if cosines.dtype == np.float32:
            cosines += 8
            cosines -= 8
        cosines += 1
        cosines *= 0.5
        return cosines

    def sums(self) -> Floats:
        """sum_j s_ij of each i in float64: the cosines add up to that with the sum of all vectors, [n]."""
        n = len(self)
        left, right = (np.ones((n, 1)), *self.units)[-2:]
        total, sums = np.zeros((left.shape[1], right.shape[1])), np.empty(n)
        for part in blocks(n, right.shape[1]):
            total += left[part].T @ right[part].astype(np.float64)
        for part in blocks(n, right.shape[1]):
            sums[part] = np.einsum("na,na->n", right[part].astype(np.float64) @ total.T, left[part])
        return (n + sums) / 2


def unit(vectors: Floats) -> Floats:
    """The rows at length 1; zeros stay zeros."""
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))[:, None]
    return np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0, casting="same_kind")


def similarities(context: Context, kind: str, dtype: DTypeLike = np.float64) -> Callable[[Integers], Similarity]:
    """The similarity of the samples that it is called with.

    Raises:
        CoresetBenchError: an unknown kind, or a signal that is not finite.
    """
    if kind not in ("features", "gradients"):
        raise unknown("similarity", kind, ("features", "gradients"))
    features = finite(context.signals, "features", dtype)
    if kind == "features":
        return lambda members: Similarity(features[members])
    e = errors(context.signals, context.labels).astype(dtype, copy=False)

    def of(members: Integers) -> Similarity:
        return Similarity(e[members], np.pad(features[members], ((0, 0), (0, 1)), constant_values=1))

    return of


@subset("facility-location", needs=NEEDS, direction="cover", nested=True, per_class=True, paper=PAPER)
def facility_location(context: Context, budget: Budget, *, similarity: str = "features") -> Integers:
    """Greedy: the sample that most raises every class member's similarity to its most similar pick.

    All gains are exact after each pick, at the cost of the members that it covers better than those before it. Cosines
    in float32. Memory for the pairs of one class in float32, 100 MB for 5,000. Those of a class of more than 20,000 are
    computed anew whenever they are read, which is some ten times slower and holds next to nothing.
    """
    of = similarities(context, similarity, np.float32)

    def order(members: Integers, k: int) -> Integers:
        alike = of(members)

        def whole(rows: Integers, columns: slice) -> Floats:
            """In units of 2^-21: every similarity is a whole number of them, or a half where the cosine is below 0."""
            return alike.part(rows, columns) * np.float32(WHOLE)

        return facility_location_order(all_pairs(whole, len(alike), np.int32), k)

    return within_classes(context, budget, order)


@subset("graph-cut", needs=NEEDS, direction="easy", nested=True, per_class=True, paper=PAPER)
def graph_cut(context: Context, budget: Budget, *, similarity: str = "features", lam: float = 0.5) -> Integers:
    """Greedy: the sample most similar to its whole class, less twice `lam` times its similarity to the picks.

    The default, lam = 1/2, is the largest for which the function is monotone; a larger one spreads the picks more.
    Circulating code weights the first sum instead, by 1 / lam, and takes lam = 1 (DeepCore, apricot). All gains are
    exact after each pick, at the cost of one row of similarities in float32; no matrix over all pairs is held.
    """
    if not 0 <= lam < np.inf:
        raise UsageError(f"The parameter 'lam' of 'graph-cut' is {lam}; it must be finite and not negative.")
    of = similarities(context, similarity, np.float32)
    return within_classes(context, budget, lambda members, k: graph_cut_order(of(members), lam, k))


def graph_cut_order(alike: Similarity, lam: float, k: int) -> Integers:
    """The first k greedy picks; one row of similarities a pick."""
    gains, ahead = alike.sums() - lam * alike.diagonal, Ahead(alike)
    picks = np.empty(k, dtype=np.int64)
    for step in range(k):
        best = picks[step] = np.argmax(gains)
        gains -= 2 * lam * ahead.row(int(best), gains).astype(np.float64)
        gains[best] = -np.inf
    return picks


@subset("log-det", needs=NEEDS, direction="hard", nested=True, per_class=True, paper=PAPER)
def log_det(context: Context, budget: Budget, *, similarity: str = "features", ridge: float = 0.1) -> Integers:
    """Greedy: the sample least explained by the picks before it, as in a determinantal point process.

    The gain is the log of a conditional variance, s_jj + ridge - s_jA (S_A + ridge I)^-1 s_Aj: what the picks leave
    unexplained of the sample. Circulating code drops the diagonal term and the minus sign, and so rewards redundancy.
    The first pick is drawn by the generator, as all samples alone have the same variance. An incremental Cholesky
    factor holds k_c x N_c numbers for k_c picks of a class of N_c samples; a pick takes at most as many products.

    Left open by the paper: the ridge, which keeps copies of a sample from a determinant of 0.
    """
    if not 0 < ridge < np.inf:
        raise UsageError(f"The parameter 'ridge' of 'log-det' is {ridge}; it must be finite and above 0.")
    of = similarities(context, similarity)
    return within_classes(context, budget, lambda members, k: log_det_order(of(members), ridge, k))


def log_det_order(alike: Similarity, ridge: float, k: int) -> Integers:
    """The first k greedy picks. Row t of `factor` is column t of the Cholesky factor, for picks and candidates."""
    variance, ahead = alike.diagonal + ridge, Ahead(alike)
    factor = np.empty((k, len(alike)))
    picks = np.empty(k, dtype=np.int64)
    for step in range(k):
        best = picks[step] = np.argmax(variance)
        factor[step] = ahead.row(int(best), variance) - factor[:step, best] @ factor[:step]
        factor[step] /= np.sqrt(variance[best])
        variance -= factor[step] ** 2
        variance[best] = -np.inf
    return picks
