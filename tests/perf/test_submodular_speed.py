"""Facility location and graph cut beside DeepCore's structure, on one class: the same values of the functions."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from methods import registry
from methods.api import Budget, Context, Floats, Integers, Signals
from tests.perf import baselines_submodular as baselines
from tests.perf.conftest import FULL

WIDTH = 512
SIZES = (20_000, 2_000) if FULL else (5_000, 500)
BRIEF = (300, 60)  # where nothing is timed


def grouped(n: int) -> Floats:
    """Ten overlapping groups, none below 0, as features after a rectifier."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, WIDTH), dtype=np.float32)
    return np.maximum(rng.standard_normal((n, WIDTH), dtype=np.float32) + centres[np.arange(n) % 10], 0)


@pytest.fixture(scope="module")
def rate() -> float:
    """Float32 operations a second in a product of matrices of this width, the best of five."""
    left, right = np.ones((2048, WIDTH), dtype=np.float32), np.ones((WIDTH, 8192), dtype=np.float32)
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        left @ right
        seconds.append(time.perf_counter() - started)
    return 2 * left.size * right.shape[1] / min(seconds)


def ours(name: str, features: Floats, k: int) -> Integers:
    labels = np.zeros(len(features), dtype=np.int64)
    signals = Signals({"features": features, "probability": np.ones((len(features), 1), dtype=np.float32)}, 1)
    context = Context(labels, 1, signals, np.random.default_rng(0))
    return registry.run(registry.get(name), context, Budget(k, len(features))).indices


def coverage(rows: Floats, picks: Integers) -> float:
    """sum_i max_{j in A} s_ij, of unit rows in float64."""
    return float(sum((1 + (rows[i : i + 500] @ rows[picks].T).max(axis=1)).sum() / 2 for i in range(0, len(rows), 500)))


def cut(rows: Floats, picks: Integers) -> float:
    """sum_{i in V} sum_{j in A} s_ij - 1/2 sum_{i,j in A} s_ij, of unit rows in float64."""
    everyone, mine = rows.sum(axis=0), rows[picks].sum(axis=0)
    return float((len(rows) * len(picks) + everyone @ mine) / 2 - (len(picks) ** 2 + mine @ mine) / 4)


@pytest.mark.parametrize("who", ["ours", "baseline"])
@pytest.mark.parametrize(
    ("name", "slow", "value"),
    [("facility-location", baselines.facility_location, coverage), ("graph-cut", baselines.graph_cut, cut)],
)
def test_submodular(
    name: str,
    slow: Callable[[Floats, int], Integers],
    value: Callable[[Floats, Integers], float],
    who: str,
    benchmark: BenchmarkFixture,
    compare: Callable[..., Any],
    answers: dict[tuple[str, str], Any],
    bandwidth: float,
    rate: float,
) -> None:
    n, k = BRIEF if benchmark.disabled else SIZES
    features = grouped(n)
    group = f"{name.replace('-', ' ')}, n = {n:,}, d = {WIDTH}, k = {k:,}"
    if who == "ours":
        # Every similarity once for both of its sides, and rows as often as a pick covers a sample better (1 in t
        # at the t-th pick); or a row of similarities for each pick.
        pairs = n * n * WIDTH / rate + 4 * n * n * np.log(k) / bandwidth
        floor = pairs if name == "facility-location" else 2 * n * WIDTH * k / rate
        compare(group, who, lambda: ours(name, features, k), target=10, floor=floor)
        return
    picks = compare(group, who, lambda: slow(features, k), rounds=1 if FULL else 3)
    fast = answers[group, "ours"] if (group, "ours") in answers else ours(name, features, k)
    rows = features.astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    assert value(rows, picks) == pytest.approx(value(rows, fast), rel=1e-5)
