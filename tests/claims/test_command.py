"""The command on folders: it writes, checks and measures, and says what is wrong."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmark.claims.measurement import Measurement, read_measurements
from benchmark.cli import app
from benchmark.records import write_records
from methods.errors import CoresetBenchError, UsageError
from tests.claims.test_measurement import measurement
from tests.factories import COUNTS, declared, grid


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_records(tmp_path / "digits" / "records.jsonl", declared(grid(COUNTS)))
    return tmp_path


def run(results: Path, *arguments: str) -> Any:
    found = CliRunner().invoke(app, ["claims", "--results", str(results), *arguments])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def test_a_page_is_up_to_date_until_a_record_changes(results: Path) -> None:
    with pytest.raises(CoresetBenchError, match=r"Out of date: .*claims\.md"):
        run(results, "--check")
    run(results, "--render")
    assert "is what the published records give" in run(results, "--check").output
    counts = COUNTS | {"easycore": [[90, 90, 90], [90, 90, 90]]}
    write_records(results / "digits" / "records.jsonl", declared(grid(counts)))
    with pytest.raises(CoresetBenchError, match="Out of date"):
        run(results, "--check")


def test_an_edited_verdict_fails_the_check(results: Path) -> None:
    run(results, "--render")
    page = results / "claims.md"
    page.write_bytes(page.read_bytes().replace(b"**supported**", b"**not supported**", 1))
    with pytest.raises(CoresetBenchError, match="Out of date"):
        run(results, "--check")


def test_answers_are_printed_and_given_as_numbers(results: Path) -> None:
    printed = run(results).output
    question = "Is EasyCore more robust than uniform draws, under standard training?"
    assert f"{question}\n  supported      digits (N = 1,100, mlp)" in printed
    lines = json.loads(run(results, "--json").output)
    (line,) = (line for line in lines if line["question"] == "uniform")
    assert line["low"] < line["value"] < line["high"]
    assert line["verdict"] == "supported"


def test_measuring_adds_line_by_line_and_writes_the_page(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def measured(suite: str, replicates: int | None, device: str, **places: object) -> Iterator[Measurement]:
        asked.append((suite, replicates, device))
        yield measurement(suite=suite)
        assert read_measurements(results / "claims" / "measurements.jsonl") == [measurement(suite=suite)]
        yield measurement(suite=suite, case="DeepFool")

    monkeypatch.setattr("benchmark.experiments.measure.measure", measured)
    run(results, "--measure", "digits", "--replicates", "3")
    assert asked == [("digits", 3, "cpu")]
    assert len(read_measurements(results / "claims" / "measurements.jsonl")) == 2
    run(results, "--check")


def test_one_thing_at_a_time(results: Path) -> None:
    with pytest.raises(UsageError, match="Choose one of"):
        run(results, "--check", "--render")
