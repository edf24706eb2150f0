"""Where rows stand among random coresets: percentile and z of a row's mean against means of as many random draws.

Two nulls. *Uniform*: picks from the whole pool. *Matched*: picks from each class, as many as the row itself has of it,
so that what is left of a difference is the choice within classes. Each draw was trained once, with seeds of its own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmark import wording
from benchmark.leaderboard.outcomes import Setting
from benchmark.leaderboard.standings import Floats, RegimeStandings
from benchmark.leaderboard.tables import Column, Grid, Labels, grid
from benchmark.records import Record, Results
from benchmark.spec import UNIFORM
from benchmark.stats import NullPosition, null_position


@dataclass(frozen=True, eq=False)
class Nulls:
    """The random draws of one regime, `draws[null][fraction, draw]`, beside the standings of its rows."""

    regime: RegimeStandings
    draws: Mapping[str, Mapping[tuple[float, int], Results]]

    @cached_property
    def attacks(self) -> tuple[str, ...]:
        """Those of the rows' robust accuracy that every draw met on as many images: both sides face these alone."""
        setting, every = self.regime.setting, [r for found in self.draws.values() for r in found.values()]
        return tuple(name for name in setting.attacks if all(_met(results, name, setting) for results in every))

    def fractions(self, null: str) -> tuple[float, ...]:
        """Those that have draws of this null, in the suite's order."""
        found = {fraction for fraction, _ in self.draws[null]}
        return tuple(fraction for fraction in self.regime.fractions if fraction in found)

    @cached_property
    def _robust(self) -> dict[str, dict[tuple[float, int], float]]:
        return {null: {cell: self._rate(r) for cell, r in found.items()} for null, found in self.draws.items()}

    def _rate(self, results: Results) -> float:
        setting = self.regime.setting
        assert setting.primary is not None  # a draw that ran had one
        bits = results.robust_bits(setting.primary, self.attacks, setting.images)
        assert bits is not None  # `attacks` were met by every draw
        return float(bits.mean())

    def values(self, null: str, fraction: float | None) -> Floats:
        """Robust accuracy of each draw at a fraction; None: the mean over those draws' fractions, of draws at all."""
        robust = self._robust[null]
        if fraction is not None:
            return np.array([value for (at, _), value in sorted(robust.items()) if at == fraction])
        fractions, draws = self.fractions(null), sorted({draw for _, draw in robust})
        whole = [[robust.get((at, draw), np.nan) for at in fractions] for draw in draws]
        means: Floats = np.mean(np.array(whole, dtype=np.float64).reshape(len(draws), -1), axis=1)
        return means[np.isfinite(means)]

    def numbered(self, null: str, fraction: float) -> dict[int, float]:
        """Robust accuracy of the draws at a fraction that ran, by their number."""
        return {draw: value for (at, draw), value in sorted(self._robust[null].items()) if at == fraction}

    def row(self, row: str, null: str, fraction: float | None) -> Floats:
        """The row's robust accuracy in each replicate that ran, under the attacks of the draws."""
        chosen = self.fractions(null) if fraction is None else (fraction,)
        cells = [[self.regime.results.get((row, at, r)) for at in chosen] for r in self.regime.replicates]
        return np.array([np.mean([self._rate(c) for c in line if c]) for line in cells if all(line)])

    def position(self, row: str, null: str, fraction: float | None) -> NullPosition | None:
        """None where the row lacks a replicate, or fewer than two draws ran."""
        own, draws = self.row(row, null, fraction), self.values(null, fraction)
        if own.size < len(self.regime.replicates) or draws.size < 2:
            return None
        return null_position(float(own.mean()), draws, own.size)


def _met(results: Results, attack: str, setting: Setting) -> bool:
    return any(
        v.attack == attack and v.epsilon == setting.primary and v.images >= setting.images for v in results.attacks
    )


