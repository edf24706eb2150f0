"""Where records lie under `results/`: a folder for each suite that is published, and `local/` for what was run here.

Published records of more than some megabytes are compressed (`records.jsonl.gz`, which `zcat` and pandas read).
"""

import gzip
from pathlib import Path

from methods.errors import UsageError, unknown

LOCAL = "local"
RECORDS = "records.jsonl"
COMPRESSED = "records.jsonl.gz"
TUNING = "tuning.jsonl"  # what the suite's recipes were chosen by, where `tune` was run
LARGE = 8_000_000  # bytes above which published records are compressed


def records_in(folder: Path) -> Path | None:
    """The file of records in a suite's folder."""
    return next((path for name in (RECORDS, COMPRESSED) if (path := folder / name).is_file()), None)


def suites_in(results: Path) -> dict[str, Path]:
    """The records of each suite in a folder of suites' folders, `local` aside, in the order of their names."""
    folders = sorted(path for path in results.glob("*") if path.name != LOCAL)
    return {folder.name: path for folder in folders if (path := records_in(folder))}


def published(results: Path) -> dict[str, Path]:
    """The same; a UsageError where there is none."""
    if found := suites_in(results):
        return found
    raise UsageError(f"Nothing is published under {results}; publish a run first: make publish SUITE=digits")


def records_of(suite: str, *folders: Path) -> Path:
    """The suite's records in the first of these folders that has them.

    Raises:
        UsageError: none has.
    """
    for folder in folders:
        if path := records_in(folder / suite):
            return path
    known = sorted({name for folder in folders for name in suites_in(folder)})
    if not known:
        raise UsageError(f"There are no results in {folders[0]}; run a suite first (coreset-bench run SUITE).")
    raise unknown(f"suite among the results in {folders[0]}:", suite, known)


def packed(records: bytes) -> tuple[str, bytes]:
    """The name and the content under which records are published."""
    if len(records) <= LARGE:
        return RECORDS, records
    return COMPRESSED, gzip.compress(records, 9, mtime=0)  # without a time: the same bytes for the same records
