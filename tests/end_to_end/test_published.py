"""Published records in place of computing: a newcomer's row costs that row alone, and the records come out the same."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from benchmark.execution.assemble import restate
from benchmark.execution.published import published_records
from benchmark.execution.run import Settings, Summary, run_suite
from benchmark.plan import make_plan
from benchmark.records import read_records
from benchmark.results import LOCAL, RECORDS, records_in
from benchmark.spec import Suite, load_suite
from benchmark.store import Store
from methods.errors import UsageError

SettingsIn = Callable[..., Settings]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def suite(tiny_suite: Callable[..., Suite]) -> Suite:
    """Two fractions, a primary epsilon that is measured at one of them, and AutoAttack, which depends on it."""
    values = tiny_suite(fractions=[0.3, 0.5]).canonical()
    values["attacks"]["autoattack"] = {"fractions": [0.5], "rows": ["random"], "test": 4}
    values["regimes"]["standard"] |= {"epsilons": [0.02, 0.1], "primary": "calibrate"}
    return Suite.model_validate(values)


@pytest.fixture(scope="module")
def published(
    suite: Suite, tmp_path_factory: pytest.TempPathFactory, settings_in: SettingsIn, quiet: Console
) -> Summary:
    """A run whose records lie where `publish` puts them."""
    summary = run_suite(suite, settings_in(tmp_path_factory.mktemp("published")), quiet)
    shutil.copytree(summary.folder, summary.folder.parents[1] / suite.name)
    assert summary.folder.parent.name == LOCAL
    return summary


def elsewhere(published: Summary, folder: Path, settings_in: SettingsIn) -> Settings:
    """An empty store beside what is published."""
    shutil.copytree(published.folder, folder / "results" / "tiny")
    return settings_in(folder, published=True)


def lines(summary: Summary) -> list[str]:
    """The records as written, without what may differ between runs."""
    records = [json.loads(line) for line in (summary.folder / RECORDS).read_text().splitlines()]
    return [json.dumps({k: v for k, v in record.items() if k not in ("cost", "provenance")}) for record in records]


def test_what_is_published_is_taken_byte_for_byte(
    suite: Suite, published: Summary, tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    settings = elsewhere(published, tmp_path, settings_in)
    again = run_suite(suite, settings, quiet)
    assert again.computed == 0
    assert (again.folder / RECORDS).read_bytes() == (published.folder / RECORDS).read_bytes()
    assert not list((settings.store / "model").glob("*"))


def test_a_new_row_and_another_recipe_are_all_there_is_to_compute(
    suite: Suite, published: Summary, tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    """And the records are those of a run that computed everything.

    The recipe is that of standard training at the middle fraction, 0.5, where the primary epsilon is measured: the
    cells of 0.3 stand, under the new epsilon.
    """
    values = suite.canonical()
    values["name"] = "tiny+loss"
    values["rows"].append("loss")
    values["regimes"]["standard"]["tuned"] = [{"fraction": 0.5, "lr": 0.0001}]
    changed = Suite.model_validate(values)
    taken = run_suite(changed, elsewhere(published, tmp_path / "taken", settings_in), quiet)
    assert taken.computed == 4 + 2  # the row at two fractions in two regimes; two rows at 0.5
    assert lines(taken) == lines(run_suite(changed, settings_in(tmp_path / "whole"), quiet))
    costs = {record.cell.split("/", 1)[1]: record.cost for record in published.records}
    stood = [r for r in taken.records if costs.get(r.cell.split("/", 1)[1]) == r.cost]
    assert len(stood) == len(taken.records) - taken.computed
    before, after = (
        {record.factors.primary for record in run.records if record.factors.regime == "standard"}
        for run in (published, taken)
    )
    assert (before, after) == ({0.1}, {0.02})  # what has learned nothing is lost sooner


def test_what_was_never_published_is_said(
    tiny_suite: Callable[..., Suite], tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    with pytest.raises(UsageError, match="leave out --published"):
        run_suite(tiny_suite(), settings_in(tmp_path, published=True), quiet)


@pytest.mark.skipif(not records_in(ROOT / "results" / "digits"), reason="nothing is published here, as in a wheel")
@pytest.mark.parametrize("name", ["digits", "digits-dynamic"])
def test_published_records_restated_are_themselves(name: str, tmp_path: Path) -> None:
    """All of them: keys of the code at hand, and every factor from the plan."""
    plan, store = make_plan(load_suite(name)), Store(tmp_path)
    path = records_in(ROOT / "results" / name)
    assert path
    first, *_ = records = read_records(path)
    found = published_records(plan, plan.cells, ROOT / "results")
    assert len(found) == len(records) == len(plan.cells)
    from benchmark.data import load

    facts = {
        "pool": first.factors.pool,
        "select": len(load(plan.suite.dataset).select),
        "num_classes": first.factors.num_classes,
        "checksum": first.factors.checksum,
    }
    for cell in plan.cells:
        assert restate(plan, cell, facts, store, found[cell.id]).canonical() == found[cell.id].canonical(), cell.id
