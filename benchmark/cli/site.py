"""The command of the page: site."""

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import RESULTS, ResultsPath, app
from methods.errors import CoresetBenchError


@app.command()
def site(
    results: ResultsPath = RESULTS,
    out: Annotated[
        Path | None, typer.Option(help="The file. [default: site/index.html in the results]", show_default=False)
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Fail if the file is not what the records give.")] = False,
) -> None:
    """Write the page of all published results, one HTML file.

    It opens from disk, with no network. Of runs that are not published: --results results/local --out local.html

    Example: coreset-bench site
    """
    from benchmark.page.build import PAGE, build
    from benchmark.store import write_atomically

    page, content = out or results / PAGE, build(results)
    if check:
        if not page.is_file() or page.read_bytes() != content:
            raise CoresetBenchError(f"Out of date: {page}; write it again with `make site`.")
        print(f"{page} is what its records give.")
        return
    write_atomically(page, content)
    print(f"Written: {page} ({len(content) / 1e6:.1f} MB)")
