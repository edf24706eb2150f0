"""Running a suite: what is missing is computed by local workers, and all of it becomes records.

Phases, each as parallel as there are workers: proxies are traced, coresets selected, primary epsilons calibrated where
the suite asks for it, models trained and attacked. Everything finished is in the store, so a run that was stopped goes
on where it was. A run may have a limit of time.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console

from benchmark.execution import workers
from benchmark.execution.agenda import Facts, Todo, waves
from benchmark.execution.assemble import assemble, restate
from benchmark.execution.estimate import ASK_ABOVE, calibration_work, cell_work, spoken, trace_work
from benchmark.execution.limit import Limit, Load
from benchmark.execution.progress import Watch, tracked
from benchmark.execution.published import published_records
from benchmark.plan import Cell, Plan, make_plan
from benchmark.records import Failure, Record, write_records
from benchmark.results import LOCAL, RECORDS
from benchmark.spec import Suite
from benchmark.store import Store, require_writable, write_atomically
from benchmark.wording import counted
from methods.errors import CoresetBenchError, UsageError

Confirm = Callable[[str], None]  # raises UsageError where the answer is no


@dataclass(frozen=True)
class Settings:
    """Where a run reads and writes, and with what.

    jobs      worker processes; 0 is one for each core
    threads   torch threads of each
    download  whether data that are not there may be downloaded
    confirm   is asked before work of more than ten minutes
    within    seconds after which the run ends, with what is finished by then; None is no limit
    published whether published records stand for what the store lacks
    """

    store: Path
    results: Path
    data: Path | None = None
    jobs: int = 0
    threads: int = 1
    device: str = "cpu"
    download: bool = False
    confirm: Confirm = lambda question: None
    within: float | None = None
    published: bool = False

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
    """What a run did, or tried."""

    folder: Path
    records: tuple[Record, ...]
    computed: int
    left: int = 0  # cells for which there was no time

    @property
    def failed(self) -> list[Record]:
        """Those that ran and failed. What a row cannot pay for by rule is no failure of the run."""
        return [record for record in self.records if record.status == "failed" and not record.unaffordable]


def local_folder(results: Path, suite: str) -> Path:
    """Where a run writes; `publish` copies from here."""
    return results / LOCAL / suite


def run_suite(suite: Suite, settings: Settings, console: Console, only: str = "*") -> Summary:
    """Computes what the store lacks and writes `records.jsonl` to the suite's local folder.

    A cell that fails becomes a record that says why, and the others go on. Cells whose names do not match
    `only`, a pattern of fnmatch, are not computed and stand in the records only where they are done already; nor are
    those for which `settings.within` leaves no time. With `settings.published`, published records stand for what the
    store lacks.

    Raises:
        UsageError: no cell's name matches `only`; earlier records are left as they are.
        CoresetBenchError: a folder cannot be written, data are not there, or a worker died.
    """
    limit = Limit(settings.within) if settings.within else None
    plan, store = make_plan(suite, settings.data), Store(settings.store)
    wanted = {cell.id for cell in plan.cells if fnmatchcase(cell.id, only)}
    if not wanted:
        raise UsageError(f"No cell of '{suite.name}' matches '{only}'; see coreset-bench plan {suite.name} --json.")
    folder = local_folder(settings.results, suite.name)
    for place in (settings.store, folder):
        require_writable(place)
    facts = store.read("data", plan.data.stage.key)
    records = _assembled(plan, plan.cells, facts.meta, store, {}) if facts else {}
    taken: dict[str, Record] = {}
    if settings.published:
        lacking = [cell for cell in plan.cells if cell.id not in records]
        taken = published_records(plan, lacking, settings.results)
        console.print(f"{counted(len(taken), 'cell')} of {len(plan.cells):,} stand as published.", highlight=False)
    done = {*records, *taken}
    todo = [cell for cell in plan.cells if not (cell.id in done or cell.unaffordable) and cell.id in wanted]
    left: list[Cell] = []
    if todo or taken:
        with settings.pool(plan) as pool:
            known: Facts = pool.ask(workers.facts)
            work = _Work(pool, Todo(plan, todo, store), known, console, limit)
            if todo:
                _announce(work, settings)
            failed = work.do() if todo else {}
        records |= {name: restate(plan, plan.by_id[name], known, store, old) for name, old in taken.items()}
        missing = [cell for cell in plan.cells if cell.id not in records]
        records |= _assembled(plan, missing, known, store, {cell: lost.failure for cell, lost in failed.items()})
        left = [cell for cell in todo if cell.id not in records]
        if limit and left:
            console.print(work.left(left, settings.workers), highlight=False)
        if failed:
            logs = {lost.log for lost in failed.values()}
            write_atomically(folder / "failures.log", "\n".join(sorted(logs)).encode())
    ordered = tuple(records[cell.id] for cell in plan.cells if cell.id in records)
    write_records(folder / RECORDS, ordered)
    if left and not limit:
        raise CoresetBenchError(
            f"Results that {counted(len(left), 'model')} need vanished from {settings.store} meanwhile; run it again."
        )
    return Summary(folder, ordered, len(todo), len(left))


def _assembled(
    plan: Plan, cells: Sequence[Cell], facts: Facts, store: Store, failures: dict[str, Failure]
) -> dict[str, Record]:
    made = ((cell.id, assemble(plan, cell, facts, store, failures.get(cell.id))) for cell in cells)
    return {cell_id: record for cell_id, record in made if record}


def trace_proxies(
    plan: Plan, pool: workers.Pool, facts: Facts, settings: Settings, console: Console
) -> dict[str, workers.Failed]:
    """Traces the proxies of a plan that the store lacks, and asks above ten minutes; those that failed, by key."""
    store = Store(settings.store)
    work = {trace.proxy.key: trace_work(trace, facts) for trace in plan.traces() if not trace.done(store)}
    if not work:
        return {}
    models = {trace.proxy.key: trace.training.model for trace in plan.traces()}
    seconds = sum(work[key] * pool.rates(models[key]).training for key in work) / min(settings.workers, len(work))
    console.print(f"{counted(len(work), 'proxy')} to trace first, about {spoken(seconds)}.", highlight=False)
    if seconds > ASK_ABOVE:
        settings.confirm(f"Tracing needs about {spoken(seconds)}.")
    return tracked(pool, console, "Tracing", workers.trace, list(work), list(work.values()))


@dataclass(frozen=True)
class _Work:
    """What is to be done, and the doing of it. Longest first: no worker is left alone at the end.

    Within a limit the most informative cells come first, wave by wave, each with the proxies that it needs. A proxy
    that is there serves all its coresets at once, so that nobody needs its signals again.
    """

    pool: workers.Pool
    todo: Todo
    facts: Facts
    console: Console
    limit: Limit | None = None
    lost: dict[str, workers.Failed] = field(default_factory=dict)  # by the key of the stage that failed

    def do(self) -> dict[str, workers.Failed]:
        """Fills the store with what the cells need; the cells that failed, by id."""
        if not self.limit:
            return self._wave(self.todo)
        failed: dict[str, workers.Failed] = {}
        for cells in waves(self.todo.cells, self.todo.plan.suite.first):
            if not self.limit.over:
                failed |= self._wave(replace(self.todo, cells=cells))
        return failed

    def _wave(self, wave: Todo) -> dict[str, workers.Failed]:
        lost, store = self.lost, self.todo.store
        traces = {key: load for key, load in self._traces(wave).items() if key not in lost}
        lost |= self._tracked("Tracing", "proxy", workers.trace, traces)
        waiting = {s.coreset.key: s for s in self.todo.selections if not s.coreset.done(store)}
        # A selection fails with the first of its proxies that did, unless all that it reads itself was recorded.
        lost |= {
            key: lost[t.proxy.key]
            for key, s in waiting.items()
            for t in reversed(s.reads)
            if t.proxy.key in lost and not t.done(store)
        }
        ready = [s for s in waiting.values() if s.coreset.key not in lost and all(t.done(store) for t in s.reads)]
        coresets = {s.coreset.key: Load(1.0, f"select {s.row.name}", 0.0) for s in ready}
        lost |= self._tracked("Selecting", "coreset", workers.select, coresets)
        regimes = {key: load for key, load in self._calibrations(wave).items() if key not in lost}
        lost |= self._tracked("Calibrating", "regime", workers.calibrate, regimes)
        failed = {cell.id: lost[s.key] for cell in wave.cells for s in reversed(cell.inputs()) if s.key in lost}
        left = [c for c in wave.cells if c.id not in failed and all(stage.done(store) for stage in c.inputs())]
        return failed | self._tracked("Training and attacking", "model", workers.cell, self._cells(left))

    def _traces(self, todo: Todo) -> dict[str, Load]:
        """Workers record what any row of the suite reads of a proxy, in one run."""
        whole, found = {trace.proxy.key: trace for trace in self.todo.plan.traces()}, {}
        for trace in todo.traces:
            model, key = trace.training.model, trace.proxy.key
            found[key] = Load(trace_work(whole[key], self.facts), f"trace {model}", self._rate(model))
        return found

    def _calibrations(self, todo: Todo) -> dict[str, Load]:
        pool, found = self.facts["pool"], {}
        for stage in todo.calibrations:
            kind = f"calibrate {stage.spec['recipe']['objective']}"
            found[stage.key] = Load(calibration_work(stage, pool), kind, self._rate(stage.spec["model"]))
        return found

    def _cells(self, cells: Sequence[Cell]) -> dict[str, Load]:
        """What is attacked by the same attacks takes as long for each unit of work."""
        found = {}
        for cell in cells:
            model, kind = cell.regime.model, " ".join((cell.regime_name, *cell.outcomes))
            found[cell.id] = Load(cell_work(cell, self.facts, self.pool.rates(model)), kind, self._rate(model))
        return found

    def _rate(self, model: str) -> float:
        return self.pool.rates(model).training

    def _tracked(
        self, doing: str, what: str, task: Callable[..., None], loads: Mapping[str, Load]
    ) -> dict[str, workers.Failed]:
        order, limit, watch = list(loads), self.limit, None
        if limit:
            order = order if any(limit.allows(load) for load in loads.values()) else []
            watch = Watch(limit, [loads[name] for name in order], self.pool)
        else:
            order.sort(key=lambda name: loads[name].work, reverse=True)
        title = f"{doing} {counted(len(order), what)}"
        return tracked(self.pool, self.console, title, task, order, [loads[name].work for name in order], watch)

    def left(self, cells: Sequence[Cell], count: int) -> str:
        """What the limit left undone, in a sentence."""
        assert self.limit
        todo = replace(self.todo, cells=cells)
        loads = self._traces(todo) | self._calibrations(todo) | self._cells(cells)
        seconds = sum(map(self.limit.expected, loads.values())) / min(count, len(cells))
        regimes = Counter(cell.regime_name for cell in cells)
        named = ", ".join(f"{name} {number:,}" for name, number in regimes.items())
        return (
            f"Left undone within the limit: {counted(len(cells), 'model')} ({named}), about {spoken(seconds)} on "
            f"{counted(count, 'worker')}. The same command goes on with them."
        )


def _announce(work: _Work, settings: Settings) -> None:
    """Prints what is to be done and how long it will take; asks above ten minutes."""
    todo, count = work.todo, settings.workers
    seconds = todo.seconds(work.facts, work.pool.rates) / min(count, len(todo.cells))
    to_do = f"{counted(len(todo.traces), 'proxy')} and {counted(len(todo.cells), 'model')} to go"
    statement = f"{to_do}, about {spoken(seconds)} on {counted(count, 'worker')}."
    work.console.print(statement, highlight=False)
    if min(seconds, settings.within or seconds) > ASK_ABOVE:
        settings.confirm(f"Suite '{todo.plan.suite.name}' needs about {spoken(seconds)}.")
