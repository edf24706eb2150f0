"""Every method that chooses once, over growing sets of random signals: seconds and peak memory, for `growth.py`.

Sizes go up to 100,000 with PERF_SIZE=full. A size that would take a method longer than `LIMIT`, by the growth so far,
is left out and says so. Where benchmarks are disabled, as in `make test`, each method runs once on a few samples.
"""

import ctypes
import json
import re
import time
from contextlib import suppress
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rich.console import Console

from methods import registry
from methods.api import Budget
from tests.contract.test_scale import STATIC, random_context
from tests.perf.conftest import FULL, Book
from tests.perf.growth import GROUP, by_method, exponent, table, values, write

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000) if FULL else (1_000, 3_000)
WIDTH, CLASSES, SHARE = 512, 10, 10
LIMIT = 240.0  # seconds
QUICK, ROUNDS = 1.0, 3  # what takes less than a second is repeated
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident(field: str) -> float:
    """VmRSS (now) or VmHWM (the peak) in MB; NaN where the system does not say."""
    found = re.search(rf"^{field}:\s+(\d+) kB", STATUS.read_text(), re.MULTILINE) if STATUS.exists() else None
    return int(found.group(1)) * 1024 / 1e6 if found else float("nan")


def forget_the_peak() -> None:
    """Memory that is free goes back, and the peak starts anew at what is held, where Linux lets us."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    with suppress(OSError):
        CLEAR.write_text("5")


def expected(measured: dict[int, float], n: int) -> float:
    """Seconds at n by the growth from the last two sizes, or quadratic after one."""
    if not measured:
        return 0.0
    last = max(measured)
    steps = dict(sorted(measured.items())[-2:])
    return measured[last] * (n / last) ** max(exponent(steps) or 2.0, 1.0)


@pytest.mark.parametrize("name", STATIC)
def test_growth(name: str, benchmark: BenchmarkFixture, book: Book) -> None:
    method = registry.get(name)
    small = random_context(method.info, 200, WIDTH, CLASSES)
    benchmark.pedantic(registry.run, (method, small, Budget(20, 200)), rounds=1, iterations=1)  # imports what it needs
    if benchmark.disabled:
        return
    for n in SIZES:
        who = f"{name} at {n}"
        if book.has(GROUP, who):
            continue
        known = by_method(book.groups.get(GROUP, {"contestants": {}})["contestants"]).get(name, {})
        ahead = expected(values(known, "seconds"), n)
        if ahead > LIMIT or any("left_out" in facts for facts in known.values()):
            facts = {"left_out": f"about {ahead:.0f} s by its growth so far, and {LIMIT:.0f} are allowed"}
        else:
            facts = measure(name, n)
        book.add(GROUP, who, facts, width=WIDTH, classes=CLASSES, share=SHARE)


def measure(name: str, n: int) -> dict[str, object]:
    """Seconds of one run, or of three short ones, and the peak memory of the first in MB beyond the signals."""
    method, seconds, peak = registry.get(name), [], 0.0
    context = random_context(method.info, n, WIDTH, CLASSES)
    while not seconds or (seconds[0] < QUICK and len(seconds) < ROUNDS):
        forget_the_peak()
        before, start = resident("VmRSS"), time.perf_counter()
        coreset = registry.run(method, context, Budget(n // SHARE, n))
        seconds.append(round(time.perf_counter() - start, 6))
        peak = peak or round(resident("VmHWM") - before, 1)
        assert len(coreset.indices) == n // SHARE
    return {"seconds": seconds, "peak_mb": peak}


def test_the_exponent_of_a_power_is_found() -> None:
    assert exponent({n: 3e-6 * n**1.7 for n in (10, 1_000, 3_000, 10_000)}) == pytest.approx(1.7)
    assert exponent({10: 1e-9, 100: 1.0, 1_000: 10.0}, least=1e-6) == pytest.approx(1)
    assert exponent({10: 1.0}) is None
    assert expected({1_000: 0.5}, 2_000) == pytest.approx(2)
    assert expected({1_000: 0.5, 2_000: 4.0}, 4_000) == pytest.approx(32)


def test_the_table_and_the_figure_say_what_was_left_out(tmp_path: Path) -> None:
    contestants = {
        f"{name} at {n}": {"seconds": [n * slow, n * slow], "peak_mb": n / 10}
        for name, slow in (("quick", 1e-6), ("slow", 1e-3))
        for n in (1_000, 3_000, 10_000)
    }
    contestants["slow at 10000"] = {"left_out": "about 900 s"}
    group = {"contestants": contestants, "width": 512, "classes": 10, "share": 10}
    quick, slow = sorted(table(group).splitlines()[2:4])
    assert quick == "| quick | 0.001 | 0.003 | 0.01 | 1.00 | 1000 | 1.00 |"
    assert slow == "| slow | 1 | 3 | not run | 1.00 | 300 | 1.00 |"
    assert "- slow at 10,000: about 900 s" in table(group)
    (tmp_path / "full.json").write_text(
        json.dumps({"processor": "one", "threads": 1, "torch": "2", "groups": {GROUP: group}})
    )
    pictures = []
    for _ in range(2):
        write(tmp_path / "full.json", Console(quiet=True))
        pictures.append((tmp_path / "growth.svg").read_bytes())
    assert pictures[0] == pictures[1]
    assert "growth.svg" in (tmp_path / "growth.md").read_text()
