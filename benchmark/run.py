"""Running a suite: what is missing is computed by local workers, and all of it becomes records.

Phases, each as parallel as there are workers: proxies are traced, coresets selected, primary epsilons calibrated where
the suite asks for it, models trained and attacked. Everything finished is in the store, so a run that was stopped goes
on where it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmark import workers
from benchmark.assemble import assemble
from benchmark.estimate import ASK_ABOVE, calibration_work, cell_work, spoken, trace_work
from benchmark.plan import Cell, Plan, Stage, Trace, make_plan
from benchmark.progress import tracked
from benchmark.records import Failure, Record, write_records
from benchmark.spec import Suite
from benchmark.store import Store, require_writable, write_atomically
from benchmark.wording import counted

Confirm = Callable[[str], None]  # raises UsageError where the answer is no
Facts = Mapping[str, Any]  # the meta of the data stage


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
            work = _Work(pool, store, known, console)
            _announce(work, plan, todo, settings)
            failed = work.do(plan, todo)
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
    """What is to be done for some cells, and the doing of it. Longest first: no worker is left alone at the end."""

    pool: workers.Pool
    store: Store
    facts: Facts
    console: Console

    def unselected(self, plan: Plan, cells: Sequence[Cell]) -> Plan:
        """The part of the plan whose coresets are not there. One that is there needs no trace any more."""
        chosen = (cell for cell in cells if cell.selection and not cell.selection.coreset.done(self.store))
        return plan.only(chosen)

    def traces(self, plan: Plan, cells: Sequence[Cell]) -> list[Trace]:
        missing = [trace for trace in self.unselected(plan, cells).traces() if not trace.done(self.store)]
        return sorted(missing, key=self.trace_work, reverse=True)

    def calibrations(self, plan: Plan, cells: Sequence[Cell]) -> list[Stage]:
        return [stage for stage in plan.only(cells).calibrations() if not stage.done(self.store)]

    def calibration_work(self, stage: Stage) -> int:
        return calibration_work(stage, self.facts["pool"])

    def trace_work(self, trace: Trace) -> int:
        return trace_work(trace, self.facts)

    def cell_work(self, cell: Cell) -> float:
        return cell_work(cell, self.facts, self.pool.rates(cell.regime.model))

    def do(self, plan: Plan, cells: Sequence[Cell]) -> dict[str, workers.Failed]:
        """Fills the store with what the cells need; the cells that failed, by id."""
        traces, selections = self.traces(plan, cells), self.unselected(plan, cells).selections()
        lost = self._tracked(
            f"Tracing {counted(len(traces), 'proxy')}",
            workers.trace,
            {trace.proxy.key: self.trace_work(trace) for trace in traces},
        )
        # A selection fails with the first of its proxies that did, unless all that it reads itself was recorded.
        lost = {
            s.coreset.key: lost[t.proxy.key]
            for s in selections
            for t in reversed(s.traces)
            if t.proxy.key in lost and not t.done(self.store)
        }
        alive = {s.coreset.key: 1 for s in selections if s.coreset.key not in lost}
        lost |= self._tracked(f"Selecting {counted(len(alive), 'coreset')}", workers.select, alive)
        unsettled = {stage.key: self.calibration_work(stage) for stage in self.calibrations(plan, cells)}
        title = f"Calibrating {counted(len(unsettled), 'regime')}"
        lost |= self._tracked(title, workers.calibrate, unsettled)
        failed = {cell.id: lost[s.key] for cell in cells for s in reversed(cell.inputs()) if s.key in lost}
        left = sorted((cell for cell in cells if cell.id not in failed), key=self.cell_work, reverse=True)
        return failed | self._tracked(
            f"Training and attacking {counted(len(left), 'model')}",
            workers.cell,
            {cell.id: self.cell_work(cell) for cell in left},
        )

    def _tracked(self, title: str, task: Callable[..., None], work: Mapping[str, float]) -> dict[str, workers.Failed]:
        return tracked(self.pool, self.console, title, task, list(work), list(work.values()))


def _announce(work: _Work, plan: Plan, cells: Sequence[Cell], settings: Settings) -> None:
    """Prints what is to be done and how long it will take; asks above ten minutes."""
    traces, count = work.traces(plan, cells), settings.workers
    seconds = sum(work.trace_work(t) * work.pool.rates(t.training.model).training for t in traces)
    seconds += sum(work.cell_work(cell) * work.pool.rates(cell.regime.model).training for cell in cells)
    for stage in work.calibrations(plan, cells):
        seconds += work.calibration_work(stage) * work.pool.rates(stage.spec["model"]).training
    seconds /= min(count, len(cells))
    to_do = f"{counted(len(traces), 'proxy')} and {counted(len(cells), 'model')} to go"
    statement = f"{to_do}, about {spoken(seconds)} on {counted(count, 'worker')}."
    work.console.print(statement, highlight=False)
    if seconds > ASK_ABOVE:
        settings.confirm(f"Suite '{plan.suite.name}' needs about {spoken(seconds)}.")
