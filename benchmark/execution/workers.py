"""Local worker processes: each with one torch thread and a workshop of its own.

Threads never fight: two torch threads beside another busy process were seen to run 26 times slower, so a worker uses
one unless told otherwise, and there are as many workers as cores.
"""

import json
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmark.execution.allocator import keep_freed_memory
from benchmark.plan import Plan, Selection, Stage, Trace, make_plan
from benchmark.records import Failure
from benchmark.spec import Suite
from benchmark.store import Store
from methods.errors import CoresetBenchError, Interrupted, UsageError

if TYPE_CHECKING:
    from benchmark.execution.estimate import Rates
    from benchmark.stages.answer import Answer
    from benchmark.stages.compute import Workshop
    from methods.api import Integers

THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Setting:
    """What every worker of a run needs to know; small, and the same in all of them."""

    suite: str  # JSON: a suite may differ from its file by options of the command line
    fingerprint: str
    store: Path
    data: Path | None
    device: str
    threads: int
    download: bool = False
    replicates: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Failed:
    """Why a task failed, and the traceback for the log."""

    failure: Failure
    log: str
    usage: bool = False

    def error(self) -> CoresetBenchError:
        """The failure as the exception that it was."""
        return (UsageError if self.usage else CoresetBenchError)(self.failure.message)


_plan: Plan
_traces: dict[str, Trace]
_selections: dict[str, Selection]
_calibrations: dict[str, Stage]
_workshop: "Workshop"
_unfit: CoresetBenchError | None = None  # why this worker could not be set up
_inflight: Any  # shared by all workers: work done within tasks that have not ended
_reported = 0.0  # this worker's part of it


def default_jobs(device: str) -> int:
    """As many workers as cores this process may use; one on an accelerator."""
    if device != "cpu":
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _start(setting: Setting, inflight: Any) -> None:
    """Sets a worker up. What fails here is said by its first task: an exception would only say that it died."""
    import torch

    from benchmark.stages.compute import Workshop

    global _plan, _traces, _selections, _calibrations, _workshop, _unfit, _inflight
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:  # as it is for a job in a script's background
        signal.signal(signal.SIGINT, _stop)
    torch.set_num_threads(setting.threads)
    keep_freed_memory()
    _inflight = inflight
    try:
        suite = Suite.model_validate_json(setting.suite)
        _plan = make_plan(suite, setting.data, setting.fingerprint, setting.replicates)
        _traces = {trace.proxy.key: trace for trace in _plan.traces()}
        _selections = {selection.coreset.key: selection for selection in _plan.selections()}
        _calibrations = {stage.key: stage for stage in _plan.calibrations()}
        set_up_device(setting.device)
        _workshop = Workshop(
            Store(setting.store), suite.dataset, setting.data, setting.device, setting.download, _report
        )
    except CoresetBenchError as error:
        _unfit = error


def _stop(*_: object) -> None:
    """Ctrl-C reaches workers too; the parent says what there is to say."""
    os._exit(Interrupted.exit_status)


def set_up_device(device: str) -> None:
    """Same seeds, same numbers: no TF32, no algorithm chosen by timing.

    Raises:
        CoresetBenchError: the device cannot be used.
    """
    import torch

    if device == "cpu":
        return
    if not torch.cuda.is_available():
        raise UsageError(
            f"torch {torch.__version__} cannot use '{device}' here; use --device cpu, or install its CUDA build."
        )
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.set_float32_matmul_precision("highest")


def _report(work: float) -> None:
    """Adds to the work in flight, so that the bar moves while a long task runs."""
    global _reported
    with _inflight.get_lock():
        _inflight.value += work
    _reported += work


def facts() -> dict[str, Any]:
    """The meta of the data stage."""
    return _workshop.facts(_plan.data.stage).meta


def positions() -> "Integers":
    """Where each image of the pool stands in the data set's own training part, int64 [N]."""
    return _workshop.facts(_plan.data.stage).arrays["positions"]


def labels() -> "Integers":
    """The label of each image of the pool, int64 [N]."""
    return _workshop.facts(_plan.data.stage).arrays["labels"]


def origin() -> dict[str, Any]:
    """Commit, versions and processor of this worker."""
    from benchmark.provenance import provenance

    return provenance(_workshop.device)


def trace(key: str) -> None:
    """Records the proxy run of that key."""
    _workshop.traced(_traces[key])


def select(key: str) -> None:
    """Selects the coreset of that key."""
    _workshop.coreset(_selections[key])


def score(key: str) -> "Answer":
    """What the method of the coreset of that key says of the pool."""
    from benchmark.stages.answer import ask

    return ask(_workshop, _selections[key])


