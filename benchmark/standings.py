"""Who stands where in one regime: estimates over replicates, paired differences and ranks.

Rows are compared by robust accuracy at the primary epsilon, averaged over the suite's fractions replicate by
replicate. A row that lacks one of the cells that the suite declares has estimates for those that it has, but no
average over fractions and no rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.outcomes import AUTOATTACK, Setting, frame, settings
from benchmark.records import Record
from benchmark.spec import FULL
from benchmark.stats import MIN_REPLICATES, Estimate, estimate, paired_difference

BASELINE = "random"  # the row against which gains are measured


@dataclass(frozen=True)
class Standing:
    """One row in one regime. Accuracies are shares in [0, 1]; None where the row lacks cells."""

    row: str
    robust: Estimate | None  # mean over fractions
    clean: Estimate | None
    gain: Estimate | None  # robust minus the baseline's, paired by replicate
    behind: Estimate | None  # the best row's minus this one's, paired by replicate
    rank: int | None  # ties share; None also where there are too few replicates

    @property
    def may_be_best(self) -> bool:
        """Ranked, and its paired interval to the row of the highest mean holds 0."""
        return self.rank is not None and self.behind is not None and self.behind.may_be(0.0)


@dataclass(frozen=True)
class Scope:
    """The cells and the images of an attack that only some met, and what it left out there."""

    fractions: tuple[float, ...]
    replicates: tuple[int, ...]
    images: tuple[int, ...]  # the first so many test images; one number, unless cells differ
    omitted: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class RegimeStandings:
    """The cells of one regime and the order that they give.

    `fractions`, `replicates`: what the suite declares, and so what a row must cover. `twins`: rows, in groups, whose
    outcomes are the same on every image of every cell. `alone`: dynamic rows whose budget is their own, at no fraction.
    """

    setting: Setting
    cells: pd.DataFrame  # lines of `frame`
    rows: tuple[str, ...]  # without the full-data row, in the order of the records
    fractions: tuple[float, ...]
    replicates: tuple[int, ...]
    twins: tuple[tuple[str, ...], ...] = ()
    alone: frozenset[str] = frozenset()

    def fractions_of(self, row: str) -> tuple[float, ...]:
        """The fractions at which the row has cells: that of the whole pool, where it has no other."""
        return (1.0,) if row == FULL or row in self.alone else self.fractions

    def values(self, metric: str, row: str) -> NDArray[np.float64]:
        """The metric of each cell, [fraction, replicate]; NaN where there is none."""
        fractions = self.fractions_of(row)
        cells = self._cells_by_row.get(row)
        if cells is None or metric not in cells:
            return np.full((len(fractions), len(self.replicates)), np.nan)
        wanted = pd.MultiIndex.from_product([fractions, self.replicates])
        return cells[metric].reindex(wanted).to_numpy(np.float64).reshape(len(fractions), -1)

    @cached_property
    def _cells_by_row(self) -> dict[str, pd.DataFrame]:
        if self.cells.empty:
            return {}
        return {str(row): cells.set_index(["fraction", "replicate"]) for row, cells in self.cells.groupby("row")}

    def at(self, metric: str, row: str, fraction: float) -> Estimate | None:
        """Over the replicates that there are (`n` says how many), or None."""
        found = self.over_replicates(metric, row, fraction)
        found = found[np.isfinite(found)]
        return estimate(found) if found.size else None

    def over_replicates(self, metric: str, row: str, fraction: float) -> NDArray[np.float64]:
        """The metric in each replicate; NaN where there is none. The full pool has one value whatever the fraction."""
        return self.values(metric, row)[0 if row == FULL else self.fractions_of(row).index(fraction)]

    def summary(self, metric: str, row: str) -> Estimate | None:
        """The mean over fractions; None without every cell."""
        means = self._summaries(metric, row)
        return None if means is None else estimate(means)

    def difference(self, metric: str, first: str, second: str) -> Estimate | None:
        """The mean over fractions of one row minus another's, paired by replicate; None without every cell."""
        a, b = self._summaries(metric, first), self._summaries(metric, second)
        return None if a is None or b is None else paired_difference(a, b)

    def _summaries(self, metric: str, row: str) -> NDArray[np.float64] | None:
        values = self.values(metric, row)
        return values.mean(axis=0) if values.size and np.isfinite(values).all() else None

    @cached_property
    def autoattacked(self) -> Scope:
        """Where rows met AutoAttack; empty where none did."""
        if AUTOATTACK not in self.cells:
            return Scope((), (), (), ())
        met = self.cells[self.cells[AUTOATTACK].notna() & (self.cells["row"] != FULL)]
        found = (
            sorted(set(met[name])) for name in ("fraction", "replicate", "autoattack_images", "autoattack_omitted")
        )
        fractions, replicates, images, omitted = found
        return Scope(tuple(fractions), tuple(replicates), tuple(map(int, images)), tuple(filter(None, omitted)))

    def under_autoattack(self, metric: str, row: str) -> Estimate | None:
        """The mean over the fractions in which AutoAttack was met; None where this row lacks a cell of them."""
        scope = self.autoattacked
        if not scope.fractions:
            return None
        chosen = [0] if row == FULL else [self.fractions.index(fraction) for fraction in scope.fractions]
        values = self.values(metric, row)[np.ix_(chosen, [self.replicates.index(r) for r in scope.replicates])]
        return estimate(values.mean(axis=0)) if np.isfinite(values).all() else None

    @property
    def has_intervals(self) -> bool:
        return len(self.replicates) >= MIN_REPLICATES

    @cached_property
    def reference(self) -> Standing | None:
        """The model trained on the whole pool, which is not ranked; None where the suite has none or it failed."""
        return None if self.summary("robust", FULL) is None else self._standing(FULL, None, None)

    @cached_property
    def order(self) -> list[Standing]:
        """Rows with every cell, best first; then the others, in the order of the records."""
        # Rounding lets equal counts tie that were added up in another order.
        means = {row: round(found.mean, 9) for row in self.rows if (found := self.summary("robust", row))}
        complete = sorted(means, key=lambda row: -means[row])
        ranks = {row: 1 + sum(mean > means[row] for mean in means.values()) for row in complete}
        best = complete[0] if complete else None
        rest = [row for row in self.rows if row not in means]
        return [self._standing(row, best, ranks.get(row)) for row in complete + rest]

    def _standing(self, row: str, best: str | None, rank: int | None) -> Standing:
        return Standing(
            row=row,
            robust=self.summary("robust", row),
            clean=self.summary("clean", row),
            gain=None if row == BASELINE else self.difference("robust", row, BASELINE),
            behind=None if best is None else self.difference("robust", best, row),
            rank=rank if self.has_intervals else None,
        )


