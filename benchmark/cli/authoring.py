"""Commands for authors of methods: check, new-method."""

from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import app


@app.command()
def check(
    target: Annotated[str, typer.Argument(help="PACKAGE:METHOD, or the name of a registered method.")],
) -> None:
    """Hold a method to the contract that every built-in one passes, and say in words what fails.

    Example: coreset-bench check my_package.my_module:mine
    """
    from methods.contract import run_contract
    from methods.registry import resolve

    outcomes = run_contract(resolve(target))
    for outcome in outcomes:
        print(
            f"{'ok    ' if outcome.ok else 'FAILED'} {outcome.name}"
            + (f": {outcome.message}" if outcome.message else "")
        )
    failed = sum(not outcome.ok for outcome in outcomes)
    print(f"{len(outcomes) - failed} of {len(outcomes)} checks passed.")
    if failed:
        raise typer.Exit(1)


@app.command("new-method")
def new_method(
    name: Annotated[str, typer.Argument(help="The method's name, in lower case with hyphens.")],
    into: Annotated[Path, typer.Option("--in", help="The clone, or the folder for a plugin.")] = Path(),
) -> None:
    """Write a working method to start from: in a clone a module and its test, elsewhere a plugin to install.

    Example: coreset-bench new-method my-score
    """
    from benchmark.scaffold import new_method as write

    for path in write(name, into):
        print(f"Written: {path}")
    print(f"Next: edit it, then coreset-bench check {name} and coreset-bench run digits --row {name}")
