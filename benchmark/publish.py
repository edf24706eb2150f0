"""Publishing: records and leaderboards under `results/`, which git keeps, and the digits table inside the README.

A run's own results lie in `results/local/SUITE/`, which git ignores. Published leaderboards are a function of the
published records beside them, and the claims, the page and the findings (where `results` has their template) of all of
these, so they can be written again, and checked, at any time.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from benchmark.claims import page as claims
from benchmark.claims.answers import ask, read
from benchmark.claims.evidence import Published
from benchmark.claims.measurement import Measurement
from benchmark.findings import page as findings
from benchmark.leaderboard.document import as_markdown, as_summary
from benchmark.page import build as site
from benchmark.records import Record, read_records
from benchmark.results import COMPRESSED, LOCAL, RECORDS, packed
from benchmark.store import write_atomically
from methods.errors import UsageError

LEADERBOARD = "leaderboard.md"
TUNING = "tuning.jsonl"  # what the suite's recipes were chosen by, where `tune` was run
README_SUITE = "digits"  # its summary stands in the README


def publish(suite: str, results: Path, readme: Path) -> list[Path]:
    """Copies a run's records and trials to `results/SUITE/` and writes what is derived from them; the files written.

    Nothing is written unless all of it can be.

    Raises:
        UsageError: there is no run of this suite, it lacks cells that the suite declares, or the README lacks its
            markers.
        CoresetBenchError: the records cannot be read or do not make one table, or the findings say otherwise.
    """
    run = results / LOCAL / suite / RECORDS
    if not run.is_file():
        raise UsageError(f"There is no run of '{suite}' at {run}; run it first: coreset-bench run {suite}")
    whole = Published(suite, read_records(run))
    _require_whole(suite, whole.records)
    derived = _derived(whole, results, readme) | _across(*read(results, whole), results)
    folder, (name, content) = results / suite, packed(run.read_bytes())
    copies = {folder / name: content}
    if (trials := run.with_name(TUNING)).is_file():
        copies[folder / TUNING] = trials.read_bytes()
    _write(copies | derived)
    (folder / (RECORDS if name == COMPRESSED else COMPRESSED)).unlink(missing_ok=True)
    return [*copies, *derived]


def _require_whole(suite: str, records: Sequence[Record]) -> None:
    """Refuses a part of a run. A cell that failed is there, with its reason; random draws are demanded likewise."""
    cells = sum(not record.factors.null for record in records)
    found = {"cells": cells, "random draws": len(records) - cells}
    declared = {
        "cells": records[0].factors.suite_cells if records else 0,
        "random draws": records[0].factors.suite_nulls if records else 0,
    }
    for what, count in declared.items():
        if found[what] < count:
            raise UsageError(
                f"The run of '{suite}' holds {found[what]} of the {count} {what} that the suite declares; "
                f"run it again without --only: coreset-bench run {suite}"
            )


def rebuild(results: Path, readme: Path) -> list[Path]:
    """Writes again what is derived from published records; the files that changed.

    Raises:
        UsageError: nothing is published, or the README lacks its markers.
        CoresetBenchError: published records cannot be read or do not make one table, or the findings say otherwise.
    """
    changed = _outdated(results, readme)
    _write(changed)
    return list(changed)


def stale(results: Path, readme: Path) -> list[Path]:
    """The published files that are not what the published records give.

    Raises:
        UsageError, CoresetBenchError: as `rebuild`.
    """
    return list(_outdated(results, readme))


def _outdated(results: Path, readme: Path) -> dict[Path, bytes]:
    suites, measurements = read(results)
    if not suites:
        raise UsageError(f"Nothing is published under {results}; publish a run first: make publish SUITE=digits")
    derived: dict[Path, bytes] = {}
    for suite in suites:
        derived |= _derived(suite, results, readme)
    derived |= _across(suites, measurements, results)
    return {path: data for path, data in derived.items() if not path.is_file() or path.read_bytes() != data}


def _derived(suite: Published, results: Path, readme: Path) -> dict[Path, bytes]:
    """The content of each file that is derived from the records of one suite."""
    leaderboard = results / suite.name / LEADERBOARD
    files = {leaderboard: as_markdown(suite.board).encode()}
    if suite.name == README_SUITE:
        summary = as_summary(suite.board, link=Path(os.path.relpath(leaderboard, readme.parent)).as_posix())
        files[readme] = _between_markers(suite.name, summary, readme).encode()
    return files


def _across(suites: Sequence[Published], measurements: Sequence[Measurement], results: Path) -> dict[Path, bytes]:
    """The content of each file that is derived from all suites together."""
    asked = ask(suites, measurements)
    files = {results / claims.PAGE: claims.rendered(asked).encode(), results / site.PAGE: site.built(suites, asked)}
    if (results / findings.TEMPLATE).is_file():
        files[results / findings.PAGE] = findings.rendered(results, suites, asked).encode()
    return files


def _between_markers(suite: str, block: str, readme: Path) -> str:
    """The README with `block` in the place between its two markers."""
    start, end = f"<!-- leaderboard:{suite} -->", f"<!-- /leaderboard:{suite} -->"
    text = readme.read_bytes().decode() if readme.is_file() else ""
    head, opened, rest = text.partition(start)
    _, closed, tail = rest.partition(end)
    if not (opened and closed):
        raise UsageError(f"{readme} lacks the lines '{start}' and '{end}'; add them where the table belongs.")
    return f"{head}{start}\n\n{block.strip()}\n\n{end}{tail}"


def _write(files: dict[Path, bytes]) -> None:
    for path, data in files.items():
        write_atomically(path, data)
