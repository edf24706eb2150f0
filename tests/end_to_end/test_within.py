"""A run with a limit of time: it begins what fits, stops in order, says what is left, and goes on later."""

import json
import re
import time
from collections.abc import Callable
from io import StringIO
from multiprocessing import active_children
from pathlib import Path

import pytest
from rich.console import Console

from benchmark.execution import run as module
from benchmark.execution.limit import Limit, Load
from benchmark.execution.run import Settings, run_suite
from benchmark.leaderboard.document import render_markdown
from benchmark.plan import make_plan
from benchmark.records import Record, read_records
from benchmark.spec import Suite
from benchmark.store import Store

SettingsIn = Callable[..., Settings]
FIRST = ("*/trades/0", "*/standard/0")


@pytest.fixture
def suite(tiny_suite: Callable[..., Suite]) -> Suite:
    """Two replicates that share a proxy."""
    return tiny_suite(replicates=2, first=FIRST, proxy_seeds={"standard": 1})


def outcome(record: Record) -> str:
    return json.dumps({k: v for k, v in record.canonical().items() if k not in ("cost", "provenance")})


def test_a_limited_run_goes_on_to_the_same_records(
    suite: Suite, tmp_path: Path, settings_in: SettingsIn, monkeypatch: pytest.MonkeyPatch, quiet: Console
) -> None:
    """The limit of this test has room for three cells, however fast the machine."""
    begun: list[str] = []

    class ThreeCells(Limit):
        def allows(self, load: Load) -> bool:
            return "pgd" not in load.kind or len(begun) < 3

        def took(self, load: Load, seconds: float) -> None:
            assert seconds > 0
            if "pgd" in load.kind:
                begun.append(load.kind)
            super().took(load, seconds)

    printed = Console(file=StringIO(), width=300)
    with monkeypatch.context() as patch:
        patch.setattr(module, "Limit", ThreeCells)
        part = run_suite(suite, settings_in(tmp_path, within=600.0), printed)
    assert [record.cell for record in part.records] == [f"tiny/{row}/trades/0" for row in ("full/1", *two())]
    assert (part.computed, part.left) == (12, 9)
    said = printed.file.getvalue()  # type: ignore[attr-defined]
    assert re.search(
        r"Left undone within the limit: 9 models \(standard 6, trades 3\), about \d+ \w+ on 1 worker", said
    )
    assert read_records(part.folder / "records.jsonl") == list(part.records)

    page = render_markdown(part.records)
    assert "3 of the 12 cells that the suite declares" in page
    assert "No row has every cell that the suite declares, so nothing is summarised or ranked." in page
    assert "easycore: 1 of 2 cells is not in these records (30 %: replicate 1)." in page
    assert "conditional on the proxy: replicates share 1 standard proxy" in page

    plan, store = make_plan(suite), Store(settings_in(tmp_path).store)
    assert all(selection.coreset.done(store) for selection in plan.selections())  # the proxy is needed no more
    (trace,) = plan.traces()
    for stage in (trace.proxy, *trace.signals.values()):
        store.remove(stage.kind, stage.key)
    rest = run_suite(suite, settings_in(tmp_path, within=600.0), quiet)
    assert (rest.computed, rest.left, len(rest.records)) == (9, 0, 12)
    assert not trace.done(store)
    alone = run_suite(suite, settings_in(tmp_path / "alone"), quiet)
    assert list(map(outcome, rest.records)) == list(map(outcome, alone.records))
    assert {r.factors.suite_proxy_seeds["standard"] for r in rest.records} == {1}


def two() -> tuple[str, str]:
    return "random/0.3", "easycore/0.3"


def test_what_is_at_work_at_the_limit_is_stopped(
    tiny_suite: Callable[..., Suite],
    tmp_path: Path,
    settings_in: SettingsIn,
    monkeypatch: pytest.MonkeyPatch,
    quiet: Console,
) -> None:
    """As where a machine turns slow: what was thought to fit does not."""

    class Hopeful(Limit):
        def allows(self, load: Load) -> bool:
            if "pgd" in load.kind:
                self.end = self.clock() + 1
            return True

    values = tiny_suite(full=False).canonical()
    for regime in values["regimes"].values():
        regime["recipe"]["epochs"] = 10**6
    monkeypatch.setattr(module, "Limit", Hopeful)
    before, started = set(active_children()), time.monotonic()
    summary = run_suite(Suite.model_validate(values), settings_in(tmp_path, jobs=2, within=600.0), quiet)
    assert (summary.records, summary.left) == ((), 4)
    assert time.monotonic() - started < 300
    assert set(active_children()) <= before
    kinds = {kind for kind, _ in Store(tmp_path / "store").artifacts()}
    assert kinds == {"data", "proxy", "signal", "coreset"}


def test_a_training_that_does_not_fit_is_not_begun(
    tiny_suite: Callable[..., Suite], tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    values = tiny_suite(full=False, rows=["random"]).canonical()
    values["regimes"]["trades"]["recipe"]["epochs"] = 10**6
    started = time.monotonic()
    summary = run_suite(Suite.model_validate(values), settings_in(tmp_path, within=200.0), quiet)
    assert [record.cell for record in summary.records] == ["tiny/random/0.3/standard/0"]
    assert summary.left == 1
    assert time.monotonic() - started < 150
