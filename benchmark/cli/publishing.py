"""Commands on records: leaderboard, publish."""

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import RESULTS, ResultsPath, app, console, print_rows
from benchmark.results import LOCAL
from methods.errors import CoresetBenchError, UsageError

Readme = Annotated[Path, typer.Option(help="The README that shows summaries of leaderboards.")]


@app.command()
def leaderboard(
    suite: Annotated[
        str | None, typer.Argument(metavar="SUITE", help="A suite that was run; without one, all published ones.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Fail if a published page is out of date.")] = False,
    published: Annotated[
        bool, typer.Option("--published", help="Print the published one, not the local run's.")
    ] = False,
    results: ResultsPath = RESULTS,
    readme: Readme = Path("README.md"),
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a suite's rates as JSON, a row for each cell; null is 'not measured'.")
    ] = False,
) -> None:
    """Print a suite's leaderboard, or write the published ones.

    Without a suite, every published leaderboard is written again from its records, or held to them by --check; and so
    are the paper's claims, the page of all results and the findings (results/README.md, from its template).

    Example: coreset-bench leaderboard digits
    """
    if suite is not None:
        if check:
            raise UsageError("--check is for all published leaderboards; leave the suite out.")
        _show(_records_to_show(suite, results, published), as_json)
        return
    if as_json or published:
        raise UsageError(f"--{'json' if as_json else 'published'} is for one suite; name it.")
    from benchmark.publish import rebuild, stale

    if check:
        outdated = stale(results, readme)
        if outdated:
            names = ", ".join(map(str, outdated))
            raise CoresetBenchError(f"Out of date: {names}; write them again with `make leaderboard`.")
        print("Every published leaderboard, the claims, the page and the findings are what the records give.")
        return
    changed = rebuild(results, readme)
    print("\n".join(f"Written: {path}" for path in changed) or "Nothing to write: all leaderboards are up to date.")


def _records_to_show(suite: str, results: Path, published: bool) -> Path:
    """The file of records, of the run here or as published."""
    from benchmark.results import records_in, records_of, suites_in

    if not published and not records_in(results / LOCAL / suite) and suite in suites_in(results):
        raise UsageError(
            f"'{suite}' was not run here; coreset-bench leaderboard {suite} --published prints what is published."
        )
    return records_of(suite, results if published else results / LOCAL)


def _show(path: Path, as_json: bool) -> None:
    """Prints the leaderboard of these records, or their rates."""
    from benchmark.records import read_records

    records = read_records(path)
    if not as_json:
        from benchmark.leaderboard.document import print_table

        print_table(records, console())
        return
    from benchmark.leaderboard.outcomes import frame

    print_rows(json.loads(frame(records).to_json(orient="records", double_precision=15)), as_json)


@app.command()
def publish(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="A suite that was run here.")],
    results: ResultsPath = RESULTS,
    readme: Readme = Path("README.md"),
) -> None:
    """Copy a run's records and leaderboard to where git keeps them.

    Example: coreset-bench publish digits
    """
    from benchmark.publish import publish as publish_suite

    for path in publish_suite(suite, results, readme):
        print(f"Written: {path}")
