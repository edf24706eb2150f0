"""Random draws beside a suite's cells: planned with seeds of their own, drawn with given class counts, kept apart."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.execution.run import run_suite
from benchmark.plan import Cell, Plan, make_plan
from benchmark.publish import publish
from benchmark.records import read_records
from benchmark.spec import Suite
from benchmark.store import Store
from methods.errors import UsageError

NULLS = {"draws": 4, "rows": ["easycore"], "fractions": [0.3]}


@pytest.fixture
def planned(tiny_suite: Callable[..., Suite]) -> Plan:
    return make_plan(tiny_suite(fractions=[0.3, 0.6], replicates=2, nulls=NULLS))


def nulls_of(plan: Plan) -> list[Cell]:
    return [cell for cell in plan.cells if cell.null]


def test_each_fraction_and_regime_gets_its_draws(planned: Plan) -> None:
    counts = Counter((cell.null, cell.fraction, cell.regime_name) for cell in nulls_of(planned))
    uniform = {("uniform", fraction, regime) for fraction in (0.3, 0.6) for regime in ("standard", "trades")}
    matched = {("easycore", 0.3, regime) for regime in ("standard", "trades")}
    assert counts == dict.fromkeys(uniform | matched, 4)
    assert len(planned.by_id) == len(planned.cells)
    assert "tiny/null:easycore/0.3/trades/3" in planned.by_id


def test_draws_are_cells_of_their_own(planned: Plan, tiny_suite: Callable[..., Suite]) -> None:
    """The suite's own cells keep their keys, and no draw shares a seed or a model with them."""
    rows = [cell for cell in planned.cells if not cell.null]
    bare = make_plan(tiny_suite(fractions=[0.3, 0.6], replicates=2)).cells
    assert [cell.model.key for cell in rows] == [cell.model.key for cell in bare]
    draws = nulls_of(planned)
    assert len({cell.model.key for cell in planned.cells}) == len(planned.cells)
    for purpose in ("selection", "training", "attack"):
        own = {getattr(cell.seeds, purpose) for cell in rows}
        assert not own & {getattr(cell.seeds, purpose) for cell in draws}
        assert len({getattr(cell.seeds, purpose) for cell in draws}) == 4
    assert {tuple(cell.outcomes) for cell in draws} == {("clean", "pgd", "margin")}


def test_class_counts_are_those_of_each_replicate_in_turn(planned: Plan) -> None:
    matched = [cell.selection for cell in nulls_of(planned) if cell.null == "easycore"]
    likes = {
        cell.selection.coreset.key: cell.replicate
        for cell in planned.cells
        if cell.selection and cell.name == "easycore" and cell.fraction == 0.3
    }
    found = [likes[s.like.coreset.key] for s in matched if s and s.like]
    assert found == [0, 1, 0, 1] * 2
    assert set(likes) <= {selection.coreset.key for selection in planned.selections()}


def test_other_replicates_are_planned_without_draws(tiny_suite: Callable[..., Suite]) -> None:
    assert not nulls_of(make_plan(tiny_suite(replicates=2, nulls=NULLS), replicates=[7]))
    assert nulls_of(make_plan(tiny_suite(replicates=2, nulls=NULLS), replicates=[0, 1]))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"nulls": {"rows": ["easycor"]}}, "easycore"),
        ({"nulls": {"fractions": [0.5]}}, "nulls names the fraction 0.5, which the suite does not have"),
        ({"nulls": {"draws": 1}}, "greater than or equal to 2"),
        ({"rows": ["random", {"method": "loss", "label": "null:loss"}]}, "names that begin with 'null:'"),
        ({"nulls": {"rows": ["random"] * 7}}, "at most 6"),
    ],
)
def test_what_no_suite_may_declare(tiny_suite: Callable[..., Suite], changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        tiny_suite(**changes)


def test_the_dynamic_track_has_no_nulls(tiny_suite: Callable[..., Suite]) -> None:
    with pytest.raises(UsageError, match=r"Nulls are coresets, and the rows of suite 'tiny' re-select; drop \[nulls\]"):
        make_plan(tiny_suite(rows=["rs2"], nulls={"draws": 2}))


def test_a_run_draws_records_resumes_and_is_published_whole(
    tmp_path: Path, tiny_suite: Callable[..., Suite], settings_in: Callable[..., Any], quiet: Any
) -> None:
    one = tiny_suite().regimes["standard"].canonical()
    suite = tiny_suite(nulls=NULLS | {"draws": 2}, regimes={"standard": one}, full=False)
    settings = settings_in(tmp_path)
    assert run_suite(suite, settings, quiet).failed == []
    assert run_suite(suite, settings, quiet).computed == 0
    records = read_records(tmp_path / "results/local/tiny/records.jsonl")
    draws = [record for record in records if record.factors.null]
    assert [(r.factors.row, r.factors.null, r.factors.replicate) for r in draws] == [
        ("null:uniform", "uniform", 0),
        ("null:uniform", "uniform", 1),
        ("null:easycore", "easycore", 0),
        ("null:easycore", "easycore", 1),
    ]
    assert {(r.factors.suite_cells, r.factors.suite_nulls) for r in records} == {(2, 4)}
    assert {(r.factors.method, r.factors.k, r.results.radii.images if r.results else -1) for r in draws} == {
        ("random", 45, 0)
    }
    assert all({v.attack for v in r.results.attacks} == {"pgd-3", "margin-pgd-20"} for r in draws if r.results)
    plan, store = make_plan(suite), Store(tmp_path / "store")
    labels = store.read("data", plan.data.stage.key)
    assert labels
    for cell in nulls_of(plan):
        assert cell.selection
        made = store.read("coreset", cell.selection.coreset.key)
        assert made
        picks = made.arrays["indices"]
        assert len(set(picks.tolist())) == 45
        if cell.null == "easycore":
            assert cell.selection.like
            like = store.read("coreset", cell.selection.like.coreset.key)
            assert like
            of = [np.bincount(labels.arrays["labels"][p], minlength=10) for p in (picks, like.arrays["indices"])]
            np.testing.assert_array_equal(*of)
            assert set(picks.tolist()) != set(like.arrays["indices"].tolist())
    part = tmp_path / "results/local/tiny/records.jsonl"
    lines = part.read_text().splitlines(keepends=True)
    part.write_text("".join(lines[:-1]))
    with pytest.raises(UsageError, match="3 of the 4 random draws"):
        publish("tiny", tmp_path / "results", tmp_path / "README.md")
    part.write_text("".join(lines))
    publish("tiny", tmp_path / "results", tmp_path / "README.md")
