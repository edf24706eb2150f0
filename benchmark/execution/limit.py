"""Runs that end in time: what may still be begun, judged by how long such work has taken so far."""

import re
import time
from collections.abc import Callable
from typing import NamedTuple

from methods.errors import UsageError

MARGIN = 1.25  # what is begun is expected to end this many times sooner than the limit
RESERVE = 0.05  # share of the limit for records and tables
MOST_RESERVED = 20.0  # seconds
_UNITS = {"s": 1, "m": 60, "h": 3600}


def duration(text: str) -> float:
    """Seconds of "90s", "9m" or "1.5h".

    Raises:
        UsageError: anything else, or no time at all.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    seconds = float(found[1]) * _UNITS[found[2]] if found else 0.0
    if not seconds:
        raise UsageError(f"'{text}' is no length of time; write it as 90s, 9m or 1.5h.")
    return seconds


class Load(NamedTuple):
    """A task to be done: its work in any unit, its kind, and the seconds a unit that are expected of a first one."""

    work: float
    kind: str
    rate: float


class Limit:
    """When a run has to end, and how long its tasks take. Made when the run begins.

    Tasks of a kind take about as long for each unit of work: once some have ended, what they took is what is expected.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.end = clock() + seconds - min(MOST_RESERVED, RESERVE * seconds)
        self._taken: dict[str, tuple[float, float]] = {}  # by kind: work and seconds of what has ended

    @property
    def over(self) -> bool:
        return self.clock() >= self.end

    def expected(self, load: Load) -> float:
        """Seconds that a task will take."""
        work, seconds = self._taken.get(load.kind, (0.0, 0.0))
        return load.work * (seconds / work if work else load.rate)

    def allows(self, load: Load) -> bool:
        """Whether a task that is begun now will likely end in time."""
        return self.clock() + MARGIN * self.expected(load) < self.end

    def took(self, load: Load, seconds: float) -> None:
        """Learns from a task that has ended."""
        work, before = self._taken.get(load.kind, (0.0, 0.0))
        self._taken[load.kind] = work + load.work, before + seconds
