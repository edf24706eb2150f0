"""k-center greedy against a search that measures every distance (arXiv:1708.00489, algorithm 1)."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest

from methods.k_center import farthest_first
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


def clusters(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 10 * rng.standard_normal((4, 3))[rng.integers(0, 4, 60)] + 0.1 * rng.standard_normal((60, 3))


def far_from_its_mean(seed: int) -> np.ndarray:
    """Differences in the last digits of float32."""
    return (np.random.default_rng(seed).standard_normal((60, 4)) + 1000).astype(np.float32)


def drawn_twice(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((25, 4))[np.r_[:25, :25]]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("candidates", "rows", "picks"), [(1, 1, 1), (3, 7, 2), (16, 16, 60)])
@pytest.mark.parametrize("draw", [clusters, far_from_its_mean, drawn_twice])
def test_the_same_picks_from_a_few_candidates_at_a_time(
    draw: Callable[[int], np.ndarray],
    candidates: int,
    rows: int,
    picks: int,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Down to the last sample; twins, of which any may come first, by what they are."""
    for name, value in {"CANDIDATES": candidates, "ROWS": rows, "PICKS": picks}.items():
        monkeypatch.setattr(f"methods.k_center.{name}", value)
    features = draw(seed)
    found = chosen("k-center", context([0] * len(features), {"features": features}, seed=seed), len(features))
    assert sorted(found) == list(range(len(features)))
    distinct = len(np.unique(features, axis=0))
    wanted = naive(features.astype(np.float64), distinct)
    np.testing.assert_array_equal(features[found[:distinct]], features[wanted])


@pytest.mark.parametrize("seed", SEEDS)
def test_equally_far_samples_are_picked_in_the_order_of_the_shuffle(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole numbers, whose distances are exact: the first of the farthest, however few are looked at."""
    points = np.random.default_rng(seed).integers(0, 4, (40, 2))
    table = ((points[:, None] - points) ** 2).sum(axis=2).astype(float)
    wanted = [0]
    while len(wanted) < 40:
        nearest = table[:, wanted].min(axis=1)
        nearest[wanted] = -1
        wanted.append(int(np.argmax(nearest)))
    for candidates in (1, 4, 256):
        monkeypatch.setattr("methods.k_center.CANDIDATES", candidates)
        monkeypatch.setattr("methods.k_center.ROWS", 2 * candidates)
        assert farthest_first(lambda some, others: table[np.ix_(some, others)], 0, 40, 40).tolist() == wanted


@pytest.mark.parametrize("seed", SEEDS)
def test_only_what_may_be_farthest_is_measured(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer than the 2000 x 200 distances of all samples from all picks."""
    monkeypatch.setattr("methods.k_center.CANDIDATES", 32)
    monkeypatch.setattr("methods.k_center.ROWS", 128)
    features = np.random.default_rng(seed).standard_normal((2000, 16))
    measured = 0

    def distances(some: np.ndarray, others: np.ndarray) -> np.ndarray:
        nonlocal measured
        measured += len(some) * len(others)
        return ((features[some, None] - features[others]) ** 2).sum(axis=2)

    farthest_first(distances, 0, 2000, 200)
    assert measured < 2000 * 200


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


@pytest.mark.parametrize("seed", SEEDS)
def test_each_step_of_a_tiny_set_is_the_best_of_all(seed: int) -> None:
    """By brute force, down to the last sample."""
    features = np.random.default_rng(seed).standard_normal((8, 2))
    picks = chosen("k-center", context([0] * 8, {"features": features}), 8)
    assert sorted(picks) == list(range(8))
    for step in range(1, 8):
        gaps = {
            i: min(distance(features[i], features[j]) for j in picks[:step]) for i in range(8) if i not in picks[:step]
        }
        assert gaps[picks[step]] == pytest.approx(max(gaps.values()), rel=1e-9)


def nearest_first(features: np.ndarray, k: int) -> list[int]:
    """An argmin in place of the argmax."""
    mean = features.mean(axis=0)
    picks = [min(range(len(features)), key=lambda i: distance(features[i], mean))]
    while len(picks) < k:
        rest = [i for i in range(len(features)) if i not in picks]
        picks.append(min(rest, key=lambda i: min(distance(features[i], features[j]) for j in picks)))
    return picks


@pytest.mark.parametrize("seed", SEEDS)
def test_the_nearest_in_place_of_the_farthest_breaks_the_guarantee(seed: int) -> None:
    features = np.concatenate([np.random.default_rng(seed).standard_normal((9, 2)), [[50.0, 0.0], [0.0, 50.0]]])
    best = min(radius(features, picks) for picks in combinations(range(11), 3))
    assert radius(features, nearest_first(features, 3)) > 2 * best
    assert radius(features, chosen("k-center", context([0] * 11, {"features": features}), 3)) <= 2 * best + 1e-9


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_identical_samples_are_ordered_by_the_generator(value: float) -> None:
    given = {"features": np.full((30, 3), value)}
    first, second = (chosen("k-center", context([0, 1] * 15, given, seed=seed), 30) for seed in (0, 1))
    assert sorted(first) == sorted(second) == list(range(30))
    assert first != second


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_name(value: float) -> None:
    features = np.ones((9, 3))
    features[4, 1] = value
    with pytest.raises(Exception, match=r"The signal 'features' is NaN or infinite for 1 of 9 samples \(first: 4\)"):
        chosen("k-center", context([0] * 9, {"features": features}), 3)
