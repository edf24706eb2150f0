"""Commands on records: leaderboard, publish."""

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import RESULTS, ResultsPath, SuiteName, app, console
from methods.errors import CoresetBenchError

Readme = Annotated[Path, typer.Option(help="The README that shows the digits table.")]


@app.command()
def leaderboard(
    suite: Annotated[
        str | None, typer.Argument(help="Print this suite's leaderboard; without one, see --check.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Fail if a published leaderboard is out of date.")] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Print the published one, not the local run's.")
    ] = False,
    results: ResultsPath = RESULTS,
    readme: Readme = Path("README.md"),
) -> None:
    """Print a suite's leaderboard; without a suite, write all published ones again from their records.

    Example: coreset-bench leaderboard digits
    """
    if suite is not None:
        from benchmark.leaderboard import print_table
        from benchmark.records import read_records

        folder = results / suite if published else results / "local" / suite
        print_table(read_records(folder / "records.jsonl"), console())
        return
    from benchmark.publish import rebuild, stale

    if check:
        outdated = stale(results, readme)
        if outdated:
            names = ", ".join(map(str, outdated))
            raise CoresetBenchError(f"Out of date: {names}; write them again with `make leaderboard`.")
        print("Every published leaderboard is what its records give.")
        return
    changed = rebuild(results, readme)
    print("\n".join(f"Written: {path}" for path in changed) or "Nothing to write: all leaderboards are up to date.")


@app.command()
def publish(suite: SuiteName, results: ResultsPath = RESULTS, readme: Readme = Path("README.md")) -> None:
    """Copy a local run's records and leaderboard to where git keeps them.

    Example: coreset-bench publish digits
    """
    from benchmark.publish import publish as publish_suite

    for path in publish_suite(suite, results, readme):
        print(f"Written: {path}")
