"""What an export consists of: the content of each file, for each format."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmark.exports import latex, robustbench
from benchmark.exports.cells import cells
from benchmark.exports.columns import to_csv, to_parquet, to_table
from benchmark.exports.images import images
from benchmark.leaderboard.document import as_markdown, leaderboard
from benchmark.leaderboard.outcomes import check
from benchmark.records import Record
from benchmark.store import write_atomically

FORMATS = ("csv", "parquet", "latex", "markdown", "json")
FOLDER = "exports"  # beside the records
MODEL_INFO = "model_info"
LATEX = "latex"


def contents(records: Sequence[Record], formats: Sequence[str] = FORMATS) -> Iterator[tuple[str, bytes]]:
    """Each file's path and content, one after the other.

    Raises:
        CoresetBenchError: no records, or records that do not belong in one table or cannot be decoded.
    """
    check(records)
    if {"csv", "parquet"} & set(formats):
        columns = cells(records)
        if "csv" in formats:
            yield "cells.csv", to_csv(columns)
        if "parquet" in formats:
            yield "cells.parquet", to_parquet([to_table(columns)])
            yield "images.parquet", images(records)
    if {"latex", "markdown"} & set(formats):
        board = leaderboard(records)
        if "markdown" in formats:
            yield "leaderboard.md", as_markdown(board).encode()
        if "latex" in formats:
            for name, text in latex.files(board, records[0].suite).items():
                yield f"{LATEX}/{name}", text.encode()
    if "json" in formats:
        for name, text in robustbench.files(records).items():
            yield f"{MODEL_INFO}/{name}", text.encode()


def write(records: Sequence[Record], folder: Path, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Writes an export into a folder; the files written, in order.

    Raises:
        CoresetBenchError: as `contents`, or the folder cannot be written.
    """
    written = []
    for name, data in contents(records, formats):
        write_atomically(folder / name, data)
        written.append(folder / name)
    return written


def left_over(folder: Path, written: Sequence[Path]) -> list[Path]:
    """Files of an earlier export that this one did not write, in the folders that it names files by records in."""
    found = [path for part in (LATEX, MODEL_INFO) for path in (folder / part).glob("**/*") if path.is_file()]
    return sorted(set(found) - set(written))
