"""What a limit of time allows, and the order in which a run within it takes cells."""

from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest

from benchmark.execution.agenda import waves
from benchmark.execution.limit import MARGIN, Limit, Load, duration
from benchmark.plan import make_plan
from benchmark.spec import Suite, load_suite
from methods.errors import UsageError


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("9m", 540), ("1.5h", 5400), (" 2m ", 120)])
def test_lengths_of_time(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "9", "m", "9min", "-3m", "0s", "1h30m"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(UsageError, match=f"'{text}' is no length of time; write it as 90s, 9m or 1.5h"):
        duration(text)


def test_nothing_is_begun_that_will_not_end_in_time() -> None:
    clock = Clock()
    limit = Limit(1000, clock)
    left = limit.end - clock.now
    assert 900 < left < 1000  # some is kept for what follows
    assert limit.allows(Load(left / MARGIN - 1, "train", 1.0))
    assert not limit.allows(Load(left / MARGIN + 1, "train", 1.0))
    clock.now += left / 2
    assert not limit.allows(Load(left / MARGIN - 1, "train", 1.0))
    assert limit.allows(Load(left / MARGIN / 2 - 1, "train", 1.0))
    assert not limit.over
    clock.now = limit.end
    assert limit.over
    assert not limit.allows(Load(0, "train", 1.0))


def test_what_a_kind_of_work_took_is_what_is_expected_of_it() -> None:
    limit = Limit(1000, Clock())
    load = Load(10, "train", 2.0)
    assert limit.expected(load) == 20
    limit.took(load, 50)
    limit.took(Load(30, "train", 2.0), 70)
    assert limit.expected(load) == 10 * (50 + 70) / (10 + 30)
    assert limit.expected(Load(10, "attack", 2.0)) == 20
    assert limit.expected(Load(1, "select", 0.0)) == 0  # unknown: it may be tried
    limit.took(Load(1, "select", 0.0), 40)
    assert limit.expected(Load(1, "select", 0.0)) == 40


def test_cells_come_in_the_order_of_the_suite_s_patterns(tiny_suite: Callable[..., Suite]) -> None:
    first = ["*/0.5/standard/0", "easycore/*/trades/0", "*/trades/*"]
    nulls = {"draws": 2, "rows": ["easycore"]}
    suite = tiny_suite(fractions=[0.1, 0.5], replicates=2, full=False, first=first, nulls=nulls)
    found = [
        [cell.id.removeprefix("tiny/") for cell in wave] for wave in waves(make_plan(suite).cells, tuple(suite.first))
    ]
    assert found[:-1] == [
        ["random/0.5/standard/0", "easycore/0.5/standard/0"],
        ["easycore/0.1/trades/0", "easycore/0.5/trades/0"],
        ["random/0.1/trades/0", "random/0.5/trades/0"],
        [f"{row}/{fraction}/trades/1" for row in ("random", "easycore") for fraction in ("0.1", "0.5")],
        ["random/0.1/standard/0", "easycore/0.1/standard/0"],
        [f"{row}/{fraction}/standard/1" for row in ("random", "easycore") for fraction in ("0.1", "0.5")],
    ]
    assert len(found[-1]) == 2 * 2 * 2 * 2
    assert all(name.startswith("null:") for name in found[-1])


def test_without_patterns_one_replicate_of_all_rows_comes_before_the_next(tiny_suite: Callable[..., Suite]) -> None:
    plan = make_plan(tiny_suite(fractions=[0.1, 0.5], replicates=2))
    found = waves(plan.cells, ())
    assert [{cell.replicate for cell in wave} for wave in found] == [{0}, {1}]
    assert found[0] == [cell for cell in plan.cells if cell.replicate == 0]


def test_the_suite_for_a_gpu_begins_with_what_it_says() -> None:
    suite = load_suite("cifar10-gpu")
    plan = make_plan(suite, known="any")
    names = [cell.id.removeprefix("cifar10-gpu/") for cell in plan.cells]
    assert all(any(fnmatchcase(name, pattern) for name in names) for pattern in suite.first)
    assert [trace.training.model for trace in plan.traces()] == ["resnet18", "resnet18", "vgg16"]
    first = waves(plan.cells, suite.first)[0]
    assert [(cell.name, cell.fraction, cell.regime_name) for cell in first] == [
        (row.name, 0.3, "standard") for row in suite.rows
    ]
    attacked = [cell for cell in plan.cells if "autoattack" in cell.outcomes]
    assert {cell.name for cell in attacked} == {row.name for row in suite.rows[:6]}
    assert {(cell.fraction, cell.outcomes["autoattack"].spec["images"]) for cell in attacked} == {(0.5, 1000)}
