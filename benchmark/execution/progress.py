"""A bar with the time left, over tasks that worker processes do."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmark.execution.limit import Limit, Load
from benchmark.execution.workers import Failed, Pool


def tracked(
    pool: Pool,
    console: Console,
    title: str,
    task: Callable[..., Any],
    keys: Sequence[str],
    work: Sequence[float],
    watch: "Watch | None" = None,
    answered: Callable[[str, Any], None] = lambda key, answer: None,
) -> dict[str, Failed]:
    """Does the task for each key and shows how far it is, by the work that each means; what failed, by key.

    The bar moves within long tasks too, by what workers report as they go. `watch` keeps tasks within a limit;
    `answered` is given what the task answered for a key.
    """
    failed: dict[str, Failed] = {}
    if not keys:
        return failed
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=console) as progress:
        bar, finished = progress.add_task(title, total=sum(work)), 0.0

        def show() -> None:
            if watch:
                watch.check()
            progress.update(bar, completed=finished + pool.in_flight)

        begins = watch.begins if watch else None
        with suppress(_OutOfTime):
            for position, answer in pool.each(task, [(key,) for key in keys], waiting=show, begins=begins):
                if isinstance(answer, Failed):
                    failed[keys[position]] = answer
                else:
                    answered(keys[position], answer)
                    if watch:
                        watch.ended(position)
                finished += work[position]
                show()
    return failed


class _OutOfTime(Exception):
    """The limit was reached while tasks were at work, and they were stopped."""


class Watch:
    """Keeps tasks within a limit: none is begun that would not end in time, and at the end all are stopped."""

    def __init__(self, limit: Limit, loads: Sequence[Load], pool: Pool) -> None:
        self.limit, self.loads, self.pool = limit, loads, pool
        self.started: dict[int, float] = {}

    def begins(self, position: int) -> bool:
        self.started[position] = self.limit.clock()
        return self.limit.allows(self.loads[position])

    def ended(self, position: int) -> None:
        self.limit.took(self.loads[position], self.limit.clock() - self.started[position])

    def check(self) -> None:
        if self.limit.over:
            self.pool.stop()
            raise _OutOfTime
