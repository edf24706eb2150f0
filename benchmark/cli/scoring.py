"""The command of released scores."""

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import (
    RESULTS,
    STORE,
    Data,
    Device,
    Download,
    Jobs,
    ResultsPath,
    StorePath,
    Threads,
    Yes,
    app,
    asker,
    console,
    resolve_device,
    the_suite,
)
from methods.errors import CoresetBenchError, UsageError


@app.command()
def scores(
    suite: Annotated[
        str | None, typer.Argument(metavar="[SUITE]", help="A suite; without one, the data card is written again.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Fail if the data card is out of date.")] = False,
    jobs: Jobs = 0,
    threads: Threads = 1,
    device: Device = "auto",
    data: Data = None,
    store: StorePath = STORE,
    results: ResultsPath = RESULTS,
    download: Download = False,
    yes: Yes = False,
) -> None:
    """Release each method's score of each training image.

    A Parquet column for each method and replicate, in results/scores/SUITE.parquet, and a data card beside it. Proxies
    that the store lacks are trained first; nothing is written unless every coreset of the suite comes out of the file
    again.

    Example: coreset-bench scores digits
    """
    if suite is None:
        _card(results, check)
        return
    if check:
        raise UsageError("--check is for the data card of all released scores; leave the suite out.")
    chosen = the_suite(suite)
    from benchmark.execution.run import Settings
    from benchmark.scores.card import path_of, write_card
    from benchmark.scores.collect import collect
    from benchmark.scores.release import write_release
    from benchmark.store import require_writable

    path = path_of(results, chosen.name)
    require_writable(path.parent)
    settings = Settings(store, results, data, jobs, threads, resolve_device(device), download, asker(yes))
    release = collect(chosen, settings, console())
    write_release(path, release)
    print("\n".join(f"Written: {each}" for each in (path, *write_card(results))))
    if release.about.missing:
        for column, reason in release.about.missing.items():
            print(f"Not there: {column}: {reason}")
        raise typer.Exit(1)


def _card(results: Path, check: bool) -> None:
    from benchmark.scores.card import outdated, write_card

    if not check:
        written = write_card(results)
        print("\n".join(f"Written: {path}" for path in written) or "Nothing to write: the data card is up to date.")
        return
    for path in outdated(results):
        raise CoresetBenchError(f"Out of date: {path}; write it again with `make scores`.")
    print("The data card is what the released scores give.")
