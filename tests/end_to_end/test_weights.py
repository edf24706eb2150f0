"""A method that weighs its picks is trained with the weights, and on demand without: two rows, one coreset."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from benchmark.data import load
from benchmark.execution.run import Settings, Summary, run_suite
from benchmark.models import build
from benchmark.plan import Plan, make_plan
from benchmark.randomness import derive_seed
from benchmark.spec import Suite
from benchmark.stages.train import train
from benchmark.store import Arrays, Store

ROWS = ["craig", {"method": "craig", "weights": False}]
NAMES = ("craig", "craig (unweighted)")
REGIMES = ("standard", "trades")


@pytest.fixture(scope="module")
def plan(tiny_suite: Callable[..., Suite]) -> Plan:
    return make_plan(tiny_suite(rows=ROWS, full=False))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weighted")


@pytest.fixture(scope="module")
def ran(plan: Plan, folder: Path, settings_in: Callable[..., Settings], quiet: Console) -> Summary:
    return run_suite(plan.suite, settings_in(folder), quiet)


def stored(folder: Path, kind: str, key: str) -> Arrays:
    artifact = Store(folder / "store").read(kind, key)
    assert artifact is not None
    return artifact.arrays


def test_both_rows_share_a_coreset_and_no_model(plan: Plan, ran: Summary) -> None:
    assert [record.status for record in ran.records] == ["ok"] * 4
    assert len(plan.selections()) == 1
    for regime in REGIMES:
        weighted, plain = (plan.find(f"tiny/{name}/0.3/{regime}/0") for name in NAMES)
        assert weighted.model.key != plain.model.key


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("name", NAMES)
def test_a_model_is_what_training_on_the_picks_gives(
    plan: Plan, folder: Path, ran: Summary, name: str, regime: str
) -> None:
    cell = plan.find(f"tiny/{name}/0.3/{regime}/0")
    assert cell.selection is not None
    coreset = stored(folder, "coreset", cell.selection.coreset.key)
    assert np.ptp(coreset["weights"]) > 0
    weights = torch.from_numpy(coreset["weights"] / coreset["weights"].mean()) if name == "craig" else None
    data, seed = load(plan.suite.dataset), cell.seeds.training
    model = build("mlp", 10, data.shape, data.mean, data.std, seed=derive_seed("init", seed))
    train(model, data.train, torch.from_numpy(coreset["indices"]), cell.regime.recipe, seed, weights=weights)
    found = stored(folder, "model", cell.model.key)
    for part, tensor in model.state_dict().items():
        np.testing.assert_allclose(found[part], tensor.numpy(), rtol=1e-5, atol=1e-6)


def test_without_weights_every_pick_counts(ran: Summary) -> None:
    assert {r.factors.effective_size for r in ran.records if r.factors.row == NAMES[1]} == {45}