def regime_standings(records: Sequence[Record]) -> list[RegimeStandings]:
    """The standings of each regime, in the order of the records.

    Raises:
        CoresetBenchError: the records do not belong in one table, or cannot be decoded.
    """
    cells = frame(records)
    declared = records[0].factors
    rows = tuple(dict.fromkeys(r.factors.row for r in records if r.factors.row != FULL))
    alone = frozenset(r.factors.row for r in records if r.factors.own_budget)
    return [
        RegimeStandings(
            setting,
            cells[cells["regime"] == regime] if len(cells) else cells,
            rows,
            declared.suite_fractions,
            tuple(range(declared.suite_replicates)),
            _twins(records, setting),
            alone,
        )
        for regime, setting in settings(records).items()
    ]


def _twins(records: Sequence[Record], setting: Setting) -> tuple[tuple[str, ...], ...]:
    """Groups of rows whose clean outcomes, radii and common attacks agree image by image in each cell that they ran."""
    outcomes: dict[str, set[tuple[Any, ...]]] = {}
    for record in records:
        factors, results = record.factors, record.results
        if results and factors.regime == setting.regime and factors.row != FULL:
            common = tuple((v.attack, v.epsilon, v.bits) for v in results.attacks if v.attack in setting.attacks)
            seen = (factors.fraction, factors.replicate, results.clean, results.radii.codes, common)
            outcomes.setdefault(factors.row, set()).add(seen)
    groups: dict[frozenset[tuple[Any, ...]], list[str]] = {}
    for row, found in outcomes.items():
        groups.setdefault(frozenset(found), []).append(row)
    return tuple(tuple(rows) for rows in groups.values() if len(rows) > 1)
