"""Every method once at the size of CIFAR: seconds and peak memory, printed and not gated.

`make perf ARGS="-k at_scale"` runs N = 50,000 samples, d = 512, C = 100, k = 500 on random signals. Where
benchmarks are disabled, as in `make test`, the same is done on a few hundred samples.
"""

import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from methods import registry
from methods.api import Budget
from tests.contract.test_scale import STATIC, random_context

FULL = (50_000, 512, 100, 500)
BRIEF = (600, 32, 10, 50)
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident(field: str) -> float:
    """VmRSS (now) or VmHWM (the peak) in MiB; NaN where the system does not say."""
    found = re.search(rf"^{field}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE) if STATUS.exists() else None
    return int(found.group(1)) / 1024 if found else float("nan")


def forget_the_peak() -> None:
    """The peak starts anew at what is held now, where Linux lets us."""
    with suppress(OSError):
        CLEAR.write_text("5")


@pytest.mark.benchmark(group="N = 50,000, d = 512, C = 100, k = 500")
@pytest.mark.parametrize("name", STATIC)
def test_selection_at_scale(name: str, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    n, width, classes, k = FULL if benchmark.enabled else BRIEF
    method = registry.get(name)
    method.select(random_context(method.info, 200, width, 5), Budget(10, 200))  # imports what it needs
    context = random_context(method.info, n, width, classes)
    forget_the_peak()
    before, start = resident("VmRSS"), time.perf_counter()
    coreset = benchmark.pedantic(registry.run, (method, context, Budget(k, n)), rounds=1, iterations=1)
    seconds, more = time.perf_counter() - start, resident("VmHWM") - before
    assert len(coreset.indices) == k
    if benchmark.enabled:
        benchmark.extra_info["peak MiB above its signals"] = round(more)
        with capsys.disabled():
            print(f"\n{name:<24}{seconds:9.2f} s {more:9,.0f} MiB above its signals", end="")
