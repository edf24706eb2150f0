"""What the leaderboards' records hold for a comparison: paired differences by other row, fraction and replicate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmark import wording
from benchmark.claims.questions import Comparison
from benchmark.leaderboard.document import Leaderboard, leaderboard
from benchmark.leaderboard.nulls import nulls_of
from benchmark.leaderboard.outcomes import Setting, of_rows
from benchmark.leaderboard.standings import RegimeStandings, regime_standings
from benchmark.records import Factors, Record
from benchmark.spec import FULL

BY_AIGN = ("easycore", "aign-hard")  # methods that rank by AIGN
OF_CCS = "stratified"  # the policy that is a method of its own: coverage-centric selection of any score


@dataclass(frozen=True)
class Scale:
    """How large the world is in which an answer holds."""

    data: str
    pool: int
    model: str

    def __str__(self) -> str:
        return f"{wording.plain(self.data)} (N = {self.pool:,}, {wording.plain(self.model)})"


@dataclass(frozen=True, eq=False)
class Differences:
    """The first row's metric minus each other row's, [other, fraction, replicate], in shares of 1."""

    scale: Scale
    setting: Setting
    others: tuple[str, ...]
    fractions: tuple[float, ...]
    values: NDArray[np.float64]
    step: float  # what one test image more or less changes in a cell
    left_out: tuple[str, ...]  # others that lack cells


@dataclass(frozen=True)
class Missing:
    """Why a suite has no answer in one training."""

    regime: str
    reason: str


@dataclass(frozen=True, eq=False)
class Published:
    """The records of one suite."""

    name: str
    records: Sequence[Record]

    @cached_property
    def regimes(self) -> list[RegimeStandings]:
        return regime_standings(self.records)

    @cached_property
    def board(self) -> Leaderboard:
        return leaderboard(self.records, self.regimes)

    @cached_property
    def factors(self) -> Mapping[str, Factors]:
        """Those of one cell of each row."""
        return {record.factors.row: record.factors for record in of_rows(self.records)}

    @property
    def dynamic(self) -> bool:
        return any(factors.track == "dynamic" for factors in self.factors.values())

    @cached_property
    def training_seeds(self) -> dict[int, set[int]]:
        seeds: dict[int, set[int]] = {}
        for factors in (record.factors for record in of_rows(self.records)):
            seeds.setdefault(factors.replicate, set()).add(factors.seeds.training)
        return seeds

    def scale(self, regime: RegimeStandings) -> Scale:
        factors = self.records[0].factors
        part = factors.dataset_spec.train
        data = f"{factors.dataset}, {part:,} images" if part else factors.dataset
        return Scale(data, factors.pool, regime.setting.model)

    def step(self, asked: Comparison, setting: Setting) -> float:
        """What one test image more or less changes in a cell's metric; in the worst class, one of the smallest."""
        if asked.metric == "robust":
            return 1 / setting.images
        results = next(record.results for record in self.records if record.results)
        if asked.metric == "clean":
            return 1 / results.images
        return 1 / min(count for count in results.class_counts if count)

    def rows_of(self, methods: Sequence[str]) -> list[str]:
        return [row for row, factors in self.factors.items() if factors.method in methods and row != FULL]


def differences(asked: Comparison, suite: Published, suites: Sequence[Published]) -> Iterator[Differences | Missing]:
    """The differences in each regime of a static suite that the comparison asks about, or why there are none."""
    for regime in suite.regimes:
        if regime.setting.recipe.objective in asked.objectives:
            try:
                yield _to_draws(asked, suite, regime) if asked.matched else _to_rows(asked, suite, regime, suites)
            except _NoRecordsError as reason:
                yield Missing(regime.setting.regime, str(reason))


class _NoRecordsError(Exception):
    """Says what a comparison lacks."""


