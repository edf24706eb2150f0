"""The application, the options that several commands share, and how lists are printed."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.rerun import CLOCKS
from methods.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from benchmark.spec import Suite

app = typer.Typer(
    name="coreset-bench",
    help="Compares coreset-selection methods by the robustness of the models trained on what they select.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
SuiteName = Annotated[str, typer.Argument(help="A suite's name, or the path of its TOML file.", metavar="SUITE")]
Data = Annotated[
    Path | None,
    typer.Option(help="Folder of the data sets. [default: $CORESET_BENCH_DATA, else ./data]", show_default=False),
]
StorePath = Annotated[Path, typer.Option("--store", help="Folder of stage results.")]
ResultsPath = Annotated[Path, typer.Option("--results", help="Folder of records and leaderboards.")]
Jobs = Annotated[int, typer.Option(help="Worker processes; 0 is one for each core.", min=0)]
Threads = Annotated[int, typer.Option(help="torch threads of each worker.", min=1)]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, or auto.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before work of more than ten minutes.")]
Download = Annotated[bool, typer.Option("--download", help="Download CIFAR where it is not there.")]
Published = Annotated[
    bool, typer.Option("--published", help="Take what is published under the same keys, in place of computing it.")
]
ExtraRows = Annotated[
    list[str] | None,
    typer.Option("--row", metavar="METHOD", help="Add METHOD or METHOD@POLICY to the suite's rows; may be repeated."),
]
Clock = Annotated[
    str | None,
    typer.Option(metavar="CLOCK", help="Train for equal 'epochs', 'steps' or total 'cost', whatever the suite says."),
]

STORE = Path("store")
RESULTS = Path("results")


def console() -> "Console":
    """Where commands print: as wide as the terminal, and wide enough for tables where there is none."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=120)


def print_rows(rows: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """A table with a column for each key, or the same as JSON."""
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False, default=list))
        return
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in rows[0] if rows else ():
        table.add_column(column.replace("_", " "))
    for row in rows:
        table.add_row(*(Text(_cell(value)) for value in row.values()))
    console().print(table)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return str(value)


def resolve_device(device: str) -> str:
    """`auto` is an NVIDIA card where the system shows one; torch is not imported to find out."""
    if device == "auto":
        return "cuda" if os.path.exists("/dev/nvidiactl") else "cpu"
    if device != "cpu" and not device.startswith("cuda"):
        raise UsageError(f"Unknown device '{device}'; use cpu, cuda, cuda:1 or auto.")
    return device


def asker(yes: bool) -> Any:
    """What is asked before long work: nothing after --yes, the person at a terminal, else a refusal."""

    def confirm(statement: str) -> None:
        if yes:
            return
        if not sys.stdin.isatty():
            raise UsageError(f"{statement} Add --yes to start it.")
        if not typer.confirm(f"{statement} Start?"):
            raise UsageError("Not started.")

    return confirm


def the_suite(name: str, rows: Sequence[str] | None = None, clock: str | None = None) -> "Suite":
    """The suite, with the rows and the clock that the command line adds: then under a name of its own."""
    from benchmark.spec import load_suite, validated_suite

    suite, added = load_suite(name), ""
    for text in rows or ():
        if any(row.name == text for row in suite.rows):
            raise UsageError(f"Suite '{suite.name}' has the row '{text}' already; drop --row {text}.")
        spec = suite.canonical()
        spec["rows"].append(text)
        added += f" --row {text}"
        suite = validated_suite({**spec, "name": f"{suite.name}+{text}"}, f"Suite '{name}' with{added}")
    if clock is None:
        return suite
    if clock not in CLOCKS:
        raise UsageError(f"Unknown clock '{clock}'; use epochs, steps or cost.")
    spec = suite.canonical()
    for regime in spec["regimes"].values():
        regime["recipe"]["clock"] = clock
    spec["clocks"] = ()  # this one alone
    return validated_suite({**spec, "name": f"{suite.name}+{clock}"}, f"Suite '{name}' with --clock {clock}")
