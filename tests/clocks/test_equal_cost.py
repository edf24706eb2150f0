"""A small suite on three clocks, really run: what is spent is what is charged, and the same for all."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from benchmark.charges import proxy_run
from benchmark.data import load
from benchmark.execution.agenda import regimes
from benchmark.execution.estimate import cell_training
from benchmark.execution.run import Settings, Summary, run_suite
from benchmark.plan import Plan, Stage, make_plan
from benchmark.publish import publish
from benchmark.records import Record, read_records
from benchmark.spec import Suite
from benchmark.stages.trace import trace
from benchmark.store import Artifact, Store
from methods.registry import get

DEAR = {"method": "el2n", "params": {"proxies": 3, "at": 1.0}, "label": "dear"}
ROWS = ["random", "easycore", "cld", "vog", DEAR]


@pytest.fixture(scope="module")
def suite(tiny_suite: Callable[..., Suite]) -> Suite:
    return tiny_suite(rows=ROWS, fractions=[0.1, 0.5], clocks=["steps", "cost"], allowance=2.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clocks")


@pytest.fixture(scope="module")
def ran(suite: Suite, folder: Path, settings_in: Callable[..., Settings], quiet: Console) -> Summary:
    return run_suite(suite, settings_in(folder), quiet)


@pytest.fixture(scope="module")
def plan(suite: Suite) -> Plan:
    return make_plan(suite)


@pytest.fixture(scope="module")
def records(ran: Summary) -> dict[str, Record]:
    return {record.cell: record for record in read_records(ran.folder / "records.jsonl")}


def made(folder: Path, stage: Stage) -> Artifact:
    found = Store(folder / "store").read(stage.kind, stage.key)
    assert found
    return found


def passes(artifact: Artifact) -> int:
    return int(artifact.meta["forward"] + 2 * artifact.meta["backward"])


def test_every_affordable_cell_spends_the_budget_to_one_batch(
    suite: Suite, plan: Plan, folder: Path, records: dict[str, Record]
) -> None:
    looked_at = 0
    for cell in plan.cells:
        work = records[cell.id].factors.work
        assert work
        if not cell.regime_name.endswith("@cost"):
            assert work.budget is None
            continue
        if cell.unaffordable:
            continue
        recipe = cell.regime.recipe
        allowed = 2 * 3 * 3 * 150  # two proxies of three epochs on 150 images, 3 a presentation
        assert work.budget == allowed + recipe.epochs * recipe.work * records[cell.id].factors.k
        assert work.training == passes(made(folder, cell.model))
        assert work.budget - recipe.work * recipe.batch_size < work.alone + work.training <= work.budget
        looked_at += 1
    assert looked_at == 2 * (1 + 2 * 3 + 1)  # regimes x (full, three rows that can pay at both fractions, vog at one)


@pytest.mark.parametrize("row", ["easycore", "cld", "vog", "adv-margin", "forgetting", "el2n"])
@pytest.mark.parametrize("until", [1, 3])
def test_what_a_row_is_charged_is_what_its_proxy_takes(row: str, until: int, suite: Suite) -> None:
    """Counted by what records them; `cld` reads the held-out part too."""
    data, training, needs = load(suite.dataset), suite.proxies["standard"], list(get(row).info.needs)
    _, _, trained, recorded = trace(data, training, 1, until, needs, "cpu")
    spent = sum(part.forward + 2 * part.backward for part in (trained, recorded))
    assert proxy_run(training, until, needs).of(len(data.train), len(data.select)) == spent


def test_records_say_what_a_row_takes_alone_and_shared(records: dict[str, Record], plan: Plan) -> None:
    for cell in plan.cells:
        work = records[cell.id].factors.work
        assert work
        charges = cell.selection.charges if cell.selection else []
        assert work.alone == sum(charge.of(150, 97) for charge in charges)
        assert (0 < work.shared < work.alone) if charges else (work.shared == 0)


def test_random_gets_all_of_it_and_easycore_what_equal_epochs_are(records: dict[str, Record]) -> None:
    presented = {name: records[f"tiny/{name}/0"].factors.presentations for name in (
        "random/0.1/standard@cost", "easycore/0.1/standard@cost", "easycore/0.1/standard"
    )}  # fmt: skip
    assert presented["random/0.1/standard@cost"] == 45 + 2 * 3 * 150
    assert presented["easycore/0.1/standard@cost"] == presented["easycore/0.1/standard"] == 45


def test_equal_steps_are_those_of_the_whole_pool(records: dict[str, Record]) -> None:
    found = {r.factors.optimiser_steps for r in records.values() if r.factors.regime.endswith("@steps")}
    assert found == {3 * 5}


def test_what_cannot_be_paid_is_said_and_is_no_failure_of_the_run(ran: Summary, plan: Plan) -> None:
    found = {record.cell: record for record in ran.records if record.unaffordable}
    assert set(found) == {cell.id for cell in plan.cells if cell.unaffordable}
    assert {record.factors.row for record in found.values()} == {"dear", "vog"}
    for record in found.values():
        assert record.status == "failed"
        assert record.failure
        assert record.failure.message.startswith("Not affordable: ")
        assert record.factors.work
        assert record.factors.work.training == 0
    assert ran.failed == []
    assert len(ran.records) == len(plan.cells) == ran.records[0].factors.suite_cells


def test_a_second_run_computes_nothing_and_all_of_it_may_be_published(
    suite: Suite, folder: Path, ran: Summary, settings_in: Callable[..., Settings], quiet: Console
) -> None:
    again = run_suite(suite, settings_in(folder), quiet)
    assert again.computed == 0
    assert again.records == ran.records
    publish("tiny", folder / "results", folder / "README.md")
    assert read_records(folder / "results" / "tiny" / "records.jsonl") == list(ran.records)


def test_a_part_of_a_run_computes_none_of_what_cannot_be_paid(
    suite: Suite, tmp_path: Path, settings_in: Callable[..., Settings], quiet: Console
) -> None:
    summary = run_suite(suite, settings_in(tmp_path), quiet, "*/dear/*@cost*")
    assert summary.computed == 0


def test_estimates_know_the_lengths(plan: Plan, records: dict[str, Record]) -> None:
    facts = {"pool": 150, "select": 97}
    for cell in plan.cells:
        work = records[cell.id].factors.work
        assert work
        if not cell.unaffordable and not cell.regime_name.endswith("@steps"):
            batch = cell.regime.recipe.work * cell.regime.recipe.batch_size
            assert 0 <= cell_training(cell, facts) - work.training < batch


def test_the_agenda_counts_cells_and_training_of_each_regime(plan: Plan, folder: Path, ran: Summary) -> None:
    lines = {line["regime"]: line for line in regimes(plan, Store(folder / "store"))}
    assert len(lines) == 6
    standard, cost = lines["standard"], lines["standard@cost"]
    assert (standard["cells"], standard["not affordable"], standard["to do"]) == (11, 0, 0)
    assert standard["training"] == "4.0"  # 1 + 5 rows x (0.1 + 0.5)
    assert (cost["cells"], cost["not affordable"], cost["to do"]) == (11, 3, 0)
    fresh = {line["regime"]: line["to do"] for line in regimes(plan, Store(folder / "elsewhere"))}
    assert (fresh["standard"], fresh["standard@cost"]) == (11, 8)
