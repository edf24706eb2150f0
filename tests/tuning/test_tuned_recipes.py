"""A recipe that was tuned for a fraction is that of every row there, and stands in records and leaderboards."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmark import wording
from benchmark.execution.run import Settings, run_suite
from benchmark.leaderboard.document import render_markdown
from benchmark.leaderboard.outcomes import settings
from benchmark.plan import make_calibration, make_plan
from benchmark.results import TUNING
from benchmark.spec import Suite, validated_suite
from benchmark.tuning import write_trials
from benchmark.tuning.run import tune
from methods.errors import UsageError
from tests.conftest import make_tiny_suite

SettingsIn = Callable[..., Settings]


def tuned(*entries: dict[str, Any], **changes: Any) -> Suite:
    spec = make_tiny_suite(fractions=[0.1, 0.3, 0.5], **changes).canonical()
    spec["regimes"]["standard"]["tuned"] = entries
    return validated_suite(spec, "tuned")


def test_every_row_has_it_at_that_fraction_and_clock_alone() -> None:
    suite = tuned({"fraction": 0.1, "lr": 0.3}, {"fraction": 0.1, "clock": "steps", "lr": 0.2}, clocks=["steps"])
    rates = {(c.name, c.fraction, c.regime_name): c.regime.recipe.lr for c in make_plan(suite).cells}
    for row in ("random", "easycore"):
        assert rates[row, 0.1, "standard"] == 0.3
        assert rates[row, 0.1, "standard@steps"] == 0.2
        assert rates[row, 0.1, "trades"] == rates[row, 0.3, "standard"] == rates[row, 0.3, "standard@steps"] == 0.1


def test_a_tuned_recipe_is_the_same_stage_as_one_written_so() -> None:
    written = make_tiny_suite().canonical()
    written["regimes"]["standard"]["recipe"]["lr"] = 0.3
    as_written = make_plan(validated_suite(written, "written")).find("tiny/random/0.3/standard/0")
    as_tuned = make_plan(tuned({"fraction": 0.3, "lr": 0.3})).find("tiny/random/0.3/standard/0")
    assert as_tuned.model.key == as_written.model.key


def test_calibration_uses_what_was_tuned_for_the_middle_fraction() -> None:
    suite = tuned({"fraction": 0.3, "weight_decay": 0.01})
    stage = make_calibration(suite, make_plan(suite).data, suite.regimes["standard"])
    assert stage.spec["recipe"]["weight_decay"] == 0.01


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([{"fraction": 0.2, "lr": 0.3}], "fraction 0.2, which the suite does not have"),
        ([{"fraction": 0.1, "lr": 0.3}, {"fraction": 0.1, "lr": 0.2}], "fraction 0.1 on the clock 'epochs' twice"),
        ([{"fraction": 0.1, "clock": "steps", "epochs": 9}], "on the clock 'epochs' alone"),
        ([{"fraction": 0.1, "epochs": 2}], "may be more than the recipe has"),
    ],
)
def test_what_makes_no_sense_is_refused(entries: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        tuned(*entries)


def test_a_run_records_it_and_the_leaderboard_says_it(tmp_path: Path, settings_in: SettingsIn) -> None:
    adamw = {"fraction": 0.5, "optimiser": "adamw", "lr": 0.003, "weight_decay": 0.01}
    suite = tuned({"fraction": 0.1, "lr": 0.3, "epochs": 6}, adamw)
    records = run_suite(suite, settings_in(tmp_path), Console(file=StringIO())).records
    steps = {(r.factors.fraction, r.factors.optimiser_steps) for r in records if r.factors.regime == "standard"}
    assert (0.1, 6) in steps  # 15 images are one batch
    common = settings(records)["standard"]
    assert common.recipe.lr == 0.1
    assert [(fraction, recipe.lr, recipe.epochs) for fraction, recipe in common.tuned] == [
        (0.1, 0.3, 6),
        (0.5, 0.003, 3),
    ]
    assert settings(records)["trades"].tuned == ()
    changes = "at 10 %: 6 epochs, learning rate 0.3; at 50 %: AdamW, learning rate 0.003, weight decay 0.01"
    assert f"; {changes}; equal epochs" in render_markdown(records)
    assert "3 epochs of AdamW at batch 32, β₁ 0.9, weight decay 0.01" in wording.recipe(common.tuned[1][1])


def test_recipes_are_tuned_on_random_coresets_and_tuning_resumes(tmp_path: Path, settings_in: SettingsIn) -> None:
    tuning = {"replicates": 2, "lr": [0.05, 0.2], "fractions": [0.3]}
    suite = make_tiny_suite(tuning=tuning, clocks=["steps", "cost"])
    found, trials = tune(suite, settings_in(tmp_path), Console(file=StringIO()))
    assert len(trials) == 6 * 3 * 2
    assert {trial.images for trial in trials} == {len_of_tune(suite, tmp_path, settings_in)}
    assert all(0 <= trial.right <= trial.images and not trial.failure for trial in trials)
    assert len({trial.right for trial in trials}) > 3
    said = StringIO()
    again, same = tune(suite, settings_in(tmp_path), Console(file=said))
    assert (again, same) == (found, trials)
    assert "Training" not in said.getvalue()
    write_trials(tmp_path / "elsewhere" / "results" / suite.name / TUNING, trials[1:])
    elsewhere = settings_in(tmp_path / "elsewhere", published=True)
    assert tune(suite, elsewhere, Console(file=StringIO())) == (found, trials)
    assert len(list((elsewhere.store / "trial").rglob("meta.json"))) == 1  # the one that was not published
    models = {cell.model.key for cell in make_plan(suite).cells}
    assert not any((tmp_path / "store" / "model").rglob("meta.json")), models


def len_of_tune(suite: Suite, folder: Path, settings_in: SettingsIn) -> int:
    from benchmark.data import load

    return len(load(suite.dataset, None, "cpu").tune)
