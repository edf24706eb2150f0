"""Running a suite: what is missing is computed by local workers, and all of it becomes records.

Three phases, each as parallel as there are workers: proxies are traced, coresets selected, models trained and
attacked. Everything finished is in the store, so a run that was stopped goes on where it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmark import workers
from benchmark.assemble import assemble
from benchmark.estimate import ASK_ABOVE, cell_work, spoken, trace_work
from benchmark.plan import Cell, Plan, Trace, make_plan
from benchmark.records import Failure, Record, write_records
from benchmark.spec import Suite
from benchmark.store import Store, require_writable, write_atomically

Confirm = Callable[[str], None]  # raises UsageError where the answer is no


@dataclass(frozen=True)
class Settings:
    """Where a run reads and writes, and with what.

    jobs      worker processes; 0 is one for each core
    threads   torch threads of each
    download  whether data that are not there may be downloaded
    confirm   is asked before work of more than ten minutes
    """

    store: Path
    results: Path
    data: Path | None = None
    jobs: int = 0
    threads: int = 1
    device: str = "cpu"
    download: bool = False
    confirm: Confirm = lambda question: None

    def pool(self, plan: Plan) -> workers.Pool:
        """Workers for the stages of a plan."""
        setting = workers.Setting(
            suite=plan.suite.model_dump_json(),
            fingerprint=plan.data.fingerprint,
            store=self.store,
            data=self.data,
            device=self.device,
            threads=self.threads,
            download=self.download,
        )
        return workers.Pool(setting, self.workers)

    @property
    def workers(self) -> int:
        return self.jobs or workers.default_jobs(self.device)


@dataclass(frozen=True)
class Summary:
    """What a run did."""

    folder: Path
    records: tuple[Record, ...]
    computed: int

    @property
    def failed(self) -> list[Record]:
        return [record for record in self.records if record.status == "failed"]


def local_folder(results: Path, suite: str) -> Path:
    """Where a run writes; `publish` copies from here."""
    return results / "local" / suite


def run_suite(
    suite: Suite, settings: Settings, console: Console, wanted: Callable[[Cell], bool] = lambda cell: True
) -> Summary:
    """Computes what the store lacks and writes `records.jsonl` to the suite's local folder.

    A cell that fails becomes a record that says why, and the others go on. With `wanted`, cells that it refuses are
    not computed and stand in the records only where they are done already.

    Raises:
        CoresetBenchError: a folder cannot be written, data are not there, or a worker died.
    """
    folder = local_folder(settings.results, suite.name)
    for place in (settings.store, folder):
        require_writable(place)
    plan, store = make_plan(suite, settings.data), Store(settings.store)
    found = store.read("data", plan.data.stage.key)
    records: dict[str, Record] = {}
    failures: dict[str, Failure] = {}
    if found:
        records = _assembled(plan, plan.cells, found.meta, store)
    todo = [cell for cell in plan.cells if cell.id not in records and wanted(cell)]
    if todo:
        facts = _compute(plan, todo, store, settings, console, failures, folder / "failures.log")
        records |= _assembled(plan, [c for c in plan.cells if c.id not in records], facts, store, failures)
    ordered = tuple(records[cell.id] for cell in plan.cells if cell.id in records)
    write_records(folder / "records.jsonl", ordered)
    return Summary(folder, ordered, len(todo))


def _assembled(
    plan: Plan, cells: Sequence[Cell], facts: dict[str, Any], store: Store, failures: dict[str, Failure] | None = None
) -> dict[str, Record]:
    made = ((cell.id, assemble(plan, cell, facts, store, (failures or {}).get(cell.id))) for cell in cells)
    return {cell_id: record for cell_id, record in made if record}


def _compute(
    plan: Plan,
    todo: list[Cell],
    store: Store,
    settings: Settings,
    console: Console,
    failures: dict[str, Failure],
    log: Path,
) -> dict[str, Any]:
    """Fills the store with what the cells need, and `failures` with what went wrong. Returns the data's facts."""
    logged: list[str] = []
    with settings.pool(plan) as pool:
        facts: dict[str, Any] = pool.ask(workers.facts)
        # A coreset that is there needs no trace, even where a signal has gone.
        unselected = tuple(c for c in todo if c.selection and not c.selection.coreset.done(store))
        part = Plan(plan.suite, plan.data, unselected)
        # Longest first, so that no worker is left alone with a long one at the end.
        traces = sorted((t for t in part.traces() if not t.done(store)), key=lambda t: -trace_work(t, facts["pool"]))
        cells = sorted(todo, key=lambda c: -cell_work(c, facts))
        _announce(pool, plan.suite, traces, cells, facts, settings, console)

        def work(title: str, task: Callable[..., None], keys: list[str], sizes: list[int]) -> dict[str, Failure]:
            failed = {}
            with _progress(console) as progress:
                bar = progress.add_task(title, total=sum(sizes))
                for position, answer in pool.each(task, [(key,) for key in keys]):
                    if isinstance(answer, workers.Failed):
                        failed[keys[position]] = answer.failure
                        logged.append(f"{title} {keys[position]}\n{answer.log}")
                    progress.advance(bar, sizes[position])
            return failed

        lost_traces = work(
            f"Tracing {len(traces)} proxies",
            workers.trace,
            [t.proxy.key for t in traces],
            [trace_work(t, facts["pool"]) for t in traces],
        )
        lost = {
            s.coreset.key: failure
            for s in part.selections()
            for failure in [lost_traces.get(t.proxy.key) for t in s.traces]
            if failure
        }
        alive = [s.coreset.key for s in part.selections() if s.coreset.key not in lost]
        lost |= work(f"Selecting {len(alive)} coresets", workers.select, alive, [1] * len(alive))
        for cell in cells:
            if cell.selection and cell.selection.coreset.key in lost:
                failures[cell.id] = lost[cell.selection.coreset.key]
        cells = [cell for cell in cells if cell.id not in failures]
        failures |= work(
            f"Training and attacking {len(cells)} models",
            workers.cell,
            [cell.id for cell in cells],
            [cell_work(cell, facts) for cell in cells],
        )
    if logged:
        write_atomically(log, "\n".join(logged).encode())
    return facts


def _announce(
    pool: workers.Pool,
    suite: Suite,
    traces: Sequence[Trace],
    cells: Sequence[Cell],
    facts: dict[str, Any],
    settings: Settings,
    console: Console,
) -> None:
    """Prints what is to be done and how long it will take; asks above ten minutes."""
    models = {t.training.model for t in traces} | {cell.regime.model for cell in cells}
    rates = {model: pool.ask(workers.rate, model) for model in sorted(models)}
    seconds = sum(trace_work(t, facts["pool"]) * rates[t.training.model] for t in traces)
    seconds += sum(cell_work(cell, facts) * rates[cell.regime.model] for cell in cells)
    count = settings.workers
    seconds /= min(count, max(1, len(cells)))
    workforce = "1 worker" if count == 1 else f"{count} workers"
    text = f"{len(traces)} proxies and {len(cells)} models to go, about {spoken(seconds)} on {workforce}."
    console.print(text, highlight=False)
    if seconds > ASK_ABOVE:
        settings.confirm(f"Suite '{suite.name}' needs about {spoken(seconds)}.")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
    )
