"""A bar with the time left, over tasks that worker processes do."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmark.workers import Failed, Pool


def tracked(
    pool: Pool, console: Console, title: str, task: Callable[..., None], keys: Sequence[str], work: Sequence[float]
) -> dict[str, Failed]:
    """Does the task for each key and shows how far it is, by the work that each means; what failed, by key.

    The bar moves within long tasks too, by what workers report as they go.
    """
    failed: dict[str, Failed] = {}
    if not keys:
        return failed
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("left"), TimeRemainingColumn(), console=console) as progress:
        bar, finished = progress.add_task(title, total=sum(work)), 0.0

        def show() -> None:
            progress.update(bar, completed=finished + pool.in_flight)

        for position, answer in pool.each(task, [(key,) for key in keys], waiting=show):
            if isinstance(answer, Failed):
                failed[keys[position]] = answer
            finished += work[position]
            show()
    return failed
