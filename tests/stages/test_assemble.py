"""From stored stages to a record: what is said of attacks, costs and machines. The stages are made up, not computed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.execution.assemble import assemble
from benchmark.plan import Cell, Plan, make_plan
from benchmark.records import Failure, Record, read_records, unpack_bits, write_records
from benchmark.spec import FULL, Suite
from benchmark.store import Artifact, Store

SuiteOf = Callable[..., Suite]
FACTS = {"checksum": "c0ffee", "pool": 150, "num_classes": 10, "test": 4, "class_counts": [4] + [0] * 9}
HERE, THERE = {"processor": "a host"}, {"processor": "another"}
PGD = np.array([[1, 1, 1, 0], [1, 0, 1, 0]], dtype=bool)  # [epsilon, image]
MARGIN = np.array([[1, 1, 0, 0], [0, 0, 1, 0]], dtype=bool)
STRONG = {"apgd-ce": np.array([True, True]), "square": np.array([True, False])}
ARRAYS: dict[str, dict[str, Any]] = {
    "clean": {"bits": np.array([1, 1, 1, 0], dtype=bool)},
    "pgd": {"bits": PGD},
    "margin": {"bits": MARGIN},
    "radii": {"levels": np.array([3, 2, 1, 0])},
    "autoattack": STRONG,
}


def stored(folder: Path, plan: Plan, cell: Cell, attacks_ran_on: dict[str, Any] | None = None) -> Record:
    """The record of a cell whose every stage took one second, two forward and three backward passes."""
    store, took = Store(folder), {"seconds": 1.0, "forward": 2, "backward": 3, "provenance": HERE}
    if cell.selection:
        for trace in cell.selection.traces:
            store.write("proxy", trace.proxy.key, Artifact({"w": np.zeros(1)}, took), trace.proxy.described)
        chosen = cell.selection.coreset
        store.write("coreset", chosen.key, Artifact({"indices": np.arange(45)}, {"seconds": 0.5}), chosen.described)
    meta = {**took, "peak_bytes": 10, "k": 45, "steps": 6}
    store.write("model", cell.model.key, Artifact({"w": np.zeros(1)}, meta), cell.model.described)
    for name, stage in cell.outcomes.items():
        meta = {**took, "peak_bytes": 20, "clean_by_class": [3] + [0] * 9, "notes": {"omitted": ["apgd-t: why"]}}
        if name != "clean":
            meta["provenance"] = attacks_ran_on or HERE
        store.write("outcome", stage.key, Artifact(dict(ARRAYS[name]), meta), stage.described)
    record = assemble(plan, cell, FACTS, store, None)
    assert record is not None
    return record


def cell_of(plan: Plan, row: str) -> Cell:
    return next(cell for cell in plan.cells if (cell.name, cell.regime_name) == (row, "standard"))


@pytest.fixture
def plan(tiny_suite: SuiteOf) -> Plan:
    values = tiny_suite(
        fractions=[0.3, 0.5], replicates=2, rows=["random", "easycore", "easycore@balanced"]
    ).canonical()
    values["attacks"]["autoattack"] = {"fractions": [0.3], "rows": ["easycore"], "test": 2}
    return make_plan(Suite.model_validate(values))


def test_each_attack_gives_verdicts_with_its_settings(plan: Plan, tmp_path: Path) -> None:
    cell = cell_of(plan, "easycore")
    record = stored(tmp_path, plan, cell)
    assert record.results
    verdicts = {(v.attack, v.epsilon): v for v in record.results.attacks}
    assert list(verdicts) == [
        ("pgd-3", 0.05), ("pgd-3", 0.1), ("margin-pgd-20", 0.05), ("margin-pgd-20", 0.1), ("autoattack", 0.1),
    ]  # fmt: skip
    for name, bits in (("pgd-3", PGD), ("margin-pgd-20", MARGIN)):
        for epsilon, kept in zip((0.05, 0.1), bits, strict=True):
            verdict = verdicts[name, epsilon]
            assert unpack_bits(verdict.bits, verdict.images).tolist() == kept.tolist()
    assert verdicts["margin-pgd-20", 0.1].spec == dict(cell.outcomes["margin"].spec)
    assert verdicts["pgd-3", 0.1].spec["step_ratio"] == 0.1
    assert verdicts["pgd-3", 0.1].spec["seed"] == cell.seeds.attack
    strong = verdicts["autoattack", 0.1]
    assert (strong.images, strong.omitted, strong.spec["images"]) == (2, ("apgd-t: why",), 2)
    assert unpack_bits(strong.bits, 2).tolist() == [True, False]
    assert record.results.radii.spec["levels"] == record.results.radii.levels == 3
    write_records(tmp_path / "records.jsonl", [record])
    assert read_records(tmp_path / "records.jsonl") == [record]


def test_a_suite_without_the_margin_attack(tiny_suite: SuiteOf, tmp_path: Path) -> None:
    values = tiny_suite().canonical()
    values["attacks"]["margin"] = None
    plan = make_plan(Suite.model_validate(values))
    record = stored(tmp_path, plan, cell_of(plan, "random"))
    assert record.results
    assert {verdict.attack for verdict in record.results.attacks} == {"pgd-3"}


def test_factors_need_no_suite_file(plan: Plan, tmp_path: Path) -> None:
    factors = {row: stored(tmp_path, plan, cell_of(plan, row)).factors for row in (FULL, "random", "easycore")}
    balanced = stored(tmp_path, plan, cell_of(plan, "easycore@balanced")).factors
    for found in factors.values():
        assert (found.suite_fractions, found.suite_replicates) == ((0.3, 0.5), 2)
        assert found.suite_cells == len(plan.cells) == 28  # (3 rows x 2 fractions + 1) x 2 regimes x 2 replicates
        assert found.dataset_spec == plan.suite.dataset
    assert (factors["easycore"].policy, factors["random"].policy, factors[FULL].policy) == ("low", "low", None)
    assert (balanced.row, balanced.policy) == ("easycore@balanced", "low+balanced")
    assert factors["easycore"].proxy_recipe == plan.suite.proxies["standard"].recipe
    assert factors["random"].proxy_recipe is None


def test_a_failed_cell_declares_the_same(plan: Plan, tmp_path: Path) -> None:
    cell = cell_of(plan, "easycore")
    record = assemble(plan, cell, FACTS, Store(tmp_path), Failure(stage="train", message="no."))
    assert record is not None
    assert (record.factors.suite_cells, record.factors.k, record.status) == (28, 45, "failed")


def test_costs_hold_the_proxies_too(plan: Plan, tmp_path: Path) -> None:
    cost = stored(tmp_path, plan, cell_of(plan, "easycore")).cost
    assert cost.seconds == {
        "proxy": 1.0, "select": 0.5, "train": 1.0, "clean": 1.0, "pgd": 1.0, "margin": 1.0, "radii": 1.0,
        "autoattack": 1.0,
    }  # fmt: skip
    assert (cost.forward, cost.backward, cost.peak_bytes) == (7 * 2, 7 * 3, 20)  # proxy, model, five outcomes
    alone = stored(tmp_path, plan, cell_of(plan, "random")).cost
    assert (alone.seconds["proxy"], alone.forward) == (0, 5 * 2)


def test_machines_are_told_apart_where_they_differ(plan: Plan, tmp_path: Path) -> None:
    cell = cell_of(plan, "easycore")
    assert stored(tmp_path / "one", plan, cell).provenance == HERE
    record = stored(tmp_path / "two", plan, cell, attacks_ran_on=THERE)
    assert record.provenance == {
        "proxy/0": HERE, "model": HERE, "clean": HERE,
        "pgd": THERE, "margin": THERE, "radii": THERE, "autoattack": THERE,
    }  # fmt: skip
    assert {origin["processor"] for origin in record.origins()} == {"a host", "another"}


def test_a_missing_stage_leaves_no_record(plan: Plan, tmp_path: Path) -> None:
    cell = cell_of(plan, "easycore")
    assert assemble(plan, cell, FACTS, Store(tmp_path), None) is None
