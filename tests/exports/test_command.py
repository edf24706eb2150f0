"""The command: all formats or some, published suites or a file, one sentence for what cannot be done."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark.cli.common import app
from benchmark.leaderboard.document import render_markdown
from benchmark.records import write_records
from methods.errors import CoresetBenchError, UsageError
from tests.exports.samples import counted, suite


@pytest.fixture
def results(tmp_path: Path) -> Path:
    write_records(tmp_path / "digits" / "records.jsonl", suite())
    write_records(tmp_path / "local" / "other" / "records.jsonl", counted())
    return tmp_path


def export(*arguments: object) -> str:
    found = CliRunner().invoke(app, ["export", *map(str, arguments)])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.output


def test_all_formats_by_default(results: Path) -> None:
    printed = export("digits", "--results", results)
    folder = results / "digits" / "exports"
    assert {path.name for path in folder.iterdir()} == {
        "cells.csv",
        "cells.parquet",
        "images.parquet",
        "leaderboard.md",
        "latex",
        "model_info",
    }
    assert (folder / "leaderboard.md").read_text() == render_markdown(suite())
    assert f"Written: {folder / 'cells.csv'}" in printed
    assert list((folder / "model_info" / "digits" / "Linf").glob("*.json"))


def test_the_same_records_give_the_same_bytes(results: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        export("digits", "--results", results, "--out", folder)
    one, two = ({p.relative_to(f): p.read_bytes() for p in f.glob("**/*") if p.is_file()} for f in folders)
    assert one == two


def test_formats_that_are_asked_for(results: Path, tmp_path: Path) -> None:
    export("digits", "--results", results, "--out", tmp_path / "x", "--format", "csv", "--format", "markdown")
    assert {path.name for path in (tmp_path / "x").iterdir()} == {"cells.csv", "leaderboard.md"}


def test_a_file_of_records_needs_no_suite(results: Path) -> None:
    printed = export("--records", results / "local" / "other" / "records.jsonl")
    assert (results / "local" / "other" / "exports" / "images.parquet").is_file()
    assert "No JSON entries: no model of these records met AutoAttack." in printed


def test_a_local_run_is_found_by_its_name(results: Path) -> None:
    export("other", "--results", results, "--format", "csv")
    assert (results / "local" / "other" / "exports" / "cells.csv").is_file()


def test_without_a_suite_every_published_one_is_written(results: Path) -> None:
    export("--results", results, "--format", "csv")
    assert (results / "digits" / "exports" / "cells.csv").is_file()
    assert not (results / "local" / "other" / "exports").exists()


def test_files_of_an_earlier_export_are_named_and_left(results: Path) -> None:
    old = results / "digits" / "exports" / "model_info" / "digits" / "Linf" / "old.json"
    export("digits", "--results", results)
    old.write_text("{}")
    assert f"1 files in {results / 'digits' / 'exports'}, such as {old}" in export("digits", "--results", results)
    assert old.is_file()


def test_mistakes_are_one_sentence(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Unknown suite"):
        export("digit", "--results", results)
    with pytest.raises(UsageError, match="not both"):
        export("digits", "--records", results / "digits" / "records.jsonl")
    with pytest.raises(UsageError, match="--out is for one suite"):
        export("--results", results, "--out", tmp_path / "x")
    with pytest.raises(UsageError, match="Nothing is published"):
        export("--results", tmp_path / "nowhere")
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    with pytest.raises(CoresetBenchError, match="holds no records"):
        export("--records", empty)
    assert not (tmp_path / "exports").exists()
