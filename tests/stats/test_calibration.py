"""Intervals and tests keep what they promise where the truth is known, and docs/statistics.md says how well."""

from pathlib import Path

import pytest

from tests.stats.calibration import (
    EFFECTS,
    MEASURES,
    WORLDS,
    Measure,
    coverage,
    coverage_lines,
    measure_line,
    power_line,
    promised,
    separated,
    share_of_trials,
)
from tests.stats.worlds import Bits, World

DOCS = (Path(__file__).parents[2] / "docs" / "statistics.md").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.name)
def test_intervals_hold_their_estimands(world: World | Bits) -> None:
    rates = coverage(world)
    assert all(0.94 <= rate <= 0.96 for rate in rates["A"].values()), rates
    assert all(0.94 <= rate for rate in rates["B"].values()), rates
    assert set(coverage_lines(world, rates)) <= set(DOCS)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.name)
def test_families_ranks_and_nulls_keep_their_error_rates(measure: Measure) -> None:
    rates = measure.rates()
    assert all(measure.low <= rate <= measure.high for rate in rates.values()), rates
    assert measure_line(measure, rates) in DOCS


@pytest.mark.parametrize("effect", EFFECTS)
def test_the_replicates_promised_are_enough_and_fewer_are_not(effect: float) -> None:
    assert power_line(effect) in DOCS
    needed = promised(effect)
    rates = share_of_trials(lambda rng, count: separated(rng, count, effect), (needed, needed - 1))
    assert rates[needed] > 0.8 - 0.02
    assert rates[needed - 1] < 0.8 + 0.02
