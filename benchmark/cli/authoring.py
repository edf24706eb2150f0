"""Commands for authors of methods: check, new-method."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from benchmark.cli.common import app


@app.command()
def check(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="PACKAGE:METHOD, or a registered method's name.")],
) -> None:
    """Hold a method to the contract of the built-in ones.

    Each check says in words what fails.

    Example: coreset-bench check my_package.my_module:mine
    """
    from methods.contract import run_contract
    from methods.registry import resolve

    outcomes = run_contract(resolve(target))
    for outcome in outcomes:
        verdict = "FAILED" if not outcome.ok else "ok" if outcome.applies else "-"
        print(f"{verdict:<6} {outcome.name}" + (f": {outcome.message}" if outcome.message else ""))
    failed, applied = sum(not outcome.ok for outcome in outcomes), sum(outcome.applies for outcome in outcomes)
    rest = f"; {len(outcomes) - applied} do not apply" if applied < len(outcomes) else ""
    print(f"{applied - failed} of {applied} checks passed{rest}.")
    if failed:
        raise typer.Exit(1)


@app.command("new-method")
def new_method(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The method's name, in lower case with hyphens.")],
    into: Annotated[Path, typer.Option("--in", help="The clone, or the folder for a plugin.")] = Path(),
) -> None:
    """Write a working method to start from.

    In a clone that is a module and its test, elsewhere a plugin to install.

    Example: coreset-bench new-method my-score
    """
    from benchmark.scaffold import new_method as write

    written = write(name, into)
    for path in written:
        print(f"Written: {path}")
    plugin = written[0].parent if written[0].name == "pyproject.toml" else None
    install = f"python -m pip install --editable {shlex.quote(str(plugin))}, " if plugin else ""
    run = f"coreset-bench run digits --row {name} --published"
    print(f"Next: {install}edit it, then coreset-bench check {name} and {run}")
