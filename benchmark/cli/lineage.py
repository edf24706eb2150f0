"""The command that shows what a cell was made from: explain."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmark.cli.common import RESULTS, STORE, Data, Json, ResultsPath, StorePath, app, print_rows, the_suite
from methods.errors import UsageError

if TYPE_CHECKING:
    from benchmark.plan import Cell, Plan, Reselection, Selection, Stage
    from benchmark.records import Record
    from benchmark.store import Store


@app.command()
def explain(
    cell: Annotated[
        str, typer.Argument(metavar="CELL", help="SUITE/ROW/FRACTION/REGIME/REPLICATE, as in the records.")
    ],
    suite: Annotated[
        str | None, typer.Option(metavar="FILE", help="The suite's TOML file, where it is not one of ours.")
    ] = None,
    data: Data = None,
    store: StorePath = STORE,
    results: ResultsPath = RESULTS,
    as_json: Json = False,
) -> None:
    """Show what a cell was made from, and how to make it anew.

    What was published of it is shown, and held against what the store has. Rows and the clock that `run` added
    to the suite are read from the cell's name.

    Example: coreset-bench explain digits/easycore/0.3/trades/0
    """
    from benchmark import agreement
    from benchmark.execution.assemble import keys
    from benchmark.leaderboard import masking
    from benchmark.plan import make_plan
    from benchmark.rerun import added, command, comparison, free_folder
    from benchmark.store import Store

    if cell.count("/") < 4:
        raise UsageError(f"'{cell}' is no cell; write SUITE/ROW/FRACTION/REGIME/REPLICATE (see coreset-bench plan).")
    head = cell.split("/")[0]
    named = suite or head.split("+")[0]
    rows, clock = added(head, the_suite(named).name)
    plan, kept = make_plan(the_suite(named, rows, clock), data), Store(store)
    record, published = _record(plan, plan.find(cell), kept), _published(results, head, cell)
    lines = [
        {
            "stage": stage.kind,
            "what": what,
            "done": stage.done(kept),
            "key": stage.key,
            "folder": str(kept.path(stage.kind, stage.key)),
        }
        for stage, what in _lineage(plan, plan.find(cell))
    ]
    folder = free_folder()
    again = command(cell, named, rows, clock, folder, data)
    if as_json:
        flags = list(record.flags) if record else None  # of what the store holds
        known = published.canonical() if published else None
        print_rows([{"cell": cell, "command": again, "flags": flags, "stages": lines, "published": known}], as_json)
        return
    print_rows([{key: value for key, value in line.items() if key != "folder"} for line in lines], as_json)
    if unaffordable := plan.find(cell).unaffordable:
        print(unaffordable)
    print(f"Stage results are in {store}/STAGE/{'K' * 2}/KEY with the full specification of each (spec.json).")
    for line in masking.of_cell(record) if record else ():
        print(f"Sign of masked gradients: {line}")
    if published:
        print(f"Published: {agreement.described(published)}")
        for line in () if record else masking.of_cell(published):
            print(f"Published sign of masked gradients: {line}")
        print(agreement.of_stages(published, keys(plan.find(cell))))
        if published.results and record and record.results:
            print(agreement.of_verdicts(published.results, record.results))
    print("To make it anew, in folders of its own (what a store holds already is not computed again):")
    print(f"  {again}")
    if published:
        print("and then to hold it against what is published:")
        print(f"  {comparison(cell, named, folder, data, None if results == RESULTS else results)}")


def _published(results: Path, suite: str, cell: str) -> "Record | None":
    from benchmark.records import read_record
    from benchmark.results import records_in

    path = records_in(results / suite)
    return read_record(path, cell) if path else None


def _record(plan: "Plan", cell: "Cell", store: "Store") -> "Record | None":
    """The cell's record, where the store holds all that it is made from."""
    from benchmark.execution.assemble import assemble

    facts = store.read("data", plan.data.stage.key)
    return assemble(plan, cell, facts.meta, store, None) if facts else None


def _lineage(plan: "Plan", cell: "Cell") -> list[tuple["Stage", str]]:
    """Every stage of a cell, upstream first, each with a few words on it."""
    found = [(plan.data.stage, f"{plan.data.spec.name}, fingerprint {plan.data.fingerprint}")]
    if cell.selection:
        for trace in cell.selection.traces:
            recipe = trace.training.recipe
            found.append((trace.proxy, f"{_trained(trace.proxy.spec)}, {trace.until} of {recipe.epochs} epochs"))
            found += [(s, f"{s.spec['signal']} of {s.spec['part']}") for s in trace.signals.values()]
        chosen = cell.selection
        found.append((chosen.coreset, _worded(chosen)))
    if cell.calibration:
        spec = cell.calibration.spec
        found.append((cell.calibration, f"random at {spec['fraction']:g} on tune, seed {spec['seed']}"))
    by = f" by {_worded(cell.reselection)}" if cell.reselection else ""
    found.append((cell.model, f"{_trained(cell.model.spec)}, {_length(cell)}{by}"))
    for attack, stage in cell.outcomes.items():
        found.append((stage, f"{attack}, seed {stage.spec['seed']}" if "seed" in stage.spec else attack))
    return found


def _worded(chosen: "Selection | Reselection") -> str:
    params = [f"{key}={value}" for key, value in chosen.params.items()]
    return ", ".join([chosen.row.spelled, *params, f"fraction {chosen.fraction:g}", f"seed {chosen.seed}"])


def _length(cell: "Cell") -> str:
    """How long the model trains, as the cell's clock has it."""
    recipe = cell.regime.recipe
    if recipe.clock == "epochs":
        return f"{recipe.epochs} epochs"
    if recipe.clock == "steps":
        return f"as many steps as {recipe.epochs} epochs of the pool"
    return "not affordable" if cell.unaffordable else f"{recipe.epochs} epochs and what is spare of the allowance"


def _trained(spec: Any) -> str:
    return f"{spec['model']}, {spec['recipe']['objective']}, seed {spec['seed']}"
