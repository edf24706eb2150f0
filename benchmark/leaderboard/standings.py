"""Who stands where in one regime: estimates over replicates, paired differences and the ranks that a row may have.

Rows are compared by robust accuracy at the primary epsilon, averaged over the suite's fractions replicate by
replicate. A row that lacks one of the cells that the suite declares has estimates for those that it has, but no
average over fractions and no rank; neither has one whose gradients mislead the attacks
(`benchmark.leaderboard.masking`). Estimates are those of estimand A unless they say otherwise: over replicates, on
this test set.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.leaderboard.family import Adjusted, Contest, adjusted, rank_intervals
from benchmark.leaderboard.masking import masked_rows
from benchmark.leaderboard.names import AUTOATTACK, BASELINE, DYNAMIC_BASELINE
from benchmark.leaderboard.outcomes import Setting, frame, settings
from benchmark.records import Record, Results
from benchmark.spec import FULL
from benchmark.stats import MIN_REPLICATES, Estimate, crossed, estimate, paired_difference, replicates_needed

Side = Literal["above", "below", "undecided"]
Floats = NDArray[np.float64]
Key = tuple[str, float]  # of a contest: the regime, and the budget of a dynamic track (0: means over fractions)


@dataclass(frozen=True)
class Standing:
    """One row in one regime. Accuracies are shares in [0, 1]; None where the row lacks cells.

    robust, clean  means over fractions
    gain           robust minus the baseline's, paired by replicate
    rank           the lowest and the highest that the row may have among all ranked rows; None: not ranked, as in a
                   family that compares rows with the baseline alone
    side           there, where that family puts the row beside the baseline; None: it does not ask
    """

    row: str
    robust: Estimate | None
    clean: Estimate | None
    gain: Estimate | None
    rank: tuple[int, int] | None
    side: Side | None = None

    @property
    def may_be_best(self) -> bool:
        """Ranked, and no row is surely better."""
        return self.rank is not None and self.rank[0] == 1


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

    cells       lines of `frame`
    rows        without the full-data row, in the order of the records
    fractions   and `replicates`: what the suite declares, and so what a row must cover
    twins       rows, in groups, whose outcomes are the same on every image of every cell
    alone       dynamic rows whose budget is their own, at no fraction
    results     the outcomes of each row, fraction and replicate
    masked      rows that are not ranked because gradients mislead the attacks, each with the reason
    family      the adjusted comparisons of all regimes
    """

    setting: Setting
    cells: pd.DataFrame
    rows: tuple[str, ...]
    fractions: tuple[float, ...]
    replicates: tuple[int, ...]
    twins: tuple[tuple[str, ...], ...] = ()
    alone: frozenset[str] = frozenset()
    results: Mapping[tuple[str, float, int], Results] = field(default_factory=dict)
    masked: Mapping[str, str] = field(default_factory=dict)
    family: Adjusted[Key] = Adjusted(0, {})  # noqa: RUF009 (frozen)

    def fractions_of(self, row: str) -> tuple[float, ...]:
        """The fractions at which the row has cells: that of the whole pool, where it has no other."""
        return (1.0,) if row == FULL or row in self.alone else self.fractions

    def values(self, metric: str, row: str) -> Floats:
        """The metric of each cell, [fraction, replicate]; NaN where there is none."""
        fractions = self.fractions_of(row)
        found = np.full((len(fractions), len(self.replicates)), np.nan)
        column = self._column(metric)
        if column is not None:
            for place, line in self._lines_by_row.get(row, {}).items():
                found[place] = column[line]
        return found

    def _column(self, metric: str) -> Floats | None:
        if metric not in self._columns and metric in self.cells:
            self._columns[metric] = self.cells[metric].to_numpy(np.float64)
        return self._columns.get(metric)

    @cached_property
    def _columns(self) -> dict[str, Floats]:
        return {}

    @cached_property
    def _lines_by_row(self) -> dict[str, dict[tuple[int, int], int]]:
        """Where the frame holds each cell of a row, by the cell's place in `values`."""
        found: dict[str, dict[tuple[int, int], int]] = {}
        if self.cells.empty:
            return found
        columns = (self.cells[name].tolist() for name in ("row", "fraction", "replicate"))
        for line, (row, fraction, replicate) in enumerate(zip(*columns, strict=True)):
            place = self.fractions_of(row).index(fraction), self.replicates.index(replicate)
            found.setdefault(row, {})[place] = line
        return found

    def at(self, metric: str, row: str, fraction: float) -> Estimate | None:
        """Over the replicates that there are (`n` says how many), or None."""
        found = self.over_replicates(metric, row, fraction)
        found = found[np.isfinite(found)]
        return estimate(found, step=self.finest(metric)) if found.size else None

    def over_replicates(self, metric: str, row: str, fraction: float) -> Floats:
        """The metric in each replicate; NaN where there is none. The full pool has one value whatever the fraction."""
        return self.values(metric, row)[0 if row == FULL else self.fractions_of(row).index(fraction)]

    def summary(self, metric: str, row: str) -> Estimate | None:
        """The mean over fractions; None without every cell."""
        means = self.means(metric, row)
        return None if means is None else estimate(means, step=self.finest(metric, len(self.fractions_of(row))))

    def difference(self, metric: str, first: str, second: str) -> Estimate | None:
        """The mean over fractions of one row minus another's, paired by replicate; None without every cell."""
        a, b = self.means(metric, first), self.means(metric, second)
        step = self.finest(metric, len(self.fractions))
        return None if a is None or b is None else paired_difference(a, b, step=step)

    def difference_at(self, metric: str, first: str, second: str, fraction: float) -> Estimate | None:
        """The same at one fraction, over the replicates that both have; None where there is none."""
        a, b = (self.over_replicates(metric, row, fraction) for row in (first, second))
        both = np.isfinite(a) & np.isfinite(b)
        return paired_difference(a[both], b[both], step=self.finest(metric)) if both.any() else None

    def means(self, metric: str, row: str) -> Floats | None:
        """The mean over fractions in each replicate; None without every cell."""
        values = self.values(metric, row)
        return values.mean(axis=0) if values.size and np.isfinite(values).all() else None

    def finest(self, metric: str, fractions: int = 1) -> float:
        """What one image more or less changes in a mean over so many cells; 0 where it is no share of images.

        Of the worst class, the smallest class decides; of shares among the right images, all that were attacked.
        """
        images = self._images.get(metric.partition("@")[0], 0)
        return 1 / (images * fractions) if images else 0.0

    @cached_property
    def _images(self) -> dict[str, int]:
        """Of how many images each metric is a share."""
        found = list(self.results.values())
        strong = min(self.autoattacked.images, default=0)
        return {
            "robust": self.setting.images,
            "robust_among_right": self.setting.images,
            "clean": min((results.images for results in found), default=0),
            "worst_class": min((count for r in found for count in r.class_counts if count), default=0),
            AUTOATTACK: strong,
            "without_autoattack": strong,
        }

    def verdicts(self, row: str) -> Floats | None:
        """Robust or not at the primary epsilon, mean over fractions: [replicate, image]; None without every cell."""
        found = [self._resisting(row, f) for f in self.fractions_of(row)]
        whole = [bits for bits in found if bits is not None]
        return np.mean(whole, axis=0) if whole and len(whole) == len(found) else None

    def _resisting(self, row: str, fraction: float) -> Floats | None:
        setting, cells = self.setting, [self.results.get((row, fraction, r)) for r in self.replicates]
        if setting.primary is None or None in cells:
            return None
        bits = [cell.robust_bits(setting.primary, setting.attacks, setting.images) for cell in cells if cell]
        return np.asarray(bits, dtype=np.float64)

    def over_images(self, first: str, second: str) -> Estimate | None:
        """Estimand B of a difference in robust accuracy: over replicates and test images; None without every cell."""
        a, b = self.verdicts(first), self.verdicts(second)
        return None if a is None or b is None else crossed(a - b, step=self.finest("robust", len(self.fractions)))

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
        step = self.finest(metric, len(chosen))
        return estimate(values.mean(axis=0), step=step) if np.isfinite(values).all() else None

    @property
    def has_intervals(self) -> bool:
        return len(self.replicates) >= MIN_REPLICATES

    @cached_property
    def reference(self) -> Standing | None:
        """The model trained on the whole pool, which is not ranked; None where the suite has none or it failed."""
        return None if self.summary("robust", FULL) is None else self._standing(FULL, None)

    @cached_property
    def order(self) -> list[Standing]:
        """Ranked rows, the highest mean first; then masked rows; then rows that lack cells, in the records' order."""
        # Rounding lets equal counts tie that were added up in another order.
        means = {row: round(found.mean, 9) for row in self.rows if (found := self.summary("robust", row))}
        complete = sorted(means, key=lambda row: (row in self.masked, -means[row]))
        placed = [row for row in complete if row not in self.masked] if self.has_intervals else []
        ranks, sides = {}, {}
        if not self.beside_baseline:
            ranks = rank_intervals(placed, self.surely_better())
        elif BASELINE in placed:
            sides = {row: self._side(row) for row in placed if row != BASELINE}
        rest = [row for row in self.rows if row not in means]
        return [self._standing(row, ranks.get(row), sides.get(row)) for row in complete + rest]

    @property
    def beside_baseline(self) -> bool:
        """Whether the family compares rows with the baseline alone: then they have sides in place of ranks."""
        return self.family.kind == "baseline"

    def _side(self, row: str) -> Side:
        better = self.surely_better()
        return "above" if (row, BASELINE) in better else "below" if (BASELINE, row) in better else "undecided"

    def surely_better(self, fraction: float = 0) -> frozenset[tuple[str, str]]:
        """(first, second) where the family shows the first to be better: on means, or at a budget (dynamic)."""
        return self.family.better.get((self.setting.regime, fraction), frozenset())

    def more_replicates(self, first: str, second: str) -> int | None:
        """How many more would separate the two in the family, with a power of 80 %; None: more than anyone will run."""
        a, b = self.means("robust", first), self.means("robust", second)
        if a is None or b is None:
            return None
        needed = replicates_needed(
            a, b, confidence=self.family.confidence, step=self.finest("robust", len(self.fractions))
        )
        return None if needed is None else max(1, needed - len(self.replicates))

    def _standing(self, row: str, rank: tuple[int, int] | None, side: Side | None = None) -> Standing:
        return Standing(
            row=row,
            robust=self.summary("robust", row),
            clean=self.summary("clean", row),
            gain=None if row == BASELINE else self.difference("robust", row, BASELINE),
            rank=rank,
            side=side,
        )


