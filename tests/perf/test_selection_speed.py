"""How long selection takes beside the obvious implementation. Compare medians within one run; nothing gates on them."""

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.spatial.distance import cdist

from methods.api import Budget, Context, Floats, Integers, Signals
from methods.herding import greedy_mean
from methods.k_center import k_center

N, WIDTH, PICKS = 2000, 128, 200


@pytest.fixture(scope="module")
def features() -> Floats:
    return np.random.default_rng(0).standard_normal((N, WIDTH)).astype(np.float32)


def pairwise_k_center(features: Floats, k: int) -> list[int]:
    """Farthest-first from all N x N distances, as circulating code does it."""
    points = features.astype(np.float64)
    distance = cdist(points, points)
    picks = [int(np.argmin(((points - points.mean(axis=0)) ** 2).sum(axis=1)))]
    while len(picks) < k:
        picks.append(int(np.argmax(distance[:, picks].min(axis=1))))
    return picks


def loop_herding(features: Floats, k: int) -> list[int]:
    """The definition, with every candidate mean written out."""
    points = features.astype(np.float64)
    mean, picks = points.mean(axis=0), []
    for step in range(1, k + 1):
        means = (points[picks].sum(axis=0) + points) / step
        gaps = np.linalg.norm(mean - means, axis=1)
        gaps[picks] = np.inf
        picks.append(int(np.argmin(gaps)))
    return picks


def our_k_center(features: Floats, k: int) -> Integers:
    context = Context(
        np.zeros(len(features), dtype=np.int64), 1, Signals({"features": features}, 1), np.random.default_rng(0)
    )
    return k_center.select(context, Budget(k, len(features))).indices


@pytest.mark.benchmark(group="k-center, n = 2,000, d = 128, k = 200")
@pytest.mark.parametrize("implementation", [our_k_center, pairwise_k_center])
def test_k_center(benchmark: BenchmarkFixture, implementation: object, features: Floats) -> None:
    picks = benchmark(implementation, features, PICKS)
    assert list(picks) == list(our_k_center(features, PICKS))


@pytest.mark.benchmark(group="herding, n = 2,000, d = 128, k = 200")
@pytest.mark.parametrize("implementation", [greedy_mean, loop_herding])
def test_herding(benchmark: BenchmarkFixture, implementation: object, features: Floats) -> None:
    picks = benchmark(implementation, features.astype(np.float64), PICKS)
    assert list(picks) == list(greedy_mean(features.astype(np.float64), PICKS))