def _to_rows(asked: Comparison, suite: Published, regime: RegimeStandings, suites: Sequence[Published]) -> Differences:
    first = _whole(asked, regime)
    places = dict.fromkeys(_others(asked, suite), regime)
    absent = [row for row in places if row not in suite.factors]
    if asked.some and len(absent) < len(places):
        places, absent = {row: regime for row in places if row not in absent}, []
    for method in asked.methods:
        found = dict.fromkeys(suite.rows_of([method]), regime) or _elsewhere(method, suite, regime, suites)
        places |= found
        absent += [] if found else [f"{method} at this setting"]
    if absent:
        raise _NoRecordsError(f"no records of {wording.listed(absent)}")
    values = {row: place.values(asked.metric, row) for row, place in places.items() if row not in place.masked}
    whole = [row for row, found in values.items() if np.isfinite(found).all()]
    if not whole:
        raise _NoRecordsError("no other row has all its cells and is not misled by its gradients")
    return Differences(
        scale=suite.scale(regime),
        setting=regime.setting,
        others=tuple(whole),
        fractions=regime.fractions,
        values=first - np.stack([values[row] for row in whole]),
        step=suite.step(asked, regime.setting),
        left_out=tuple(row for row in places if row not in whole),
    )


def _to_draws(asked: Comparison, suite: Published, regime: RegimeStandings) -> Differences:
    """The first row minus random coresets with its class counts.

    Each draw has seeds of its own: as many draws as there are go to each replicate, and their mean is its other side.
    """
    _whole(asked, regime)
    nulls, replicates = nulls_of(suite.records, regime), len(regime.replicates)
    if nulls is None or asked.first not in nulls.draws:
        raise _NoRecordsError(f"no random coresets with the class counts of {asked.first}")
    lines = []
    for fraction in nulls.fractions(asked.first):
        draws = nulls.numbered(asked.first, fraction)
        # Each draw has the class counts of the replicate that its number gives.
        own = [[value for draw, value in draws.items() if draw % replicates == r] for r in range(replicates)]
        if not all(own):
            raise _NoRecordsError(f"no random coreset with the class counts of {asked.first} in some replicate")
        lines.append(nulls.row(asked.first, asked.first, fraction) - np.array([np.mean(each) for each in own]))
    return Differences(
        scale=suite.scale(regime),
        setting=regime.setting,
        others=("random with its class counts",),
        fractions=nulls.fractions(asked.first),
        values=np.stack(lines)[None],
        step=suite.step(asked, regime.setting),
        left_out=(),
    )


def _whole(asked: Comparison, regime: RegimeStandings) -> NDArray[np.float64]:
    """The metric of the first row, which lacks nothing."""
    found = regime.values(asked.metric, asked.first)
    if asked.first not in regime.rows:
        raise _NoRecordsError(f"no records of {asked.first}")
    if not np.isfinite(found).all():
        raise _NoRecordsError(f"{asked.first} lacks cells")
    if asked.first in regime.masked:
        raise _NoRecordsError(f"{asked.first} misleads the attacks: {regime.masked[asked.first]}")
    return found


def _others(asked: Comparison, suite: Published) -> tuple[str, ...]:
    if not asked.every:
        return asked.others
    return tuple(
        row
        for row, factors in suite.factors.items()
        if row not in (FULL, asked.first)
        and row.partition("@")[2].split(" ")[0] in ("", OF_CCS)
        and factors.method not in BY_AIGN
        and (factors.proxy == "standard" or not factors.proxy_epochs)
    )


def _elsewhere(
    method: str, suite: Published, regime: RegimeStandings, suites: Sequence[Published]
) -> dict[str, RegimeStandings]:
    """Rows of the method in a dynamic suite that trains and attacks the same, on the same pool by the same seeds."""
    for other in suites:
        if not other.dynamic or not _same_data(suite.records[0].factors, other.records[0].factors):
            continue
        if other.training_seeds != suite.training_seeds:
            continue
        for candidate in other.regimes:
            like = replace(candidate.setting, regime=regime.setting.regime, calibration=regime.setting.calibration)
            if like == regime.setting and other.rows_of([method]):
                return dict.fromkeys(other.rows_of([method]), candidate)
    return {}


def _same_data(one: Factors, other: Factors) -> bool:
    names = ("dataset", "dataset_spec", "checksum", "pool", "suite_fractions", "suite_replicates")
    return all(getattr(one, name) == getattr(other, name) for name in names)
