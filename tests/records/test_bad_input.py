"""Records that are old, mixed, doubled, cut off or missing: each meets a rule in words, never a silent average.

The rules are the table of CONTRIBUTING.md.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmark.leaderboard.document import render_markdown
from benchmark.leaderboard.outcomes import check
from benchmark.publish import publish, rebuild
from benchmark.records import Record, Seeds, read_records, write_records
from methods.errors import CoresetBenchError, UsageError
from tests.factories import COUNTS, FRACTIONS, declared, grid, line_of, record

Lines = list[dict[str, Any]]
MARKERS = "<!-- leaderboard:digits -->\n<!-- /leaderboard:digits -->\n"


def whole() -> list[Record]:
    """All cells that a suite of three rows, two fractions and three replicates declares."""
    return declared(grid(COUNTS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of these records, not published yet."""
    run = tmp_path / "results" / "local" / "digits"
    run.mkdir(parents=True)
    write_records(run / "records.jsonl", whole())
    (tmp_path / "README.md").write_text(MARKERS)
    return tmp_path


def rewritten(folder: Path, change: Callable[[Lines], Any]) -> Path:
    path = folder / "results" / "local" / "digits" / "records.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def refused(folder: Path) -> str:
    """What `publish` answers; it writes nothing then."""
    with pytest.raises(CoresetBenchError) as caught:
        publish("digits", folder / "results", folder / "README.md")
    assert not (folder / "results" / "digits").exists()
    assert (folder / "README.md").read_text() == MARKERS
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_all_of_it_is_published(folder: Path) -> None:
    publish("digits", folder / "results", folder / "README.md")
    assert read_records(folder / "results" / "digits" / "records.jsonl") == whole()


def older(lines: Lines) -> None:
    """As schema 0 might have been: another number, and fields that this one does not have."""
    lines[4] = {**lines[4], "schema_version": 0, "accuracy": "0.4"}


def unnumbered(lines: Lines) -> None:
    del lines[4]["schema_version"]


@pytest.mark.parametrize(("change", "found"), [(older, "0"), (unnumbered, "none")])
def test_another_schema_is_refused_and_not_converted(change: Callable[[Lines], None], found: str, folder: Path) -> None:
    rewritten(folder, change)
    assert f"line 5 has schema {found}, this version reads 1; write the file again" in refused(folder)


def test_older_records_of_this_schema_lack_what_came_later() -> None:
    """A field that was added since has a default that says nothing."""
    lines = [json.loads(json.dumps(found.canonical())) for found in whole()]
    for line in lines:
        for name in ("work", "null", "suite_nulls", "suite_family", "suite_proxy_seeds", "presentations"):
            del line["factors"][name]
    again = [Record.model_validate_json(json.dumps(line)) for line in lines]
    assert render_markdown(again) == render_markdown(whole())


def test_two_suite_versions_are_refused(folder: Path) -> None:
    rewritten(folder, lambda lines: lines[3].update(suite_version=2))
    assert "several suite versions (1 and 2)" in refused(folder)


def test_two_suites_are_refused(folder: Path) -> None:
    rewritten(folder, lambda lines: lines[3].update(suite="other"))
    assert "several suites (digits and other)" in refused(folder)


def other_outcome(lines: Lines) -> None:
    lines.append({**lines[0], "results": lines[5]["results"]})


@pytest.mark.parametrize("change", [lambda lines: lines.append(lines[0]), other_outcome])
def test_a_cell_twice_is_refused_even_where_both_agree(change: Callable[[Lines], Any], folder: Path) -> None:
    rewritten(folder, change)
    assert "The cell random, 0.1, standard, replicate 0 occurs 2 times" in refused(folder)


@pytest.mark.parametrize("left", [0.5, 0.98])
def test_half_a_line_is_refused_with_its_number(left: float, folder: Path) -> None:
    """As a full disk or a broken copy leaves it; a run itself writes the file whole or not at all."""
    path = rewritten(folder, lambda lines: None)
    text = path.read_text().splitlines(keepends=True)
    path.write_text("".join(text[:-1]) + text[-1][: int(left * len(text[-1]))])
    assert f"line {len(text)} is not a record of schema 1" in refused(folder)