def nulls_of(records: Sequence[Record], regime: RegimeStandings) -> Nulls | None:
    """The random draws that ran in a regime; None where there are none, or none that met an attack of its rows."""
    draws: dict[str, dict[tuple[float, int], Results]] = {}
    for record in records:
        factors = record.factors
        if factors.null and factors.regime == regime.setting.regime and record.results:
            draws.setdefault(factors.null, {})[factors.fraction, factors.replicate] = record.results
    found = Nulls(regime, draws)
    return found if draws and found.attacks else None


def grids(records: Sequence[Record], regime: RegimeStandings, label: Labels) -> list[Grid]:
    """A table for each of the two nulls: percentile, and z in brackets, by fraction and for the mean over them."""
    nulls = nulls_of(records, regime)
    if nulls is None:
        return []
    matched = [null for null in nulls.draws if null != UNIFORM]
    found = []
    if UNIFORM in nulls.draws:
        what = f"of {_counts(nulls, [UNIFORM])} random coresets"
        found.append(_grid(nulls, label, dict.fromkeys(regime.rows, UNIFORM), what))
    if matched:
        what = f"of {_counts(nulls, matched)} random coresets that have the row's own class counts"
        found.append(_grid(nulls, label, {row: row for row in matched}, what))
    return found


def _grid(nulls: Nulls, label: Labels, null_of: Mapping[str, str], what: str) -> Grid:
    regime = nulls.regime
    kinds = dict.fromkeys(null_of.values())
    fractions = [f for f in regime.fractions if any(f in nulls.fractions(null) for null in kinds)]

    def text(fraction: float | None) -> Column:
        def of(row: str) -> str:
            return _text(nulls.position(row, null_of[row], fraction))

        return of

    columns: dict[str, Column] = {"method": label, **{wording.percent(f): text(f) for f in fractions}}
    if len(fractions) > 1:
        columns["mean"] = text(None)
    attacks = wording.attacks(nulls.attacks)
    size = len(regime.replicates)
    title = (
        f"Where a row's mean over {wording.counted(size, 'replicate')} stands among means of {size} {what}: "
        f"percentile, and z in brackets (robust accuracy at ε = {wording.radius(regime.setting.primary)}, {attacks})"
    )
    rows = [standing.row for standing in regime.order if standing.row in null_of]
    return grid([regime], title, columns, rows=rows, reference=False)


def _counts(nulls: Nulls, kinds: Sequence[str]) -> str:
    """How many draws there are: "100", or "96 to 100" where some failed."""
    counts = sorted({nulls.values(kind, at).size for kind in kinds for at in nulls.fractions(kind)})
    return f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"


def _text(found: NullPosition | None) -> str:
    if found is None:
        return wording.ABSENT
    return f"{wording.fixed(found.percentile)} ({wording.signed(found.z)})"


def gaps(records: Sequence[Record], regime: str) -> Iterator[str]:
    """One sentence for each reason why draws of a regime failed."""
    draws = [r for r in records if r.factors.null and r.factors.regime == regime]
    reasons = [f"{r.failure.stage}: {r.failure.message}" for r in draws if r.failure]
    for reason in dict.fromkeys(reasons):
        yield f"Random draws: {reasons.count(reason)} of {len(draws):,} failed: {wording.plain(reason)}"


def notes(records: Sequence[Record]) -> list[str]:
    """What the tables of nulls hold; nothing where there are no random draws."""
    kinds = {record.factors.null for record in records} - {""}
    found = []
    if kinds:
        found.append(
            "Random coresets: each was trained once, with a training seed of its own. The percentile is the share of "
            "their means that lie below the row's, ties by half; z is the distance to their mean in standard errors. "
            "Single places of many: neither is adjusted. mean: of the same draws over the fractions."
        )
    if kinds - {UNIFORM}:
        found.append(
            "The row's own class counts: draw d has those of the row's coreset in replicate d modulo the number of "
            "replicates, picked at random within each class. What is left of the row's distance is not class balance."
        )
    return found