def calibrate(key: str) -> None:
    """Measures the primary epsilon of the calibration of that key."""
    _workshop.calibration(_calibrations[key])


def spelled(stage: Stage) -> str:
    """A stage as text that `trial` reads: a task's argument must tell it from others."""
    return json.dumps(stage.spec, sort_keys=True)


def trial(spec: str) -> None:
    """Tries out the recipe of a trial's stage."""
    _workshop.trial(Stage("trial", json.loads(spec)))


def cell(cell_id: str) -> None:
    """Trains and attacks a cell."""
    _workshop.outcomes(_plan.find(cell_id))


def rates(model: str) -> "Rates":
    """What that network's passes take, measured now."""
    from benchmark.execution.estimate import measured

    regime = next(r for r in (*_plan.suite.regimes.values(), *_plan.suite.proxies.values()) if r.model == model)
    return measured(regime, _workshop.data, _workshop.device)


def _guarded(task: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """The task's answer, or why there is none: a failed cell must not take the others with it."""
    try:
        if _unfit:
            raise _unfit
        return task(*arguments)
    except Exception as error:
        own = isinstance(error, CoresetBenchError)
        message = str(error) if own else f"{type(error).__name__}: {error}"
        failure = Failure(stage="data" if _unfit else _workshop.busy, message=message)
        return Failed(failure, traceback.format_exc(), isinstance(error, UsageError))
    finally:
        _report(-_reported)  # the parent counts a finished task whole


class Pool:
    """Worker processes that answer tasks of this module."""

    def __init__(self, setting: Setting, jobs: int) -> None:
        self._threads = {name: str(setting.threads) for name in THREAD_VARIABLES}
        self._jobs, self._others = jobs, active_children()
        context = get_context("spawn")
        self._inflight = context.Value("d", 0.0)
        self._rates: dict[str, Rates] = {}
        self._executor = ProcessPoolExecutor(
            jobs, mp_context=context, initializer=_start, initargs=(setting, self._inflight)
        )

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        # Left to the interpreter's end, the pool's thread may find its pipe closed. Who interrupts is answered at once.
        interrupted = kind is not None and issubclass(kind, (Interrupted, KeyboardInterrupt))
        self._executor.shutdown(wait=not interrupted, cancel_futures=True)

    @property
    def in_flight(self) -> float:
        """Work done by now within tasks that have not ended."""
        return float(self._inflight.value)

    def ask(self, task: Callable[..., Any], *argument: Any) -> Any:
        """One task's answer.

        Raises:
            CoresetBenchError: the task failed.
        """
        ((_, answer),) = self.each(task, [argument])
        if isinstance(answer, Failed):
            raise answer.error()
        return answer

    def stop(self) -> None:
        """Ends the workers at once. What they were at is lost, and they take no more tasks."""
        for process in set(active_children()) - set(self._others):
            process.terminate()

    def rates(self, model: str) -> "Rates":
        """What that network's passes take here; measured once."""
        if model not in self._rates:
            self._rates[model] = self.ask(rates, model)
        return self._rates[model]

    def each(
        self,
        task: Callable[..., Any],
        arguments: Sequence[tuple[Any, ...]],
        waiting: Callable[[], None] = lambda: None,
        begins: Callable[[int], bool] | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """Answers (or `Failed`) as they come, with the position of their argument; started in the order given.

        `waiting` is called twice a second meanwhile. `begins` is asked of each position when a worker is free for it;
        where it says no, there is no answer.

        Raises:
            CoresetBenchError: a worker process died.
            Interrupted: by Ctrl-C.
        """
        ahead, at_once = iter(range(len(arguments))), self._jobs if begins else len(arguments)
        futures: dict[Future[Any], int] = {}
        try:
            while True:
                with _environment(self._threads):  # submitting starts the processes
                    while len(futures) < at_once and (position := next(ahead, None)) is not None:
                        if begins is None or begins(position):
                            futures[self._executor.submit(_guarded, task, arguments[position])] = position
                if not futures:
                    return
                for future in wait(futures, timeout=0.5, return_when=FIRST_COMPLETED).done:
                    yield futures.pop(future), future.result()
                waiting()
        except BrokenProcessPool:
            raise CoresetBenchError(
                "A worker process died, most likely for want of memory; run again with fewer --jobs: "
                "what is finished is kept."
            ) from None
        except KeyboardInterrupt:
            raise Interrupted("Stopped. What is finished is kept: the same command goes on from here.") from None


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Environment variables that processes started meanwhile inherit."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
