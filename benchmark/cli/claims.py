"""The command of the paper's claims: claims."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.common import (
    RESULTS,
    STORE,
    Data,
    Device,
    Json,
    ResultsPath,
    StorePath,
    Yes,
    app,
    asker,
    print_rows,
    resolve_device,
)
from methods.errors import CoresetBenchError, UsageError

if TYPE_CHECKING:
    from benchmark.claims.answers import Answer, Asked


@app.command()
def claims(
    check: Annotated[bool, typer.Option("--check", help="Fail if claims.md is not what the records give.")] = False,
    render: Annotated[
        bool, typer.Option("--render", help="Write claims.md from the records; measure nothing.")
    ] = False,
    measure: Annotated[
        str | None,
        typer.Option(metavar="SUITE", help="Measure what leaderboards do not hold, on that suite's data; or 'plane'."),
    ] = None,
    replicates: Annotated[
        int | None,
        typer.Option(help="With --measure: proxies of each kind. [default: as the suite's scale has it]", min=1),
    ] = None,
    device: Device = "cpu",
    data: Data = None,
    store: StorePath = STORE,
    results: ResultsPath = RESULTS,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Answer the paper's claims from published records.

    Prints each question and its verdicts. What leaderboards do not hold is measured by --measure, which adds to the
    published measurements one by one; stopped, it goes on where it was.

    Example: coreset-bench claims
    """
    if sum((check, render, measure is not None, as_json)) > 1:
        raise UsageError("Choose one of --check, --render, --measure and --json.")
    from benchmark.claims import page

    path = results / page.PAGE
    if check:
        if not path.is_file() or path.read_bytes() != page.render(results).encode():
            raise CoresetBenchError(f"Out of date: {path}; write it again with `coreset-bench claims --render`.")
        print(f"{path} is what the published records give.")
        return
    if measure is not None:
        _measure(measure, replicates, resolve_device(device), data, store, results, yes)
    if render or measure is not None:
        from benchmark.store import write_atomically

        write_atomically(path, page.render(results).encode())
        print(f"Written: {path}")
        return
    from benchmark.claims.answers import ask, read

    _show(ask(*read(results)), as_json)


def _measure(
    suite: str, replicates: int | None, device: str, data: Path | None, store: Path, results: Path, yes: bool
) -> None:
    """Adds what is measured to what is published, line by line."""
    from benchmark.claims.answers import measurements_path
    from benchmark.claims.measurement import merged, read_measurements, write_measurements
    from benchmark.experiments.measure import measure

    path = measurements_path(results)
    kept = read_measurements(path)
    for line in measure(suite, replicates, device, store=store, data=data, confirm=asker(yes)):
        kept = merged(kept, [line])
        write_measurements(path, kept)
        print(f"Measured: {line.question}{f' ({line.case})' if line.case else ''}")
    print(f"Written: {path}")


def _show(found: "list[Asked]", as_json: bool) -> None:
    """Each question, and a line for each of its answers."""
    from benchmark import wording
    from benchmark.claims.page import counted

    if as_json:
        print_rows([line for asked in found for line in _values(asked)], as_json)
        return
    for asked in found:
        print(asked.question.asks)
        for answer in asked.answers:
            print(f"  {answer.verdict:<14} {_line(asked, answer)}")
        if not asked.answers:
            print("  no records yet")
    print(f"\n{wording.plain(counted(found))}. A verdict holds at the scale beside it, and at no other.")


def _line(asked: "Asked", answer: "Answer") -> str:
    from benchmark import wording
    from benchmark.claims import telling

    unit = asked.question.unit
    few = wording.counted(answer.replicates, "replicate")
    ends = f"interval {telling.interval(answer, unit)}" if answer.low is not None else few
    case = f", {wording.plain(answer.case)}" if answer.case else ""
    return f"{answer.scale}{case}: {telling.amount(answer.value, unit)}, {ends}"


def _values(asked: "Asked") -> list[dict[str, Any]]:
    """The answers as numbers, in the unit of the question; points are shares of 1."""
    question = asked.question
    return [
        {
            "question": question.id,
            "asks": question.asks,
            "suite": answer.suite,
            "data": answer.scale.data,
            "pool": answer.scale.pool,
            "model": answer.scale.model,
            "case": answer.case,
            "unit": question.unit,
            "value": answer.value,
            "low": answer.low,
            "high": answer.high,
            "replicates": answer.replicates,
            "verdict": answer.verdict,
        }
        for answer in asked.answers
    ]