def test_an_empty_line_is_refused(folder: Path) -> None:
    path = rewritten(folder, lambda lines: None)
    path.write_text(path.read_text().replace("\n", "\n\n", 1))
    assert "line 2 is not a record of schema 1" in refused(folder)


def test_a_record_without_its_seeds_is_refused(folder: Path) -> None:
    rewritten(folder, lambda lines: lines[2]["factors"].pop("seeds"))
    assert "line 3 is not a record of schema 1 (factors.seeds: Field required)" in refused(folder)


def test_a_missing_replicate_is_shown_and_neither_averaged_nor_ranked_nor_published(folder: Path) -> None:
    records = [r for r in whole() if (r.factors.row, r.factors.fraction, r.factors.replicate) != ("el2n", 0.1, 1)]
    page = render_markdown(records)
    assert "el2n: 1 of 6 cells is not in these records (10 %: replicate 1)." in page
    line = line_of(page, "el2n")
    assert "(2/3)" in " ".join(line)
    assert line.count("–") >= 2  # neither mean nor rank
    rewritten(folder, lambda lines: lines.pop(13))
    assert "holds 17 of the 18 cells" in refused(folder)


def with_seed(found: Record, training: int) -> Record:
    seeds = Seeds(**{**found.factors.seeds.canonical(), "training": training})
    return found.model_copy(update={"factors": found.factors.model_copy(update={"seeds": seeds})})


def test_one_replicate_under_two_numbers_is_refused() -> None:
    copied = [with_seed(r, 0) if r.factors.replicate == 2 else r for r in whole()]
    with pytest.raises(CoresetBenchError, match="hold 2 replicates of the training seed 0"):
        check(copied)


def test_rows_that_trained_with_other_seeds_are_not_paired() -> None:
    other = [with_seed(r, 77) if r.factors.row == "el2n" and r.factors.replicate == 1 else r for r in whole()]
    with pytest.raises(CoresetBenchError, match="hold 2 training seeds in replicate 1"):
        check(other)


def test_a_method_with_failed_cells_is_listed_with_the_reason_and_not_ranked(folder: Path) -> None:
    records = [
        record("el2n", r.factors.fraction, "standard", r.factors.replicate, failure="out of <memory>\nagain")
        if (r.factors.row, r.factors.fraction) == ("el2n", FRACTIONS[0])
        else r
        for r in grid(COUNTS)
    ]
    write_records(folder / "results" / "local" / "digits" / "records.jsonl", declared(records))
    publish("digits", folder / "results", folder / "README.md")
    page = (folder / "results" / "digits" / "leaderboard.md").read_text()
    assert "el2n: 3 of 6 cells failed: training: out of &lt;memory\\> again" in page
    assert line_of(page, "el2n").count("–") >= 2


@pytest.mark.parametrize("content", [b"", b"\n"])
def test_a_file_without_records_is_said_to_be_empty(content: bytes, folder: Path) -> None:
    (folder / "results" / "local" / "digits" / "records.jsonl").write_bytes(content)
    assert "holds no records; run the suite first" in refused(folder)


def test_an_empty_results_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "results" / "local").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"Nothing is published under .*; publish a run first"):
        rebuild(tmp_path / "results", tmp_path / "README.md")


def test_published_records_that_are_damaged_leave_every_page_as_it_was(folder: Path) -> None:
    publish("digits", folder / "results", folder / "README.md")
    pages = [folder / "results" / "digits" / "leaderboard.md", folder / "README.md"]
    before = [page.read_bytes() for page in pages]
    path = folder / "results" / "digits" / "records.jsonl"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CoresetBenchError, match="line 18 is not a record"):
        rebuild(folder / "results", folder / "README.md")
    assert [page.read_bytes() for page in pages] == before
