"""Greedy choice within classes, and lazy greedy facility location: what the set methods share."""

from collections.abc import Callable, Iterator

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.policies import class_turns

BLOCK = 2**22  # numbers of a large matrix that are computed at a time: 32 MB in float64


def within_classes(context: Context, budget: Budget, order: Callable[[Integers, int], Integers]) -> Integers:
    """The greedy picks of each class, interleaved in proportion to class sizes, int64 [k].

    `order(members, k)` gives the first k picks as positions in `members`, the samples of one class. These come in
    an order drawn by the generator, so that whoever takes the first of equal ones leaves ties to it.
    """
    turns = class_turns(np.bincount(context.labels, minlength=context.num_classes), budget.k, context.rng)
    shuffle = context.rng.permutation(context.n)
    labels, picks = context.labels[shuffle], np.empty(budget.k, dtype=np.int64)
    for c in np.unique(turns):
        members = shuffle[labels == c]
        mine = np.flatnonzero(turns == c)
        picks[mine] = members[order(members, len(mine))]
    return picks


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """The rows of a matrix in slices of at most `BLOCK` numbers."""
    step = max(1, BLOCK // max(columns, 1))
    return (slice(start, start + step) for start in range(0, rows, step))


def all_pairs(rows: Callable[[slice], Floats], n: int) -> Floats:
    """The matrix [n, n] in float32 whose rows `rows(block)` gives in float64, a block at a time."""
    matrix = np.empty((n, n), dtype=np.float32)
    for block in blocks(n, n):
        matrix[block] = rows(block)
    return matrix


def lazy_facility_location(similarity: Floats, k: int) -> Integers:
    """The k greedy picks for f(A) = sum_i max_{j in A} s_ij, s symmetric and not negative, float32 [n, n].

    Lazy (Minoux 1978): a gain only falls as A grows, so that the gain computed last for a sample bounds its present
    one. The sample of the largest bound has its gain computed anew, until it stays the largest: the same picks as
    by computing every gain. The first of equal ones is taken: float64 sums of float32 are exact enough for gains that
    are equal to be found equal, as they are for two samples left that are nearest to each other.
    """
    covered, value = np.zeros(len(similarity), dtype=np.float32), 0.0
    bounds = similarity.sum(axis=1, dtype=np.float64)
    picks = np.empty(k, dtype=np.int64)
    for step in range(k):
        fresh = -1
        while (best := int(np.argmax(bounds))) != fresh:
            bounds[best] = np.maximum(similarity[best], covered).sum(dtype=np.float64) - value
            fresh = best
        picks[step] = best
        bounds[best] = -np.inf
        np.maximum(similarity[best], covered, out=covered)
        value = covered.sum(dtype=np.float64)
    return picks
