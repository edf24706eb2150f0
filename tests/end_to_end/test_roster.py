"""Every method of the field goes through the whole harness: traced, selected, trained on and attacked."""

from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmark.execution.run import Settings, run_suite
from benchmark.spec import Suite
from methods import registry


def test_every_static_method_becomes_a_record(
    tiny_suite: Callable[..., Suite], tmp_path: Path, settings_in: Callable[..., Settings], quiet: Console
) -> None:
    rows = [name for name in registry.method_names() if registry.get(name).info.kind != "dynamic"]
    values = tiny_suite(rows=rows, full=False).canonical()
    del values["regimes"]["trades"]
    values["dataset"]["train"] = 300
    ran = run_suite(Suite.model_validate(values), settings_in(tmp_path, jobs=2), quiet)
    assert not [(r.factors.row, r.failure.message) for r in ran.records if r.failure]
    assert [r.factors.row for r in ran.records] == rows
    assert {r.factors.k for r in ran.records} == {90}
