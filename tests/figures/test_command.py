"""`coreset-bench figures`: which records it reads, where it writes, and what it says."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark.cli import app
from benchmark.records import write_records
from methods.errors import UsageError
from tests.figures.drawn import board

OF_RECORDS = ["fractions", "gains", "radii", "tradeoff"]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[str]]:
    """Runs the command on results in a folder; what it prints, line by line. What it refuses is raised."""

    def figures(*words: str) -> list[str]:
        options = ["--results", str(tmp_path / "results"), "--store", str(tmp_path / "store")]
        result = CliRunner().invoke(app, ["figures", *words, *options], catch_exceptions=False)
        if isinstance(result.exception, UsageError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output.splitlines()

    return figures


def written(folder: Path, kind: str) -> list[str]:
    return sorted(path.stem for path in folder.glob(f"*.{kind}"))


def test_without_a_suite_all_published_ones_are_drawn_from_records(
    tmp_path: Path, run: Callable[..., list[str]]
) -> None:
    for place in ("digits", "other", "local/digits"):
        write_records(tmp_path / "results" / place / "records.jsonl", board())
    run()
    for suite in ("digits", "other"):
        folder = tmp_path / "results" / suite / "figures"
        assert written(folder, "svg") == written(folder, "csv") == OF_RECORDS
        assert written(folder, "png") == []
    assert not (tmp_path / "results/local/digits/figures").exists()
    assert not (tmp_path / "store").exists()


def test_one_suite_says_what_the_store_lacks(tmp_path: Path, run: Callable[..., list[str]]) -> None:
    write_records(tmp_path / "results/local/digits/records.jsonl", board())
    lines = run("digits", "--png", "--out", str(tmp_path / "out"))
    assert written(tmp_path / "out", "svg") == written(tmp_path / "out", "png") == OF_RECORDS
    assert any("coreset-bench figures digits --trace" in line for line in lines)
    assert not (tmp_path / "results/local/digits/figures").exists()


def test_one_figure_alone(tmp_path: Path, run: Callable[..., list[str]]) -> None:
    write_records(tmp_path / "results/digits/records.jsonl", board())
    assert len(run("digits", "--figure", "gains")) == 1
    assert written(tmp_path / "results/digits/figures", "svg") == ["gains"]


def test_published_records_come_before_those_of_a_run_here(tmp_path: Path, run: Callable[..., list[str]]) -> None:
    write_records(tmp_path / "results/digits/records.jsonl", board())
    (tmp_path / "results/local/digits").mkdir(parents=True)
    (tmp_path / "results/local/digits/records.jsonl").write_text("half a line")
    run("digits")
    assert written(tmp_path / "results/digits/figures", "svg") == OF_RECORDS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "Nothing is published"),
        (("digits",), "There are no results"),
        (("--trace",), "--trace is for one suite"),
        (("--out", "there"), "--out is for one suite"),
        (("--figure", "radius"), "radii"),
    ],
)
def test_mistakes_are_answered_in_words(run: Callable[..., list[str]], words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run(*words)


def test_a_misspelt_suite_is_told_its_neighbour(tmp_path: Path, run: Callable[..., list[str]]) -> None:
    write_records(tmp_path / "results/digits/records.jsonl", board())
    with pytest.raises(UsageError, match="digits"):
        run("digit")
