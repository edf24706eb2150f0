"""What `plan` and `explain` say of the clocks."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark.cli import app

SUITE = """
name = "small"
version = 1
description = "Two rows on three clocks"
fractions = [0.1]
replicates = 1
rows = ["random", "easycore", { method = "el2n", params = { proxies = 3, at = 1.0 }, label = "dear" }]
full = false
clocks = ["steps", "cost"]

[dataset]
name = "digits"
train = 150
test = 60

[proxies.standard]
model = "mlp"
recipe = { epochs = 2, batch_size = 32 }

[regimes.standard]
model = "mlp"
recipe = { epochs = 2, batch_size = 32 }
epsilons = [0.1]
primary = 0.1
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(SUITE)
    return "small.toml"


def said(*arguments: str) -> str:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


@pytest.mark.parametrize("timed", [False, True])
def test_plan_has_a_line_for_each_clock(suite: str, timed: bool) -> None:
    """Cells, those not affordable, those to do, and what they train: 0.3 at equal epochs, 3 at equal steps."""
    shown = said("plan", suite, *(["--time", "--device", "cpu", "--jobs", "1"] if timed else []))
    assert "standard epochs 3 0 3 0.3" in shown
    assert "standard@steps steps 3 0 3 3.0" in shown
    assert "standard@cost cost 3 1 2 2.2" in shown  # random 2.1, easycore 0.1
    assert "models trained 8 0 8" in shown
    assert ("With 3 proxies to trace, about " in shown) is timed


def test_plan_says_in_json_what_cannot_be_paid(suite: str) -> None:
    assert said("plan", suite, "--json").count('"unaffordable": "Not affordable: ') == 1


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("small/random/0.1/standard/0", "2 epochs"),
        ("small/random/0.1/standard@steps/0", "as many steps as 2 epochs of the pool"),
        ("small/random/0.1/standard@cost/0", "2 epochs and what is spare of the allowance"),
        ("small/dear/0.1/standard@cost/0", "not affordable"),
    ],
)
def test_explain_says_how_long_a_model_trains(cell: str, words: str, suite: str) -> None:
    assert re.search(f', {words}"', said("explain", cell, "--suite", suite, "--json"))


def test_explain_says_why_there_is_no_model(suite: str) -> None:
    shown = said("explain", "small/dear/0.1/standard@cost/0", "--suite", suite)
    assert "Not affordable: its proxies and signals alone take 4 trainings of the standard proxy" in shown
