"""k-center, herding and CAL's neighbours beside DeepCore's structure: the same picks, the same neighbours."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from methods import registry
from methods.api import Budget, Context, Floats, Integers, Signals
from methods.cal import nearest_others
from tests.perf import baselines_geometry as baselines
from tests.perf.conftest import FULL

WIDTH, NEIGHBOURS = 512, 10
SIZES = (20_000, 2_000) if FULL else (5_000, 500)
BRIEF = (400, 40)  # where nothing is timed
ROUNDS = 1 if FULL else 3  # of the baselines


@pytest.fixture
def size(benchmark: BenchmarkFixture) -> tuple[int, int]:
    """How many samples, and how many of them to pick."""
    return BRIEF if benchmark.disabled else SIZES


@pytest.fixture
def features(size: tuple[int, int]) -> Floats:
    """Ten overlapping groups, none below 0, as features after a rectifier."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, WIDTH), dtype=np.float32)
    return np.maximum(rng.standard_normal((size[0], WIDTH), dtype=np.float32) + centres[np.arange(size[0]) % 10], 0)


@pytest.fixture(scope="module")
def rate() -> float:
    """Float32 operations a second in a product of matrices of this width, the best of five."""
    left, seconds = np.ones((2048, WIDTH), dtype=np.float32), []
    for _ in range(5):
        started = time.perf_counter()
        left @ left.T
        seconds.append(time.perf_counter() - started)
    return 2 * left.size * len(left) / min(seconds)


def ours(name: str, features: Floats, labels: Integers, k: int) -> Integers:
    context = Context(labels, 10, Signals({"features": features}, 1), np.random.default_rng(0))
    return registry.run(registry.get(name), context, Budget(k, len(features))).indices


def radius(features: Floats, picks: Integers) -> float:
    """The largest distance of a sample from its nearest pick."""
    from sklearn.metrics import pairwise_distances_argmin_min

    return float(
        pairwise_distances_argmin_min(features.astype(np.float64), features[picks].astype(np.float64))[1].max()
    )


def gap(features: Floats, picks: Integers) -> float:
    """How far the mean of the picks ends from the mean of all."""
    return float(np.linalg.norm(features[picks].mean(axis=0, dtype=float) - features.mean(axis=0, dtype=float)))


@pytest.mark.parametrize("who", ["ours", "baseline"])
def test_k_center(
    who: str, size: tuple[int, int], features: Floats, compare: Callable[..., Any], answers: Any, bandwidth: float
) -> None:
    n, k = size
    group = f"k-center, n = {n:,}, d = {WIDTH}, k = {k:,}"

    def fast() -> Integers:
        return ours("k-center", features, np.arange(n) % 10, k)

    if who == "ours":
        read = 4 * n * WIDTH  # bytes: every feature once
        compare(group, who, fast, target=10, floor=read / bandwidth)
        return
    centred = features - features.mean(axis=0)
    first = int(np.square(centred).sum(axis=1).argmin())
    picks = compare(group, who, lambda: baselines.k_center(centred, first, k), rounds=ROUNDS)
    kept = answers.get((group, "ours"))
    kept = fast() if kept is None else kept
    assert np.mean(picks == kept) > 0.99  # float32 exchanges picks that are equally far to all its digits
    assert radius(features, picks) == pytest.approx(radius(features, kept), rel=1e-5)


@pytest.mark.parametrize("who", ["ours", "baseline"])
@pytest.mark.parametrize("classes", [1, 10])
def test_herding(
    classes: int,
    who: str,
    size: tuple[int, int],
    features: Floats,
    compare: Callable[..., Any],
    answers: Any,
    rate: float,
) -> None:
    n, k = size
    group = f"herding, n = {n:,}, d = {WIDTH}, k = {k:,}, {classes} class{'es' * (classes > 1)}"
    labels = np.arange(n) % classes

    def fast() -> Integers:
        return ours("herding", features, labels, k)

    if who == "ours":
        products = 2 * n // classes * WIDTH * k  # operations: a product of every feature of the class a pick
        compare(group, who, fast, target=10 if classes == 1 else None, floor=products / rate)
        return
    members = [np.flatnonzero(labels == c) for c in range(classes)]
    parts = [features[mine] - features[mine].mean(axis=0) for mine in members]
    picks = compare(group, who, lambda: [baselines.herding(part, k // classes) for part in parts], rounds=ROUNDS)
    kept = answers.get((group, "ours"))
    kept = fast() if kept is None else kept
    for mine, found in zip(members, picks, strict=True):
        theirs = kept[np.isin(kept, mine)]
        assert np.mean(mine[found] == theirs) > 0.99
        assert gap(features[mine], found) == pytest.approx(gap(features[mine], np.searchsorted(mine, theirs)), rel=1e-5)


@pytest.mark.parametrize("who", ["ours", "baseline"])
def test_neighbours(
    who: str, size: tuple[int, int], features: Floats, compare: Callable[..., Any], answers: Any, rate: float
) -> None:
    n, _ = size
    group = f"CAL's neighbours, n = {n:,}, d = {WIDTH}, k = {NEIGHBOURS}"

    def fast() -> Integers:
        return nearest_others(features, NEIGHBOURS, np.random.default_rng(0))

    if who == "ours":
        products = n * n * WIDTH  # operations: d multiplications and d additions for half of all pairs
        compare(group, who, fast, target=10, floor=products / rate)
        return
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    found = compare(group, who, lambda: baselines.neighbours(unit, NEIGHBOURS), rounds=ROUNDS)
    kept = answers.get((group, "ours"))
    kept = fast() if kept is None else kept
    assert np.mean(np.sort(found) == np.sort(kept)) > 0.999  # as above
