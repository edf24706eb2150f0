"""Publishing writes what the records give, and notices when a published file says something else."""

import gzip
from pathlib import Path

import pytest

from benchmark.publish import publish, rebuild, stale
from benchmark.records import read_records, write_records
from benchmark.results import suites_in
from methods.errors import CoresetBenchError, UsageError
from tests.factories import declared, record, robust

MARKED = "# A project\n\n<!-- leaderboard:digits -->\nold\n<!-- /leaderboard:digits -->\n\nThe end.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A clone with a local run of `digits` and of `other`, and a marked README."""
    records = [
        robust(right, row, 0.3, "standard", replicate)
        for row, right in (("random", 40), ("easycore", 45))
        for replicate in range(3)
    ]
    for suite in ("digits", "other"):
        write_records(tmp_path / "results" / "local" / suite / "records.jsonl", declared(records))
    (tmp_path / "README.md").write_text(MARKED)
    return tmp_path


def test_publish_writes_records_leaderboard_and_readme(folder: Path) -> None:
    results, readme = folder / "results", folder / "README.md"
    written = publish("digits", results, readme)
    published = results / "digits"
    across = [results / "claims.md", results / "site" / "index.html"]
    assert written == [published / "records.jsonl", published / "leaderboard.md", *across, readme]
    assert (published / "records.jsonl").read_bytes() == (results / "local/digits/records.jsonl").read_bytes()
    assert "# Leaderboard: digits, version 1" in (published / "leaderboard.md").read_text()
    text = readme.read_text()
    assert text.startswith("# A project\n\n<!-- leaderboard:digits -->\n")
    assert text.endswith("<!-- /leaderboard:digits -->\n\nThe end.\n")
    assert "old" not in text
    assert "easycore has the highest mean robust accuracy" in text
    assert "(results/digits/leaderboard.md)" in text
    assert stale(results, readme) == []


def test_publishing_twice_changes_nothing(folder: Path) -> None:
    results, readme = folder / "results", folder / "README.md"
    publish("digits", results, readme)
    before = readme.read_bytes(), (results / "digits/leaderboard.md").read_bytes()
    publish("digits", results, readme)
    assert (readme.read_bytes(), (results / "digits/leaderboard.md").read_bytes()) == before


def test_many_records_are_published_compressed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results, readme = folder / "results", folder / "README.md"
    whole = (results / "local/other/records.jsonl").read_bytes()
    monkeypatch.setattr("benchmark.results.LARGE", len(whole) - 1)
    compressed = publish("other", results, readme)[0]
    assert compressed == results / "other/records.jsonl.gz"
    assert gzip.decompress(compressed.read_bytes()) == whole
    assert read_records(compressed) == read_records(results / "local/other/records.jsonl")
    assert suites_in(results) == {"other": compressed}
    assert stale(results, readme) == []
    leaderboard, once = (results / "other/leaderboard.md").read_bytes(), compressed.read_bytes()
    publish("other", results, readme)
    assert compressed.read_bytes() == once
    monkeypatch.setattr("benchmark.results.LARGE", len(whole))
    assert publish("other", results, readme)[0] == results / "other/records.jsonl"
    assert not compressed.exists()
    assert (results / "other/leaderboard.md").read_bytes() == leaderboard


def test_damaged_compressed_records_are_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.results.LARGE", 0)
    compressed = publish("other", folder / "results", folder / "README.md")[0]
    compressed.write_bytes(compressed.read_bytes()[:-20])
    with pytest.raises(CoresetBenchError, match=r"records\.jsonl\.gz is damaged; take it from git again"):
        read_records(compressed)


def test_only_digits_stands_in_the_readme(folder: Path) -> None:
    publish("other", folder / "results", folder / "README.md")
    assert (folder / "README.md").read_text() == MARKED


@pytest.mark.parametrize("damaged", ["results/digits/leaderboard.md", "README.md"])
def test_an_edited_number_is_stale_until_rebuilt(folder: Path, damaged: str) -> None:
    results, readme, path = folder / "results", folder / "README.md", folder / damaged
    publish("digits", results, readme)
    publish("other", results, readme)
    good = path.read_bytes()
    path.write_bytes(good.replace(b"45.0", b"46.0", 1))
    assert stale(results, readme) == [path]
    assert rebuild(results, readme) == [path]
    assert path.read_bytes() == good
    assert rebuild(results, readme) == []


