"""What the leaderboards' records hold for a comparison: paired differences by other row, fraction and replicate."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmark import wording
from benchmark.claims.questions import Comparison
from benchmark.outcomes import Setting, of_rows
from benchmark.records import Factors, Record
from benchmark.spec import FULL
from benchmark.standings import RegimeStandings, regime_standings

BY_AIGN = ("easycore", "aign-hard")  # methods that rank by AIGN


@dataclass(frozen=True)
class Scale:
    """How large the world is in which an answer holds."""

    data: str
    pool: int
    model: str

    def __str__(self) -> str:
        return f"{wording.plain(self.data)}, N = {self.pool:,}, {wording.plain(self.model)}"


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
    """Why a suite has no answer."""

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
        setting = regime.setting
        if setting.recipe.objective not in asked.objectives:
            continue
        places = dict.fromkeys(_others(asked, suite), regime)
        for method in asked.methods:
            found = dict.fromkeys(suite.rows_of([method]), regime) or _elsewhere(method, suite, regime, suites)
            if not found:
                yield Missing(f"{wording.regime(setting.regime)}: no records of {method} at its setting")
                break
            places |= found
        else:
            yield _differences(asked, suite, regime, places)


def _differences(
    asked: Comparison, suite: Published, regime: RegimeStandings, places: Mapping[str, RegimeStandings]
) -> Differences | Missing:
    training = wording.regime(regime.setting.regime)
    absent = [row for row in (asked.first, *places) if row not in suite.factors and row not in _rows(places)]
    if absent or not places:
        return Missing(f"{training}: no records of {wording.listed(list(map(wording.plain, absent))) or 'other rows'}")
    first = regime.values(asked.metric, asked.first)
    if not np.isfinite(first).all():
        return Missing(f"{training}: {wording.plain(asked.first)} lacks cells")
    values = {row: place.values(asked.metric, row) for row, place in places.items()}
    whole = [row for row, found in values.items() if np.isfinite(found).all()]
    if not whole:
        return Missing(f"{training}: {wording.listed(list(map(wording.plain, places)))} lack cells")
    factors = suite.factors[asked.first]
    return Differences(
        scale=Scale(factors.dataset, factors.pool, regime.setting.model),
        setting=regime.setting,
        others=tuple(whole),
        fractions=regime.fractions,
        values=first - np.stack([values[row] for row in whole]),
        step=suite.step(asked, regime.setting),
        left_out=tuple(row for row in places if row not in whole),
    )


def _rows(places: Mapping[str, RegimeStandings]) -> set[str]:
    return {row for place in places.values() for row in place.rows}


def _others(asked: Comparison, suite: Published) -> tuple[str, ...]:
    if not asked.every:
        return asked.others
    return tuple(
        row
        for row, factors in suite.factors.items()
        if row not in (FULL, asked.first)
        and "@" not in row
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
