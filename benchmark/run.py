"""Running a suite: what is missing is computed by local workers, and all of it becomes records.

Phases, each as parallel as there are workers: proxies are traced, coresets selected, primary epsilons calibrated where
the suite asks for it, models trained and attacked. Everything finished is in the store, so a run that was stopped goes
on where it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmark import workers
from benchmark.agenda import Facts, Todo
from benchmark.assemble import assemble
from benchmark.estimate import ASK_ABOVE, calibration_work, cell_work, spoken, trace_work
from benchmark.plan import Cell, Plan, make_plan
from benchmark.progress import tracked
from benchmark.records import Failure, Record, write_records
from benchmark.spec import Suite
from benchmark.store import Store, require_writable, write_atomically
from benchmark.wording import counted

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
            replicates=plan.replicates,
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
        """Those that ran and failed. What a row cannot pay for by rule is no failure of the run."""
        return [record for record in self.records if record.status == "failed" and not record.unaffordable]


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
    facts = store.read("data", plan.data.stage.key)
    records = _assembled(plan, plan.cells, facts.meta, store, {}) if facts else {}
    todo = [cell for cell in plan.cells if not (cell.id in records or cell.unaffordable) and wanted(cell)]
    if todo:
        with settings.pool(plan) as pool:
            known: Facts = pool.ask(workers.facts)
            work = _Work(pool, Todo(plan, todo, store), known, console)
            _announce(work, settings)
            failed = work.do()
        missing = [cell for cell in plan.cells if cell.id not in records]
        records |= _assembled(plan, missing, known, store, {cell: lost.failure for cell, lost in failed.items()})
        if failed:
            logs = {lost.log for lost in failed.values()}
            write_atomically(folder / "failures.log", "\n".join(sorted(logs)).encode())
    ordered = tuple(records[cell.id] for cell in plan.cells if cell.id in records)
    write_records(folder / "records.jsonl", ordered)
    return Summary(folder, ordered, len(todo))


def _assembled(
    plan: Plan, cells: Sequence[Cell], facts: Facts, store: Store, failures: dict[str, Failure]
) -> dict[str, Record]:
    made = ((cell.id, assemble(plan, cell, facts, store, failures.get(cell.id))) for cell in cells)
    return {cell_id: record for cell_id, record in made if record}


@dataclass(frozen=True)
class _Work:
    """What is to be done, and the doing of it. Longest first: no worker is left alone at the end."""

    pool: workers.Pool
    todo: Todo
    facts: Facts
    console: Console

    def cell_work(self, cell: Cell) -> float:
        return cell_work(cell, self.facts, self.pool.rates(cell.regime.model))

    def do(self) -> dict[str, workers.Failed]:
        """Fills the store with what the cells need; the cells that failed, by id."""
        cells, selections, store = self.todo.cells, self.todo.selections, self.todo.store
        traces = {trace.proxy.key: trace_work(trace, self.facts) for trace in self.todo.traces}
        lost = self._tracked(f"Tracing {counted(len(traces), 'proxy')}", workers.trace, traces)
        # A selection fails with the first of its proxies that did, unless all that it reads itself was recorded.
        lost = {
            s.coreset.key: lost[t.proxy.key]
            for s in selections
            for t in reversed(s.traces)
            if t.proxy.key in lost and not t.done(store)
        }
        alive = {s.coreset.key: 1.0 for s in selections if s.coreset.key not in lost}
        lost |= self._tracked(f"Selecting {counted(len(alive), 'coreset')}", workers.select, alive)
        unsettled = {s.key: float(calibration_work(s, self.facts["pool"])) for s in self.todo.calibrations}
        title = f"Calibrating {counted(len(unsettled), 'regime')}"
        lost |= self._tracked(title, workers.calibrate, unsettled)
        failed = {cell.id: lost[s.key] for cell in cells for s in reversed(cell.inputs()) if s.key in lost}
        left = {cell.id: self.cell_work(cell) for cell in cells if cell.id not in failed}
        return failed | self._tracked(f"Training and attacking {counted(len(left), 'model')}", workers.cell, left)

    def _tracked(self, title: str, task: Callable[..., None], work: Mapping[str, float]) -> dict[str, workers.Failed]:
        longest = sorted(work, key=lambda name: work[name], reverse=True)
        return tracked(self.pool, self.console, title, task, longest, [work[name] for name in longest])


def _announce(work: _Work, settings: Settings) -> None:
    """Prints what is to be done and how long it will take; asks above ten minutes."""
    todo, count = work.todo, settings.workers
    seconds = todo.seconds(work.facts, work.pool.rates) / min(count, len(todo.cells))
    to_do = f"{counted(len(todo.traces), 'proxy')} and {counted(len(todo.cells), 'model')} to go"
    statement = f"{to_do}, about {spoken(seconds)} on {counted(count, 'worker')}."
    work.console.print(statement, highlight=False)
    if seconds > ASK_ABOVE:
        settings.confirm(f"Suite '{todo.plan.suite.name}' needs about {spoken(seconds)}.")