def test_text_around_the_readme_table_is_free(folder: Path) -> None:
    results, readme = folder / "results", folder / "README.md"
    publish("digits", results, readme)
    readme.write_text("More words.\n" + readme.read_text())
    assert stale(results, readme) == []


def test_missing_leaderboard_and_changed_records_are_stale(folder: Path) -> None:
    results, readme = folder / "results", folder / "README.md"
    publish("digits", results, readme)
    (results / "digits/leaderboard.md").unlink()
    assert stale(results, readme) == [results / "digits/leaderboard.md"]
    rebuild(results, readme)
    records = results / "digits/records.jsonl"
    records.write_text("".join(records.read_text().splitlines(keepends=True)[:-1]))
    assert set(stale(results, readme)) == {
        results / "digits/leaderboard.md",
        results / "claims.md",
        results / "site" / "index.html",
        readme,
    }


def test_a_run_that_is_not_there(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"There is no run of 'cifar10' .* coreset-bench run cifar10"):
        publish("cifar10", folder / "results", folder / "README.md")


@pytest.mark.parametrize("kept", [slice(1), slice(3), slice(0, None, 2)])  # a cell, a row, some replicates
def test_a_part_of_a_run_is_not_published(folder: Path, kept: slice) -> None:
    run = folder / "results/local/digits/records.jsonl"
    part = read_records(run)[kept]
    write_records(run, part)
    with pytest.raises(UsageError, match=f"{len(part)} of the 6 cells that the suite declares; run it again without"):
        publish("digits", folder / "results", folder / "README.md")
    assert not (folder / "results/digits").exists()
    assert (folder / "README.md").read_text() == MARKED


def test_a_run_with_a_failed_cell_is_published(folder: Path) -> None:
    run = folder / "results/local/digits/records.jsonl"
    good = read_records(run)
    write_records(run, declared([*good[:-1], record("easycore", 0.3, "standard", 2, failure="no memory.")]))
    publish("digits", folder / "results", folder / "README.md")
    assert "easycore: 1 of 3 cells failed" in (folder / "results/digits/leaderboard.md").read_text()


def test_nothing_published(folder: Path) -> None:
    with pytest.raises(UsageError, match="Nothing is published"):
        stale(folder / "results", folder / "README.md")


@pytest.mark.parametrize("alone", ["<!-- leaderboard:digits -->", "<!-- /leaderboard:digits -->"])
def test_a_marker_without_its_partner_writes_nothing(folder: Path, alone: str) -> None:
    readme = folder / "README.md"
    readme.write_text(f"{MARKED}\n{alone}\n")
    with pytest.raises(UsageError, match=f"has '{alone}' without its partner"):
        publish("digits", folder / "results", readme)
    assert not (folder / "results/digits").exists()


@pytest.mark.parametrize("text", ["no markers", None])
def test_a_readme_without_a_place_for_the_suite_stays(folder: Path, text: str | None) -> None:
    readme = folder / "README.md"
    readme.unlink() if text is None else readme.write_text(text)
    publish("digits", folder / "results", readme)
    assert (readme.read_text() if readme.exists() else None) == text


def test_each_suite_has_its_place_in_the_readme(folder: Path) -> None:
    results, readme = folder / "results", folder / "README.md"
    readme.write_text(MARKED + MARKED.replace("digits", "other"))
    publish("digits", results, readme)
    first, second = readme.read_text().split("The end.\n")[:2]
    assert "(results/digits/leaderboard.md)" in first
    assert second == MARKED.replace("digits", "other").removesuffix("The end.\n")  # not published yet
    publish("other", results, readme)
    assert readme.read_text().split("The end.\n")[0] == first
    assert "(results/other/leaderboard.md)" in readme.read_text()
    assert stale(results, readme) == []


def test_a_damaged_run_is_not_published(folder: Path) -> None:
    run = folder / "results/local/digits/records.jsonl"
    run.write_bytes(run.read_bytes()[:-30])
    with pytest.raises(CoresetBenchError, match="line 6 is not a record"):
        publish("digits", folder / "results", folder / "README.md")
    assert not (folder / "results/digits").exists()
    assert (folder / "README.md").read_text() == MARKED
