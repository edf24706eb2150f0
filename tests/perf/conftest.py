"""Comparisons within one run: every contestant of a group is timed in the same process, one after the other.

`make perf` and `make perf-full` set where seconds are kept (PERF_OUT) and the sizes (PERF_SIZE). A contestant whose
seconds are kept already is not run again, so that a long run may be stopped; `python -m tests.perf.report FILE` prints
the ratios. Without PERF_OUT nothing is kept.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmark.execution.allocator import keep_freed_memory
from benchmark.provenance import processor
from benchmark.store import write_atomically

FULL = os.environ.get("PERF_SIZE") == "full"
PAGE = os.sysconf("SC_PAGE_SIZE")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is timed as workers run comes last: nothing takes back what they ask of the C library's allocator."""
    if config.getoption("benchmark_enable"):
        items.sort(key=lambda item: item.get_closest_marker("worker") is not None)


@pytest.fixture
def as_in_workers(benchmark: BenchmarkFixture) -> None:
    """From here on this process keeps freed memory, as workers do: on both sides of a ratio."""
    if not benchmark.disabled:
        keep_freed_memory()


class Book:
    """What was measured, in one JSON file: the machine, and for each group its contestants."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.groups: dict[str, Any] = {}
        if path and path.is_file():
            self.groups = json.loads(path.read_text())["groups"]

    def has(self, group: str, who: str) -> bool:
        return who in self.groups.get(group, {}).get("contestants", {})

    def add(self, group: str, who: str, facts: dict[str, Any], **about: Any) -> None:
        entry = self.groups.setdefault(group, {"contestants": {}})
        entry.update({name: value for name, value in about.items() if value is not None})
        entry["contestants"][who] = facts
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path, (json.dumps({**machine(), "groups": self.groups}, indent=1) + "\n").encode())


def machine() -> dict[str, Any]:
    """What the numbers depend on."""
    import torch

    return {
        "processor": processor(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


@pytest.fixture(scope="session")
def book() -> Book:
    out = os.environ.get("PERF_OUT")
    return Book(Path(out) if out else None)


@pytest.fixture(scope="session")
def answers() -> dict[tuple[str, str], Any]:
    """What each contestant of a group answered, for whoever compares."""
    return {}


@pytest.fixture
def compare(benchmark: BenchmarkFixture, book: Book, answers: dict[tuple[str, str], Any]) -> Callable[..., Any]:
    """Times one contestant of a group and returns its answer.

    target  the ratio to reach, baseline over ours
    floor   the seconds below which no implementation can go (bytes over bandwidth, or steps over their rate)
    rounds  how often it is run, after once that is not counted where there are several
    notes   what else of the answer is worth keeping
    """

    def run(
        group: str,
        who: str,
        function: Callable[[], Any],
        *,
        rounds: int = 3,
        target: float | None = None,
        floor: float | None = None,
        notes: Callable[[Any], dict[str, Any]] = lambda answer: {},
    ) -> Any:
        if benchmark.disabled:
            return function()
        if book.has(group, who):
            pytest.skip(f"measured already, kept in {book.path}")
        with PeakMemory() as peak:
            answer = benchmark.pedantic(function, rounds=rounds, iterations=1, warmup_rounds=int(rounds > 1))
        seconds = [round(value, 6) for value in benchmark.stats.stats.data]
        book.add(group, who, {"seconds": seconds, "peak_mb": peak(), **notes(answer)}, target=target, floor=floor)
        answers[group, who] = answer
        return answer

    return run


class PeakMemory:
    """The most resident memory that this process took within the block beyond what it had at its start, in MB."""

    def __enter__(self) -> Callable[[], float]:
        self.start = self.most = _resident()
        self._stop = threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return lambda: round((self.most - self.start) / 1e6, 1)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            self.most = max(self.most, _resident())


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    except OSError:  # not Linux: memory is not reported
        return 0


@pytest.fixture(scope="session")
def bandwidth() -> float:
    """Bytes a second at which this process reads memory: a large matrix times a vector, the best of five."""
    matrix, vector = np.ones((32768, 1024)), np.ones(1024)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        matrix @ vector
        seconds.append(time.perf_counter() - started)
    return matrix.nbytes / min(seconds)
