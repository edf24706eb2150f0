"""Commands that list: methods, datasets, suites, a plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.common import (
    STORE,
    Clock,
    Data,
    Device,
    Download,
    ExtraRows,
    Jobs,
    Json,
    StorePath,
    SuiteName,
    app,
    console,
    print_rows,
    resolve_device,
    the_suite,
)

if TYPE_CHECKING:
    from benchmark.plan import Plan
    from benchmark.store import Store


@app.command()
def methods(
    name: Annotated[str | None, typer.Argument(metavar="METHOD", help="One METHOD or METHOD@POLICY, in full.")] = None,
    compat: Annotated[
        bool, typer.Option("--compat", help="List those that repeat a known fault on purpose (docs/discrepancies.md).")
    ] = False,
    as_json: Json = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print docs/methods.md: all methods and signals.")
    ] = False,
) -> None:
    """List the selection methods, or describe one.

    Example: coreset-bench methods easycore
    """
    from benchmark.roster import line
    from methods import registry

    if as_markdown:
        from benchmark.catalogue import catalogue

        print(catalogue(), end="")
        return
    if name is not None:
        _describe(name, as_json)
        return
    names = registry.compat_names() if compat else registry.method_names()
    rows = [line(registry.get(each)) for each in names]
    if as_json:
        rows += [{"name": lost.name, "unavailable": lost.reason} for lost in registry.unavailable()]
        print_rows(rows, as_json)
        return
    if compat:
        print_rows([{key: row[key] for key in ("name", "repeats", "keeps")} for row in rows], as_json)
    else:
        _list(rows)
    lost = [f"{each.name} is unavailable: {each.reason}" for each in registry.unavailable()]
    for sentence in (*lost, *registry.optional()):
        console().print(sentence, highlight=False, markup=False)


def _list(rows: list[dict[str, Any]]) -> None:
    """The methods of each kind in a table; a narrow terminal gets no column of signals."""
    from rich.table import Table
    from rich.text import Text

    from benchmark.roster import HEADINGS

    to = console()
    wide = to.width >= 100
    for kind, heading in HEADINGS.items():
        mine = [row for row in rows if row["kind"] == kind]
        if not mine:
            continue
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column("name", no_wrap=True, min_width=max(len(row["name"]) for row in rows), style="cyan")
        if kind == "score":
            table.add_column("policy", overflow="fold")
        table.add_column("keeps", ratio=1)
        if wide:
            table.add_column("reads", max_width=30)
        for row in mine:
            policy = [row["policy"]] if kind == "score" else []
            reads = [", ".join(row["needs"])] if wide else []
            table.add_row(*(Text(cell) for cell in (row["name"], *policy, row["keeps"], *reads)))
        to.print(Text(heading, style="bold"))
        to.print(table)
        to.print()
    to.print("One in full: coreset-bench methods NAME. A score under another policy: NAME@POLICY.", highlight=False)


def _describe(name: str, as_json: bool) -> None:
    from methods import registry

    method = registry.get(name)  # before the imports: a mistake in a name is answered at once

    from benchmark.cards import WIDEST, card, printed
    from benchmark.roster import line
    from benchmark.spec import load_suite, suite_names

    own = method.info.name
    rows = {suite: [row.name for row in load_suite(suite).rows if row.method == own] for suite in suite_names()}
    found = {**line(method), "name": name, **card(method, {suite: found for suite, found in rows.items() if found})}
    if as_json:
        print_rows([found], as_json)
        return
    to = console()
    to.print(printed(found), width=min(to.width, WIDEST), highlight=False)


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
    time: Annotated[
        bool, typer.Option("--time", help="Measure this machine for some seconds and say how long each regime takes.")
    ] = False,
    jobs: Jobs = 0,
    device: Device = "auto",
    download: Download = False,
    as_json: Json = False,
) -> None:
    """Show a run's stages, what is done, and what clocks train.

    Example: coreset-bench plan digits --time
    """
    from benchmark.execution.agenda import regimes
    from benchmark.plan import make_plan
    from benchmark.store import Store

    made, kept = make_plan(the_suite(suite, row, clock), data), Store(store)
    if as_json:
        cells = [
            {
                "cell": cell.id,
                "done": cell.done(kept),
                "model": cell.model.key,
                "attacks": list(cell.outcomes),
                **({"unaffordable": cell.unaffordable} if cell.unaffordable else {}),
            }
            for cell in made.cells
        ]
        print_rows(cells, as_json)
        return
    traces, selections = made.traces(), made.selections()
    payable = [cell for cell in made.cells if not cell.unaffordable]
    groups = {
        "proxies traced": [trace.done(kept) for trace in traces],
        "coresets selected": [selection.coreset.done(kept) for selection in selections],
        "models trained": [cell.model.done(kept) for cell in payable],
    }
    for attack in dict.fromkeys(name for cell in payable for name in cell.outcomes):
        stages = [cell.outcomes[attack] for cell in payable if attack in cell.outcomes]
        groups[f"models evaluated: {attack}"] = [stage.done(kept) for stage in stages]
    rows = [
        {"stage": name, "all": len(done), "done": sum(done), "to do": len(done) - sum(done)}
        for name, done in groups.items()
    ]
    print_rows(rows, as_json)
    if time:
        lines, statement = _timed(made, kept, data, jobs, resolve_device(device), download)
    else:
        lines, statement = regimes(made, kept), ""
    print_rows(lines, as_json)
    print("Training: what a regime's cells train in all, in trainings on the whole pool.")
    alone = sum(selection.proxy_epochs for selection in selections)
    shared = sum(trace.until for trace in traces)
    if traces:
        print(
            f"Proxy epochs: {shared:,} shared by all rows; one proxy for each method and budget would take {alone:,}."
        )
    if statement:
        print(statement)


def _timed(
    made: "Plan", kept: "Store", data: Path | None, jobs: int, device: str, download: bool
) -> tuple[list[dict[str, Any]], str]:
    """The regimes with the time that each takes, and a sentence on all of them."""
    from functools import cache

    from benchmark.data import load
    from benchmark.execution.agenda import Todo, regimes
    from benchmark.execution.estimate import Rates, measured, spoken
    from benchmark.execution.workers import default_jobs, set_up_device
    from benchmark.wording import counted

    set_up_device(device)
    loaded = load(made.suite.dataset, data, device, download)
    facts = {"pool": len(loaded.train), "select": len(loaded.select), "test": len(loaded.test)}

    @cache
    def pace(model: str) -> Rates:
        trainings = (*made.suite.regimes.values(), *made.suite.proxies.values())
        return measured(next(each for each in trainings if each.model == model), loaded, device)

    todo = Todo(made, [cell for cell in made.cells if not cell.done(kept)], kept)
    lines, seconds, count = regimes(made, kept, facts, pace), todo.seconds(facts, pace), jobs or default_jobs(device)
    proxies = counted(len(todo.traces), "proxy")
    return lines, f"With {proxies} to trace, about {spoken(seconds / count)} on {counted(count, 'worker')}."
