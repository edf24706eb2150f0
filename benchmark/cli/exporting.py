"""The command of exports: export."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import RESULTS, ResultsPath, app
from methods.errors import UsageError


class Format(StrEnum):
    """What `benchmark.exports.files` can write."""

    csv = "csv"
    parquet = "parquet"
    latex = "latex"
    markdown = "markdown"
    json = "json"


@app.command()
def export(
    suite: Annotated[
        str | None, typer.Argument(metavar="[SUITE]", help="A suite with records: published, or else run here.")
    ] = None,
    records: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A file of records, in place of a suite's name.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder. [default: exports/ beside the records]", show_default=False)
    ] = None,
    format: Annotated[
        list[Format] | None,
        typer.Option(help="What to write; may be repeated. [default: all]", show_default=False),
    ] = None,
    results: ResultsPath = RESULTS,
) -> None:
    """Write a suite's records in forms that other programs read.

    csv: cells.csv, a row for each cell. parquet: the same, and images.parquet, a row for each cell and test image.
    latex: a file for each table, and a document of all. markdown: the leaderboard. json: an entry in RobustBench's
    layout for each model that met AutoAttack. Without a suite, every published one is written.

    Example: coreset-bench export digits --format csv --format latex
    """
    if suite is not None and records is not None:
        raise UsageError("Name a suite or --records, not both.")
    from benchmark.results import LOCAL, published, records_of

    formats = [str(each) for each in format or Format]
    if records is not None:
        _export(records, out or _beside(records), formats)
    elif suite is not None:
        found = records_of(suite, results, results / LOCAL)
        _export(found, out or _beside(found), formats)
    elif out is not None:
        raise UsageError("--out is for one suite; name it.")
    else:
        for found in published(results).values():
            _export(found, _beside(found), formats)


def _beside(records: Path) -> Path:
    from benchmark.exports.files import FOLDER

    return records.parent / FOLDER


def _export(records: Path, folder: Path, formats: list[str]) -> None:
    from benchmark.exports.files import left_over, write
    from benchmark.records import read_records

    written = write(read_records(records), folder, formats)
    several: dict[Path, list[Path]] = {}
    for path in written:
        several.setdefault(path.parent, []).append(path)
    for parent, paths in several.items():
        single = parent == folder or len(paths) == 1
        print("\n".join(f"Written: {path}" for path in paths) if single else f"Written: {len(paths)} files in {parent}")
    if Format.json in formats and not any(path.suffix == ".json" for path in written):
        print("No JSON entries: no model of these records met AutoAttack.")
    if set(formats) == set(Format) and (old := left_over(folder, written)):
        print(f"Not of these records, and left alone: {len(old)} files in {folder}, such as {old[0]}.")
