"""The command of the discrepancy ledger: ledger."""

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import (
    RESULTS,
    STORE,
    Device,
    Jobs,
    ResultsPath,
    StorePath,
    Threads,
    Yes,
    app,
    asker,
    console,
    resolve_device,
)
from methods.errors import CoresetBenchError

DOCS = Path("docs")
NAME = "discrepancies"

Docs = Annotated[Path, typer.Option(help="Folder of the ledger and its records.")]


@app.command()
def ledger(
    check: Annotated[bool, typer.Option("--check", help="Fail if the ledger is not what its records give.")] = False,
    render: Annotated[bool, typer.Option("--render", help="Write the page from its records; measure nothing.")] = False,
    docs: Docs = DOCS,
    jobs: Jobs = 0,
    threads: Threads = 1,
    device: Device = "cpu",
    store: StorePath = STORE,
    results: ResultsPath = RESULTS,
    yes: Yes = False,
) -> None:
    """Measure what known faults of public implementations change.

    Writes discrepancies.md and the records behind it. What the store lacks is computed; run again after an
    interruption, it goes on where it was.

    Example: coreset-bench ledger --jobs 2
    """
    from benchmark.ledger.lines import read_lines, write_lines
    from benchmark.ledger.page import render as rendered
    from benchmark.store import write_atomically

    records, page = docs / f"{NAME}.jsonl", docs / f"{NAME}.md"
    if not (check or render):
        from benchmark.execution.run import Settings
        from benchmark.ledger.constructed import shown
        from benchmark.ledger.measured import measure

        settings = Settings(store, results, None, jobs, threads, resolve_device(device), False, asker(yes))
        write_lines(records, [*measure(settings, console()), *shown()])
    text = rendered(read_lines(records), records.name).encode()
    if check:
        if not page.is_file() or page.read_bytes() != text:
            raise CoresetBenchError(f"Out of date: {page}; write it again with `coreset-bench ledger --render`.")
        print(f"{page} is what its records give.")
        return
    write_atomically(page, text)
    print(f"Written: {page}")
