"""Publishing: records and leaderboards under `results/`, which git keeps, and summaries inside the README.

A run's own results lie in `results/local/SUITE/`, which git ignores. Published leaderboards are a function of the
published records beside them, and the claims, the page and the findings (where `results` has their template) of all of
these, so they can be written again, and checked, at any time.
"""

import os
import re
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
from benchmark.results import COMPRESSED, LOCAL, RECORDS, TUNING, packed
from benchmark.store import write_atomically
from methods.errors import UsageError

LEADERBOARD = "leaderboard.md"
# Where the README has a suite's summary: between these two.
_PLACE = re.compile(r"(<!-- leaderboard:(\S+) -->).*?(<!-- /leaderboard:\2 -->)", re.DOTALL)
_MARKER = re.compile(r"<!-- /?leaderboard:\S+ -->")


def publish(suite: str, results: Path, readme: Path) -> list[Path]:
    """Copies a run's records and trials to `results/SUITE/` and writes what is derived from them; the files written.

    Nothing is written unless all of it can be.

    Raises:
        UsageError: there is no run of this suite, it lacks cells that the suite declares, or a marker in the README
            lacks its partner.
        CoresetBenchError: the records cannot be read or do not make one table, or the findings say otherwise.
    """
    run = results / LOCAL / suite / RECORDS
    if not run.is_file():
        raise UsageError(f"There is no run of '{suite}' at {run}; run it first: coreset-bench run {suite}")
    whole = Published(suite, read_records(run))
    _require_whole(suite, whole.records)
    derived = _leaderboard(whole, results) | _across(*read(results, whole), results, readme)
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
        UsageError: nothing is published, or a marker in the README lacks its partner.
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
    derived = _across(suites, measurements, results, readme)
    for suite in suites:
        derived |= _leaderboard(suite, results)
    return {path: data for path, data in derived.items() if not path.is_file() or path.read_bytes() != data}


def _leaderboard(suite: Published, results: Path) -> dict[Path, bytes]:
    return {results / suite.name / LEADERBOARD: as_markdown(suite.board).encode()}


def _across(
    suites: Sequence[Published], measurements: Sequence[Measurement], results: Path, readme: Path
) -> dict[Path, bytes]:
    """The content of each file that is derived from all suites together."""
    asked = ask(suites, measurements)
    files = {results / claims.PAGE: claims.rendered(asked).encode(), results / site.PAGE: site.built(suites, asked)}
    if (results / findings.TEMPLATE).is_file():
        files[results / findings.PAGE] = findings.rendered(results, suites, asked).encode()
    if readme.is_file():
        files[readme] = _with_summaries(readme, suites, results).encode()
    return files


def _with_summaries(readme: Path, suites: Sequence[Published], results: Path) -> str:
    """The README, with the summary of each of these suites in the place that it has for it."""
    known, text = {suite.name: suite for suite in suites}, readme.read_bytes().decode()
    if alone := _MARKER.findall(_PLACE.sub("", text)):
        raise UsageError(
            f"{readme} has '{alone[0]}' without its partner; a summary stands between "
            "'<!-- leaderboard:SUITE -->' and '<!-- /leaderboard:SUITE -->'."
        )

    def filled(place: re.Match[str]) -> str:
        start, name, end = place.groups()
        if name not in known:
            return place[0]
        link = Path(os.path.relpath(results / name / LEADERBOARD, readme.parent)).as_posix()
        return f"{start}\n\n{as_summary(known[name].board, link=link).strip()}\n\n{end}"

    return _PLACE.sub(filled, text)


def _write(files: dict[Path, bytes]) -> None:
    for path, data in files.items():
        write_atomically(path, data)
