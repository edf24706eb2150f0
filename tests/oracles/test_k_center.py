"""k-center greedy against a search that measures every distance (arXiv:1708.00489, algorithm 1)."""

from itertools import combinations

import numpy as np
import pytest

from tests.oracles.worlds import SEEDS, chosen, context


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return sum((float(x) - float(y)) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5


def naive(features: np.ndarray, k: int) -> list[int]:
    mean = features.mean(axis=0)
    picks = [min(range(len(features)), key=lambda i: distance(features[i], mean))]
    while len(picks) < k:
        rest = [i for i in range(len(features)) if i not in picks]
        picks.append(max(rest, key=lambda i: min(distance(features[i], features[j]) for j in picks)))
    return picks


def radius(features: np.ndarray, picks: tuple[int, ...] | list[int]) -> float:
    return max(min(distance(x, features[j]) for j in picks) for x in features)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_the_same_picks_in_the_same_order(seed: int, offset: float) -> None:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((35, 4)) + offset
    given = context(rng.integers(0, 3, 35), {"features": features}, seed=seed)
    assert chosen("k-center", given, 14) == naive(features, 14)


@pytest.mark.parametrize("seed", SEEDS)
def test_within_twice_the_best_radius_of_all_sets(seed: int) -> None:
    """The guarantee of farthest-first traversal (Gonzalez 1985), by brute force."""
    features = np.random.default_rng(seed).standard_normal((11, 2))
    best = min(radius(features, picks) for picks in combinations(range(11), 3))
    assert radius(features, chosen("k-center", context([0] * 11, {"features": features}), 3)) <= 2 * best + 1e-9


def test_duplicates_are_picked_once_each_and_last() -> None:
    features = np.array([[0.0], [0.0], [0.0], [5.0], [9.0]])
    picks = chosen("k-center", context([0] * 5, {"features": features}), 5)
    assert sorted(picks) == [0, 1, 2, 3, 4]
    assert {3, 4} <= set(picks[:3])


def test_the_greedy_order_is_kept() -> None:
    features = np.random.default_rng(0).standard_normal((40, 4))
    picks = chosen("k-center", context([0] * 40, {"features": features}), 20)
    assert picks != sorted(picks)
    assert picks[:7] == chosen("k-center", context([0] * 40, {"features": features}), 7)