def regime_standings(records: Sequence[Record], masked: bool = False) -> list[RegimeStandings]:
    """The standings of each regime, in the order of the records; with `masked`, rows stay ranked that otherwise do not.

    Raises:
        CoresetBenchError: the records do not belong in one table, or cannot be decoded.
    """
    cells = frame(records)
    declared = records[0].factors
    by_regime: dict[str, list[Record]] = {}
    for record in records:
        if not record.factors.null:
            by_regime.setdefault(record.factors.regime, []).append(record)
    rows = tuple(dict.fromkeys(r.factors.row for found in by_regime.values() for r in found if r.factors.row != FULL))
    alone = frozenset(r.factors.row for r in records if r.factors.own_budget)
    regimes = [
        RegimeStandings(
            setting,
            cells[cells["regime"] == regime] if len(cells) else cells,
            rows,
            declared.suite_fractions,
            tuple(range(declared.suite_replicates)),
            _twins(by_regime[regime], setting),
            alone,
            {
                (r.factors.row, r.factors.fraction, r.factors.replicate): r.results
                for r in by_regime[regime]
                if r.results
            },
            {} if masked else masked_rows(by_regime[regime], regime),
        )
        for regime, setting in settings(records).items()
    ]
    dynamic = declared.track == "dynamic"
    contests = dict(_contests(regimes, dynamic))
    family = adjusted(declared.suite_family, contests, DYNAMIC_BASELINE if dynamic else BASELINE)
    return [replace(regime, family=family) for regime in regimes]


