"""Dynamic methods in plans, runs and records."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmark.execution.estimate import Rates, cell_work
from benchmark.execution.run import Settings, Summary, run_suite
from benchmark.leaderboard.document import render_markdown
from benchmark.plan import VERSIONS, make_plan
from benchmark.plan import selection as module
from benchmark.records import read_records
from benchmark.select import suite_for
from benchmark.spec import Suite, load_suite
from methods import registry
from methods.errors import UsageError
from tests.factories import line_of

Tiny = Callable[..., Suite]
DYNAMIC = ["rs2", {"method": "rs2", "params": {"cycle": True}}, "infobatch", {"method": "acs", "params": {"batch": 5}}]


@pytest.fixture(scope="module")
def suite(tiny_suite: Tiny) -> Suite:
    return tiny_suite(name="tiny-dynamic", proxies={}, rows=DYNAMIC, fractions=[0.2, 0.4])


def test_a_row_of_its_own_budget_has_one_cell_a_regime(suite: Suite) -> None:
    cells = make_plan(suite).cells
    found = [(cell.name, cell.fraction) for cell in cells if cell.regime_name == "trades"]
    others = [(name, fraction) for name in ("rs2", "rs2 (cycle=True)") for fraction in (0.2, 0.4)]
    expected = [("full", 1.0), *others, ("infobatch", 1.0), ("acs (batch=5)", 0.2), ("acs (batch=5)", 0.4)]
    assert found == expected
    assert {cell.model.kind for cell in cells if cell.name != "full"} == {"dynamic"}
    assert len({cell.model.key for cell in cells}) == len(cells)
    assert not [cell for cell in cells if cell.selection]


def test_a_dynamic_model_s_key_holds_all_that_made_it(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {cell.id: cell.model.key for cell in make_plan(suite).cells}

    def moved() -> set[str]:
        return {cell.name for cell in make_plan(suite).cells if before[cell.id] != cell.model.key}

    assert moved() == set()
    true = module.source_hash
    edited = lambda method: "edited" if method.info.name == "acs" else true(method)  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(module, "source_hash", edited)
        assert moved() == {"acs (batch=5)"}
    signal = module.get_signal
    with monkeypatch.context() as patch:
        change = lambda name: type("Edited", (), {"view": "training", "source_hash": "edited"})  # noqa: E731
        patch.setattr(module, "get_signal", lambda name: change(name) if name == "last_loss" else signal(name))
        assert moved() == {"infobatch"}
    with monkeypatch.context() as patch:
        patch.setitem(VERSIONS, "dynamic", 99)
        assert moved() == {"rs2", "rs2 (cycle=True)", "infobatch", "acs (batch=5)"}


def test_what_a_method_builds_on_is_part_of_its_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acs = registry.get("acs")
    before, true = registry.source_hash(acs), Path.read_bytes
    for name, matters in (("craig.py", True), ("gradients.py", True), ("herding.py", False), ("api.py", False)):
        with monkeypatch.context() as patch:
            patch.setattr(
                Path, "read_bytes", lambda self, n=name: true(self) + (b"\nedited = 1\n" if self.name == n else b"")
            )
            assert (registry.source_hash(acs) != before) == matters


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": ["rs2", "random"]}, "has the dynamic row 'rs2' beside the static 'random', which no table compares"),
        ({"rows": [{"method": "rs2", "params": {"cycles": True}}]}, "did you mean 'cycle'"),
        ({"rows": ["rs2@low"]}, "'rs2' .*takes no policy"),
    ],
)
def test_what_cannot_be_planned_is_one_sentence(tiny_suite: Tiny, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        make_plan(tiny_suite(**changes))
    assert "\n" not in str(caught.value)


def test_equal_steps_are_refused(suite: Suite) -> None:
    values = suite.canonical()
    values["regimes"]["trades"]["recipe"]["clock"] = "steps"
    with pytest.raises(UsageError, match="spend presentations; set clock"):
        make_plan(Suite.model_validate(values))


def test_signals_of_another_kind_are_refused(tiny_suite: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    true = registry.get("rs2")
    strange = replace(true, info=replace(true.info, needs=("correct",)))
    monkeypatch.setattr(module, "get", lambda name, params: strange)
    with pytest.raises(UsageError, match="needs 'correct', which a proxy shows"):
        make_plan(tiny_suite(rows=["rs2"]))
    loss = registry.get("loss")
    monkeypatch.setattr(
        module, "get", lambda name, params: replace(loss, info=replace(loss.info, needs=("last_loss",)))
    )
    with pytest.raises(UsageError, match="'last_loss' is of a model in training"):
        make_plan(tiny_suite(rows=["loss"]))


def test_a_static_row_without_a_proxy_is_named(tiny_suite: Tiny) -> None:
    with pytest.raises(UsageError, match=r"Row 'easycore' reads proxy 'standard', which \[proxies\] does not declare"):
        make_plan(tiny_suite(rows=["easycore"], proxies={}))


def test_one_coreset_cannot_be_selected() -> None:
    with pytest.raises(UsageError, match="'infobatch' selects anew while a model trains"):
        suite_for("digits", "infobatch", 0.3, [], None)


def test_reading_is_part_of_the_estimate(suite: Suite) -> None:
    facts = {"pool": 150, "test": 60}
    work = {cell.name: cell_work(cell, facts, Rates(1.0, 1.0)) for cell in make_plan(suite).cells if cell.fraction < 1}
    assert work["rs2"] == work["rs2 (cycle=True)"] < work["acs (batch=5)"]


def test_the_suite_that_ships_differs_from_digits_in_its_rows_alone() -> None:
    ours, theirs = load_suite("digits-dynamic").canonical(), load_suite("digits").canonical()
    for key in ("dataset", "regimes", "fractions", "replicates", "full"):
        assert ours[key] == theirs[key]
    assert ours["attacks"]["pgd"] == theirs["attacks"]["pgd"]
    assert {registry.get(row["method"]).info.kind for row in ours["rows"]} == {"dynamic"}
    assert {row["method"] for row in ours["rows"]} == {
        name for name in registry.method_names() if registry.get(name).info.kind == "dynamic"
    }


@pytest.fixture(scope="module")
def ran(
    suite: Suite, settings_in: Callable[..., Settings], quiet: Console, tmp_path_factory: pytest.TempPathFactory
) -> Summary:
    return run_suite(suite, settings_in(tmp_path_factory.mktemp("dynamic")), quiet)


def test_records_say_what_was_presented(suite: Suite, ran: Summary) -> None:
    records = read_records(ran.folder / "records.jsonl")
    assert [record.cell for record in records] == [cell.id for cell in make_plan(suite).cells]
    assert {record.status for record in records} == {"ok"}
    assert {record.factors.suite_cells for record in records} == {len(records)}
    for factors, cost in ((record.factors, record.cost) for record in records):
        assert factors.track == ("static" if factors.row == "full" else "dynamic")
        assert factors.own_budget == (factors.row == "infobatch")
        whole = 3 * 150
        if factors.row == "full":
            assert (factors.presentations, factors.effective_size) == (whole, 150)
        elif factors.own_budget:
            assert whole / 2 < factors.presentations < whole
            assert factors.effective_size == 150
        else:
            assert factors.presentations == 3 * factors.k == whole * factors.fraction
            assert factors.k <= factors.effective_size <= min(150, factors.presentations)
        forward, _ = factors.recipe.passes
        read = cost.forward - forward * factors.presentations
        assert cost.seconds["select"] >= 0
        assert (cost.seconds["select"] > 0) == (factors.track == "dynamic")
        assert read > 0  # attacks; and what ACS looked at


def test_the_number_of_workers_changes_no_byte(
    suite: Suite, ran: Summary, settings_in: Callable[..., Settings], quiet: Console, tmp_path: Path
) -> None:
    again = run_suite(suite, settings_in(tmp_path, jobs=2), quiet)
    for first, second in zip(ran.records, again.records, strict=True):
        assert first.model_copy(update={"cost": second.cost, "provenance": second.provenance}) == second


def test_a_real_run_makes_a_leaderboard(ran: Summary) -> None:
    text = render_markdown(ran.records)
    assert "- **Track:** dynamic" in text
    assert "rank" not in text
    assert "equal presentations: the same share of the 450 that 3 passes over the whole pool take" in text
    for row in ("rs2 (cycle=True)", "infobatch", "*all 150 images*"):
        assert line_of(text, row)
