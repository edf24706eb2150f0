"""Seconds that a stage costs, whatever else the machine does meanwhile."""

import time
from collections.abc import Callable


def stopwatch(device: str) -> Callable[[], float]:
    """A function that says how many seconds have passed since.

    On a CPU they are seconds of this process's cores: a busy machine makes a stage late, not dear. An accelerator
    works beside the process, so there they are seconds of the wall.
    """
    clock = time.process_time if device == "cpu" else time.perf_counter
    start = clock()
    return lambda: clock() - start
