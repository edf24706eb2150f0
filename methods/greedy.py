"""Greedy choice within classes, matrices over all pairs, and facility location: what the set methods share."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike

from methods.api import Budget, Context, Floats, Integers
from methods.policies import class_turns

BLOCK = 2**22  # numbers of a large matrix that are worked on at a time: 16 MB in float32
HELD = 20_000  # the side of the largest matrix over all pairs that is held: 1.6 GB in float32
TILE = 256  # the side of a part of such a matrix that stays in the cache until its mirror image is written
WHOLE = 2**21  # the largest of whole numbers of which `TERMS` add up within 32 bits
TERMS = 1000
AHEAD = 64  # rows that are computed at a time where one is asked for


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


def blocks(rows: int, columns: int, most: int = BLOCK) -> Iterator[slice]:
    """The rows of a matrix in slices of at most `BLOCK` numbers, and of at most so many rows."""
    step = min(most, max(1, BLOCK // max(columns, 1)))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))


class Rows(Protocol):
    """A matrix [n, n] of which some rows are asked for at a time, by a slice or an array of their numbers."""

    def __len__(self) -> int: ...

    def __getitem__(self, which: Any, /) -> Floats: ...


@dataclass
class Computed:
    """A matrix [n, n] of which nothing is held: `part(rows, columns)` computes some rows of some columns."""

    part: Callable[[Integers, slice], Floats]
    n: int
    dtype: DTypeLike = np.float32

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, which: Any) -> Floats:
        return self.part(np.arange(self.n)[which], slice(None)).astype(self.dtype, copy=False)


def all_pairs(part: Callable[[Integers, slice], Floats], n: int, dtype: DTypeLike = np.float32) -> Rows:
    """A symmetric matrix [n, n] of 4-byte numbers, computed whenever it is read if it is too large to be held.

    `part(rows, columns)` computes some rows of some columns; what is left of the diagonal is copied, tile by tile.
    """
    if n > HELD:
        return Computed(part, n, dtype)
    matrix = np.empty((n, n), dtype)
    tiles = [slice(start, min(start + TILE, n)) for start in range(0, n, TILE)]
    for i, rows in enumerate(tiles):
        for columns in tiles[i:]:
            tile = part(np.arange(rows.start, rows.stop), columns)
            if columns is rows:
                tile = np.triu(tile) + np.triu(tile, 1).T
            matrix[rows, columns], matrix[columns, rows] = tile, tile.T
    return matrix


class Ahead:
    """Rows of a matrix that are asked for one by one and computed many at a time.

    With a row come those of the samples that are likeliest to be next: a product of matrices takes a twentieth of the
    time a row that one with a vector takes, as it reads the features once for all of them.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._known: dict[int, Floats] = {}

    def row(self, sample: int, likely: Floats) -> Floats:
        """The row of a sample that is the most likely one, or one of them, [n]."""
        if sample not in self._known:
            count = min(AHEAD, len(likely))
            most = np.union1d(sample, np.argpartition(-likely, count - 1)[:count])
            self._known = dict(zip(most.tolist(), self._rows[most], strict=True))
        return self._known[sample]


def facility_location_order(similarity: Rows, k: int) -> Integers:
    """The first k greedy picks for f(A) = sum_i max_{j in A} s_ij, s symmetric and not negative.

    A pick changes the gains by what it covers better: raising row i from c to c' takes sum over clip(s_ij, c, c') - c
    from that of j. The t-th pick raises about one row in t, so that n log k rows are read in all, and all gains are
    exact after each pick. The first of equal ones is taken: sums of whole numbers are exact, and so are float64 sums of
    float32 numbers that lie within a few powers of two, so that gains that are equal are found equal, in whatever order
    they were summed. Whole numbers are int32 of at most `WHOLE`, which takes half the time.
    """
    n, dtype = len(similarity), similarity[:0].dtype
    wide, summed, most = (np.int64, np.int32, TERMS) if dtype == np.int32 else (np.float64, np.float64, n)
    covered, taken = np.zeros(n, dtype), np.zeros(n, dtype=bool)
    gains = np.zeros(n, wide)
    for block in blocks(n, n):
        gains += similarity[block].sum(axis=0, dtype=wide)
    picks = np.empty(k, dtype=np.int64)
    for step in range(k):
        best = picks[step] = np.argmax(np.where(taken, -1, gains))
        taken[best] = True
        reached = similarity[best : best + 1][0]
        better = np.flatnonzero(reached > covered)
        for block in blocks(len(better), n, most):
            rows, before, after = similarity[better[block]], covered[better[block], None], reached[better[block], None]
            np.clip(rows, before, after, out=rows)  # indexed by an array, they are a copy
            gains -= rows.sum(axis=0, dtype=summed)
            gains += before.sum(dtype=wide)
        covered[better] = reached[better]
    return picks
