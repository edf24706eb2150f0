"""k-center, herding and CAL's neighbours beside DeepCore's structure: the same picks, the same neighbours."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from methods import registry
from methods.api import Budget, Context, Floats, Integers, Signals
from methods.cal import nearest_others
from tests.perf import baselines_geometry as baselines
from tests.perf.conftest import FULL

N, WIDTH, PICKS, NEIGHBOURS = (20_000, 512, 2_000, 10) if FULL else (5_000, 512, 500, 10)
SIZE = f"n = {N:,}, d = {WIDTH}"
WHO = pytest.mark.parametrize("who", ["ours", "baseline"])


@pytest.fixture(scope="module")
def features() -> Floats:
    """Ten overlapping groups, none below 0, as features after a rectifier."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((10, WIDTH), dtype=np.float32)
    return np.maximum(rng.standard_normal((N, WIDTH), dtype=np.float32) + centres[np.arange(N) % 10], 0)


@pytest.fixture(scope="module")
def rate(features: Floats) -> float:
    """Operations a second of a large matrix product in float32, the best of five."""
    some, seconds = features[:2048], []
    for _ in range(5):
        started = time.perf_counter()
        some @ some.T
        seconds.append(time.perf_counter() - started)
    return 2 * len(some) ** 2 * WIDTH / min(seconds)


def ours(name: str, features: Floats, labels: Integers) -> Integers:
    context = Context(labels, 10, Signals({"features": features}, 1), np.random.default_rng(0))
    return registry.run(registry.get(name), context, Budget(PICKS, N)).indices


def radius(features: Floats, picks: Integers) -> float:
    """The largest distance of a sample from its nearest pick: the order of near ties is float32's in the baseline."""
    from sklearn.metrics import pairwise_distances_argmin_min

    return float(
        pairwise_distances_argmin_min(features.astype(np.float64), features[picks].astype(np.float64))[1].max()
    )


@WHO
def test_k_center(who: str, features: Floats, compare: Callable[..., Any], answers: Any, bandwidth: float) -> None:
    group = f"k-center, {SIZE}, k = {PICKS:,}"
    if who == "ours":
        once = 4 * N * WIDTH  # bytes: every feature has to be read
        compare(group, who, lambda: ours("k-center", features, np.arange(N) % 10), target=10, floor=once / bandwidth)
        return
    centred = features - features.mean(axis=0)
    first = int(np.square(centred).sum(axis=1).argmin())
    picks = compare(group, who, lambda: baselines.k_center(centred, first, PICKS), rounds=1 if FULL else 3)
    if (group, "ours") in answers:
        assert radius(features, picks) == pytest.approx(radius(features, answers[group, "ours"]), rel=1e-5)


@WHO
@pytest.mark.parametrize("classes", [1, 10])
def test_herding(
    classes: int, who: str, features: Floats, compare: Callable[..., Any], answers: Any, bandwidth: float
) -> None:
    group = f"herding, {SIZE}, k = {PICKS:,}, {classes} class{'es' * (classes > 1)}"
    labels = np.arange(N) % classes
    if who == "ours":
        # bytes: the class, once a pick; ten classes fit in the cache
        floor = 4 * N * WIDTH * PICKS / bandwidth if classes == 1 else None
        compare(group, who, lambda: ours("herding", features, labels), target=10, floor=floor)
        return
    members = [np.flatnonzero(labels == c) for c in range(classes)]
    parts = [features[mine] - features[mine].mean(axis=0) for mine in members]
    share = PICKS // classes
    picks = compare(group, who, lambda: [baselines.herding(part, share) for part in parts], rounds=1 if FULL else 3)
    if (group, "ours") in answers:
        theirs = answers[group, "ours"]
        for c, mine in enumerate(members):
            assert mine[picks[c]].tolist() == theirs[labels[theirs] == c].tolist()


@WHO
def test_neighbours(who: str, features: Floats, compare: Callable[..., Any], answers: Any, rate: float) -> None:
    group = f"CAL's neighbours, {SIZE}, k = {NEIGHBOURS}"
    if who == "ours":
        compare(
            group,
            who,
            lambda: nearest_others(features, NEIGHBOURS, np.random.default_rng(0)),
            target=10,
            floor=N * N * WIDTH / rate,  # operations: half of all pairs, d multiplications and d additions
        )
        return
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    found = compare(group, who, lambda: baselines.neighbours(unit, NEIGHBOURS), rounds=1 if FULL else 3)
    if (group, "ours") in answers:
        assert np.mean(np.sort(found) == np.sort(answers[group, "ours"])) > 0.9999
