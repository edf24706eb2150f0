"""Commands that list: methods, datasets, suites, a plan."""

from typing import Annotated, Any

import typer

from benchmark.cli.common import STORE, Clock, Data, ExtraRows, Json, StorePath, SuiteName, app, print_rows, the_suite


@app.command()
def methods(
    name: Annotated[str | None, typer.Argument(metavar="METHOD", help="One METHOD or METHOD@POLICY, in full.")] = None,
    compat: Annotated[
        bool, typer.Option("--compat", help="List those that repeat a known fault on purpose (docs/discrepancies.md).")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the selection methods, or describe one.

    Example: coreset-bench methods easycore
    """
    from methods import registry

    if name is not None:
        _describe(name, as_json)
        return
    names = registry.compat_names() if compat else registry.method_names()
    rows = [_method_row(registry.get(each)) for each in names]
    if not as_json:
        shown = ("name", "repeats", "keeps") if compat else ("name", "keeps", "policy", "needs")
        rows = [{key: row[key] for key in shown} for row in rows]
    else:
        rows += [{"name": lost.name, "unavailable": lost.reason} for lost in registry.unavailable()]
    print_rows(rows, as_json)
    if not as_json:
        for lost in registry.unavailable():
            print(f"{lost.name} is unavailable: {lost.reason}")


def _method_row(method: Any) -> dict[str, Any]:
    info = method.info
    return {
        "name": info.name,
        "keeps": info.summary.rstrip("."),
        "policy": info.keep,
        "needs": list(info.needs),
        "parameters": [f"{key}={value}" for key, value in info.params.items()],
        "paper": info.paper,
        **({"repeats": info.repeats} if info.repeats else {}),
    }


def _describe(name: str, as_json: bool) -> None:
    import inspect
    import sys

    from methods import registry

    method = registry.get(name)
    info = method.info
    row = {
        **_method_row(method),
        "name": name,
        "policy": getattr(method, "rule", None),
        "direction": info.direction,
        "nested": info.nested,
        "stochastic": info.stochastic,
        "per_class": info.per_class,
    }
    if as_json:
        print_rows([row], as_json)
        return
    target = getattr(method, "function", type(method))
    for key, value in row.items():
        if value not in (None, [], ""):
            shown = ", ".join(value) if isinstance(value, list) else {True: "yes", False: "no"}.get(value, value)
            print(f"{key.replace('_', ' '):<11} {shown}")
    print()
    print(inspect.getdoc(target) or "")
    print()
    print(inspect.getdoc(sys.modules[target.__module__]) or "")


@app.command()
def datasets(data: Data = None, as_json: Json = False) -> None:
    """List the data sets, and whether each is there.

    Example: coreset-bench datasets
    """
    from dataclasses import asdict

    from benchmark.data import describe

    print_rows([asdict(row) for row in describe(data)], as_json)


@app.command()
def suites(as_json: Json = False) -> None:
    """List the suites that ship with the package.

    Example: coreset-bench suites
    """
    from benchmark.spec import load_suite, suite_names

    rows = []
    for suite in map(load_suite, suite_names()):
        rows.append(
            {
                "name": suite.name,
                "dataset": suite.dataset.name,
                "rows": len(suite.rows),
                "fractions": [f"{fraction:g}" for fraction in suite.fractions],
                "regimes": list(suite.regimes),
                "replicates": suite.replicates,
                "description": suite.description,
            }
        )
    print_rows(rows, as_json)


@app.command()
def plan(
    suite: SuiteName,
    row: ExtraRows = None,
    clock: Clock = None,
    data: Data = None,
    store: StorePath = STORE,
    as_json: Json = False,
) -> None:
    """Show the stages of a run, and how many are done.

    Example: coreset-bench plan digits
    """
    from benchmark.plan import make_plan
    from benchmark.store import Store

    made, kept = make_plan(the_suite(suite, row, clock), data), Store(store)
    if as_json:
        cells = [
            {"cell": cell.id, "done": cell.done(kept), "model": cell.model.key, "attacks": list(cell.outcomes)}
            for cell in made.cells
        ]
        print_rows(cells, as_json)
        return
    traces, selections = made.traces(), made.selections()
    groups = {
        "proxies traced": [trace.done(kept) for trace in traces],
        "coresets selected": [selection.coreset.done(kept) for selection in selections],
        "models trained": [cell.model.done(kept) for cell in made.cells],
    }
    for attack in dict.fromkeys(name for cell in made.cells for name in cell.outcomes):
        stages = [cell.outcomes[attack] for cell in made.cells if attack in cell.outcomes]
        groups[f"models evaluated: {attack}"] = [stage.done(kept) for stage in stages]
    rows = [
        {"stage": name, "all": len(done), "done": sum(done), "to do": len(done) - sum(done)}
        for name, done in groups.items()
    ]
    print_rows(rows, as_json)
    alone = sum(selection.proxy_epochs for selection in selections)
    shared = sum(trace.until for trace in traces)
    print(f"Proxy epochs: {shared:,} shared by all rows; one proxy for each method and budget would take {alone:,}.")
