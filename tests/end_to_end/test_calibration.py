"""A primary epsilon that a run measures for itself: on `tune`, before any test image is attacked with AutoAttack."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

from benchmark.attacks import correct, pgd
from benchmark.data import load
from benchmark.execution.run import Settings, Summary, run_suite
from benchmark.leaderboard.document import render_markdown
from benchmark.models import build
from benchmark.plan import Data, make_calibration, make_plan
from benchmark.spec import PGD, Suite
from benchmark.stages import calibrate as module
from benchmark.stages.calibrate import calibrate
from benchmark.stages.train import train
from benchmark.store import Store
from methods.errors import CoresetBenchError

SettingsIn = Callable[..., Settings]
EPSILONS = [0.02, 0.06, 0.5]


def calibrated(base: Suite, **recipe: Any) -> Suite:
    """The tiny suite, its standard regime calibrated and better trained."""
    values = base.canonical()
    values["attacks"]["autoattack"] = {"fractions": [0.3], "rows": ["random"], "test": 4}
    values["attacks"]["margin"] = None
    values["regimes"]["standard"] |= {"epsilons": EPSILONS, "primary": "calibrate"}
    values["regimes"]["standard"]["recipe"] |= {"epochs": 12, **recipe}
    return Suite.model_validate(values)


@pytest.fixture(scope="module")
def suite(tiny_suite: Callable[..., Suite]) -> Suite:
    return calibrated(tiny_suite())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("calibrated")


@pytest.fixture(scope="module")
def ran(suite: Suite, folder: Path, settings_in: SettingsIn, quiet: Console) -> Summary:
    return run_suite(suite, settings_in(folder), quiet)


def by_hand(suite: Suite) -> tuple[int, list[int]]:
    """Right images of tune, clean and at each epsilon, of a model trained and attacked step by step."""
    data, regime = load(suite.dataset), suite.regimes["standard"]
    seed = make_plan(suite).calibrations()[0].spec["seed"]
    ids = torch.from_numpy(np.random.default_rng(seed).permutation(150)[:45])
    model = build("mlp", 10, data.shape, data.mean, data.std, seed=seed)
    train(model, data.train, ids, regime.recipe, seed)
    x, y, own = next(data.tune.batches(torch.arange(len(data.tune)), len(data.tune)))
    bits = pgd(model, x, y, regime.epsilons, PGD(steps=3), seed, own)
    return int(correct(model, x, y, 512).sum()), [int(b.sum()) for b in bits]


def test_every_cell_of_the_regime_has_the_epsilon_that_was_measured(suite: Suite, ran: Summary) -> None:
    clean, kept = by_hand(suite)
    half = EPSILONS[int(np.argmin([abs(count - clean / 2) for count in kept]))]
    mine = [record.factors for record in ran.records if record.factors.regime == "standard"]
    assert {factors.primary for factors in mine} == {half}
    for factors in mine:
        assert factors.calibration is not None
        assert factors.calibration.images == 100
        assert abs(factors.calibration.clean - clean) <= 1  # tune in another order: sums differ in the last bit
        assert np.abs(np.array(factors.calibration.robust) - kept).max() <= 1
    others = {r.factors.primary for r in ran.records if r.factors.regime == "trades"}
    assert others == {0.1}
    assert all(r.factors.calibration is None for r in ran.records if r.factors.regime == "trades")


def test_autoattack_is_run_at_it(ran: Summary) -> None:
    (record,) = (r for r in ran.records if r.cell == "tiny/random/0.3/standard/0")
    assert record.results is not None
    (verdict,) = (v for v in record.results.attacks if v.attack == "autoattack")
    assert verdict.epsilon == verdict.spec["epsilon"] == record.factors.primary


def test_the_leaderboard_says_how_it_was_chosen(ran: Summary) -> None:
    factors = ran.records[0].factors
    assert factors.calibration is not None
    assert factors.primary is not None
    share = factors.calibration.robust[EPSILONS.index(factors.primary)] / factors.calibration.clean
    text = render_markdown(ran.records)
    assert (
        f"(chosen on 100 images of tune, where random at 30 % keeps {100 * share:.0f} % of its clean accuracy)" in text
    )


def test_it_is_measured_once(suite: Suite, folder: Path, ran: Summary, settings_in: SettingsIn, quiet: Console) -> None:
    (stage,) = make_plan(suite).calibrations()
    path = Store(folder / "store").path("calibration", stage.key) / "meta.json"
    written = path.stat().st_mtime_ns
    again = run_suite(suite, settings_in(folder), quiet)
    assert (again.computed, again.records, path.stat().st_mtime_ns) == (0, ran.records, written)


def test_another_list_of_epsilons_is_another_calibration(suite: Suite) -> None:
    values = suite.canonical()
    values["regimes"]["standard"]["epsilons"] = [0.02, 0.06]
    other = Suite.model_validate(values)
    (before,), (after,) = make_plan(suite).calibrations(), make_plan(other).calibrations()
    assert before.key != after.key
    cells = [make_plan(s).find("tiny/random/0.3/standard/0") for s in (suite, other)]
    assert cells[0].outcomes["autoattack"].key != cells[1].outcomes["autoattack"].key
    assert cells[0].model.key == cells[1].model.key


def test_test_images_are_not_touched(suite: Suite) -> None:
    data = load(suite.dataset)
    planned = Data(suite.dataset, "any")
    stage = make_calibration(suite, planned, suite.regimes["standard"])
    hidden = replace(data, test=None)  # type: ignore[arg-type]
    assert calibrate(stage, hidden, "cpu").meta["images"] == 100


def test_a_model_that_learnt_nothing_has_no_half(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "correct", lambda model, x, y, batch: torch.zeros(len(y), dtype=torch.bool))
    stage = make_calibration(suite, Data(suite.dataset, "any"), suite.regimes["standard"])
    with pytest.raises(CoresetBenchError, match="right on no image of 'tune'; mend the recipe"):
        calibrate(stage, load(suite.dataset), "cpu")


def test_where_it_fails_the_regime_fails_and_the_other_goes_on(
    tiny_suite: Callable[..., Suite], tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    suite = calibrated(tiny_suite(), lr=1e9)
    ran = run_suite(suite, settings_in(tmp_path), quiet)
    lost = [r for r in ran.records if r.factors.regime == "standard"]
    assert {r.status for r in lost} == {"failed"}
    assert {r.failure.stage for r in lost if r.failure} == {"calibration"}
    assert {r.factors.primary for r in lost} == {None}
    assert {r.status for r in ran.records if r.factors.regime == "trades"} == {"ok"}
    assert "primary not calibrated" in render_markdown(ran.records)
