"""Comparisons between rows, adjusted for their number: one family over all regimes of a suite.

The family is declared by the suite: "pairs", every pair of rows, or "baseline", every row with the baseline. Each
comparison is a paired t test over replicates, and Holm adjusts all of them together, so that with probability 95 % no
row of the whole leaderboard is wrongly called better. What follows from the tests that reject counts as shown too: a
row above another that is above a third is above the third.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from benchmark.spec import Family
from benchmark.stats import CONFIDENCE, MIN_REPLICATES, holm, paired_p

Key = TypeVar("Key", bound=Hashable)
Floats = NDArray[np.float64]
Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True, eq=False)
class Contest:
    """Rows that may be compared: one value for each replicate, the same replicates in all; `step` as in `stats`."""

    values: Mapping[str, Floats]
    step: float = 0.0


@dataclass(frozen=True)
class Adjusted(Generic[Key]):
    """What a family of so many comparisons shows. `better`: (first, second) where the first row is surely better."""

    comparisons: int
    better: Mapping[Key, Pairs]
    kind: Family = "pairs"

    @property
    def confidence(self) -> float:
        """That of the strictest test in the family, which any comparison passes if it passes this."""
        return 1 - (1 - CONFIDENCE) / max(1, self.comparisons)


def adjusted(kind: Family, contests: Mapping[Key, Contest], baseline: str) -> Adjusted[Key]:
    """The family over all contests. Contests of fewer than three replicates show nothing, and count for nothing."""
    tests = [
        (key, first, second, paired_p(contest.values[first], contest.values[second], step=contest.step))
        for key, contest in contests.items()
        for first, second in combinations(contest.values, 2)
        if contest.values[first].size >= MIN_REPLICATES and (kind == "pairs" or baseline in (first, second))
    ]
    found: dict[Key, set[tuple[str, str]]] = {key: set() for key in contests}
    for (key, first, second, _), p in zip(tests, holm([p for *_, p in tests]), strict=True):
        if p < 1 - CONFIDENCE:
            values = contests[key].values
            ahead = values[first].mean() > values[second].mean()
            found[key].add((first, second) if ahead else (second, first))
    return Adjusted(len(tests), {key: _closed(pairs) for key, pairs in found.items()}, kind)


def _closed(pairs: set[tuple[str, str]]) -> Pairs:
    """With all that follows by one row being above another that is above a third."""
    closed = set(pairs)
    while more := {(a, d) for a, b in closed for c, d in pairs if b == c} - closed:
        closed |= more
    return frozenset(closed)


def rank_intervals(rows: list[str], better: Pairs) -> dict[str, tuple[int, int]]:
    """The ranks that each row may have: after all that are surely better, before all that are surely worse."""
    above = {row: sum((other, row) in better for other in rows) for row in rows}
    below = {row: sum((row, other) in better for other in rows) for row in rows}
    return {row: (1 + above[row], len(rows) - below[row]) for row in rows}