def _contests(regimes: Iterable[RegimeStandings], dynamic: bool) -> Iterable[tuple[Key, Contest]]:
    """What the family compares: means over fractions, or where rows re-select, each budget apart."""
    for regime in regimes:
        rows = [row for row in regime.rows if row not in regime.masked and row not in regime.alone]
        if not dynamic:
            means = {row: found for row in rows if (found := regime.means("robust", row)) is not None}
            yield (regime.setting.regime, 0.0), Contest(means, regime.finest("robust", len(regime.fractions)))
        for fraction in regime.fractions if dynamic else ():
            every = {row: regime.over_replicates("robust", row, fraction) for row in rows}
            whole = {row: values for row, values in every.items() if np.isfinite(values).all()}
            yield (regime.setting.regime, fraction), Contest(whole, regime.finest("robust"))


def _twins(records: Sequence[Record], setting: Setting) -> tuple[tuple[str, ...], ...]:
    """Groups of rows whose clean outcomes, radii and common attacks agree image by image in each cell that they ran."""
    outcomes: dict[str, set[tuple[Any, ...]]] = {}
    for record in records:
        factors, results = record.factors, record.results
        if results and factors.row != FULL:
            common = tuple((v.attack, v.epsilon, v.bits) for v in results.attacks if v.attack in setting.attacks)
            seen = (factors.fraction, factors.replicate, results.clean, results.radii.codes, common)
            outcomes.setdefault(factors.row, set()).add(seen)
    groups: dict[frozenset[tuple[Any, ...]], list[str]] = {}
    for row, found in outcomes.items():
        groups.setdefault(frozenset(found), []).append(row)
    return tuple(tuple(rows) for rows in groups.values() if len(rows) > 1)
