"""A suite with a guard, from its file to the leaderboard: planned, run, flagged, told."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmark.leaderboard.masking import flags, masked_rows
from benchmark.plan import make_plan
from benchmark.records import Record, read_records, unpack_bits
from benchmark.spec import CALIBRATE, Suite, load_suite
from methods.errors import UsageError
from tests.conftest import make_tiny_suite

# One step of PGD on the cross-entropy: what guards it finds more on any network.
GUARDED = """
name = "guarded"
version = 1
description = "attacks far too short"
fractions = [0.3]
replicates = 2
rows = ["random", "random@balanced"]
full = false
dataset = { name = "digits", train = 300, test = 60 }

[regimes.standard]
model = "mlp"
recipe = { epochs = 8, batch_size = 32 }
epsilons = [0.05, 0.1]
primary = 0.1

[attacks]
pgd = { steps = 1 }
smallest_epsilon = { levels = 3, steps = 1 }
guard = { images = 50, factor = 20, rows = ["random@balanced"] }
"""
MARGIN = "\n[attacks.margin]\nsteps = 1\ntargets = 1\n"


def command(*arguments: str, cwd: Path) -> str:
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    whole = [sys.executable, "-m", "benchmark", *arguments]
    done = subprocess.run(whole, cwd=cwd, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "guarded.toml").write_text(GUARDED + MARGIN)
    command("run", "guarded.toml", "--jobs", "1", "--device", "cpu", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def records(folder: Path) -> list[Record]:
    return read_records(folder / "results" / "local" / "guarded" / "records.jsonl")


def test_the_guard_is_a_verdict_and_a_sign(records: list[Record]) -> None:
    for record in records:
        assert record.results
        found = [v for v in record.results.attacks if v.attack == "guard"]
        assert len(found) == (record.factors.row == "random@balanced")
        for verdict in found:
            assert (verdict.images, verdict.epsilon, verdict.spec["factor"]) == (50, 0.1, 20)
            assert list(verdict.stages) == ["pgd", "margin"]
            guarded = unpack_bits(verdict.bits, 50)
            assert (guarded <= unpack_bits(verdict.stages["pgd"], 50)).all()
            usual = record.results.robust_bits(0.1, {"pgd-1", "margin-pgd-1"}, 50)
            assert usual is not None
            sign = record.results.signs["guard"]
            assert (sign.found, sign.of) == ((usual & ~guarded).sum(), 50)
            assert record.results.signs["zero-gradients"].of == record.results.clean_bits()[:50].sum()
            assert "square-gain" not in record.results.signs  # AutoAttack did not run
            assert (record.results.worst_case(0.1) <= guarded).all()
            assert record.keys["guard"]
            assert record.cost.seconds["guard"] > 0


def test_attacks_that_are_too_short_are_flagged(records: list[Record]) -> None:
    flagged = [record for record in records if "guard" in record.flags]
    assert [record.factors.row for record in flagged] == ["random@balanced", "random@balanced"]
    assert all(record.flags == flags(record.results.signs) for record in records if record.results)
    assert masked_rows(records, "standard") == {"random@balanced": "2 of 2 replicates at 30 % are misled (guard)"}


def test_the_leaderboard_and_explain_tell(folder: Path) -> None:
    page = command("leaderboard", "guarded", cwd=folder)
    board = (folder / "results" / "local" / "guarded" / "leaderboard.md").read_text()
    for text in (" ".join(page.split()), board):
        assert "random@balanced is not ranked: 2 of 2 replicates at 30 % are misled (guard)." in text
        assert "Signs of masked gradients: looked for in 2 of 4 models, found in 2." in text
        assert "Not ranked, as gradients may mislead the attacks: random@balanced." in text
    assert "under everything that was run against each model" in board
    cell = "guarded/random@balanced/0.3/standard/0"
    told = command("explain", cell, "--suite", "guarded.toml", cwd=folder)
    assert "Sign of masked gradients: guard: " in told
    assert "of 50 images, flagged" in told
    (explained,) = json.loads(command("explain", cell, "--suite", "guarded.toml", "--json", cwd=folder))
    assert explained["flags"] == ["guard"]
    assert "outcome" in {stage["stage"] for stage in explained["stages"] if stage["what"].startswith("guard, seed")}
    (absent,) = json.loads(command("explain", "digits/random/0.3/standard/0", "--json", cwd=folder))
    assert absent["flags"] is None  # nothing of it is there


def test_what_stands_already_is_not_computed_again_for_a_guard() -> None:
    with_guard = make_plan(make_tiny_suite(attacks={"pgd": {"steps": 3}, "guard": {}}))
    without = make_plan(make_tiny_suite(attacks={"pgd": {"steps": 3}}))
    for cell in with_guard.cells:
        others = without.by_id[cell.id].outcomes
        assert set(cell.outcomes) - set(others) == {"guard"}
        assert all(cell.outcomes[name].key == stage.key for name, stage in others.items())


@pytest.mark.parametrize(
    ("attacks", "spec"),
    [
        ({"guard": {}}, {"images": 100, "factor": 10}),
        ({"guard": {"images": 30, "factor": 3}, "test": 40}, {"images": 30, "factor": 3}),
        ({"guard": {}, "test": 40}, {"images": 40}),
        ({"guard": {}, "pgd": {"steps": 7, "restarts": 2}}, {"pgd": {"steps": 7, "restarts": 2}}),
        ({"guard": {}, "margin": None}, {"margin": {"steps": 20, "targets": 3}}),  # guarded by the usual one
    ],
)
def test_the_guard_is_of_the_suites_own_attacks(attacks: dict[str, Any], spec: dict[str, Any]) -> None:
    for cell in make_plan(make_tiny_suite(attacks=attacks)).cells:
        found = cell.outcomes["guard"].spec
        assert (found["epsilon"], found["seed"]) == (cell.regime.primary, cell.seeds.attack)
        for name, value in spec.items():
            assert (value.items() <= found[name].items()) if isinstance(value, dict) else found[name] == value


def test_the_guard_waits_for_a_calibrated_epsilon() -> None:
    values = make_tiny_suite(attacks={"guard": {}}).canonical()
    values["regimes"]["standard"]["primary"] = CALIBRATE
    cells = make_plan(Suite.model_validate(values)).cells
    calibrated = next(cell for cell in cells if cell.regime_name == "standard")
    assert calibrated.calibration
    assert calibrated.outcomes["guard"].parents["calibration"] == calibrated.calibration.key
    assert "calibration" not in calibrated.outcomes["pgd"].parents


@pytest.mark.parametrize(
    ("guard", "words"),
    [
        ('rows = ["randon"]', "row in attacks.guard.rows 'randon'"),
        ("fractions = [0.2]", "attacks.guard names the fraction 0.2"),
        ("image = 5", "did you mean 'images'"),
        ("images = 0", "greater than 0"),
    ],
)
def test_a_mistake_in_the_file_is_named(guard: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "guarded.toml"
    text = GUARDED.replace('images = 50, factor = 20, rows = ["random@balanced"]', guard)
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        load_suite(str(path))
