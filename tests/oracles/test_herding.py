"""Herding against a greedy search that tries every candidate (Welling 2009)."""

import numpy as np
import pytest

from tests.oracles.worlds import SEEDS, chosen, context


def gap(features: np.ndarray, picks: list[int]) -> float:
    """How far the mean of the picks ends from the mean of all."""
    return float(np.linalg.norm(features[picks].mean(axis=0) - features.mean(axis=0)))


def naive(features: np.ndarray, k: int) -> list[int]:
    picks: list[int] = []
    for _ in range(k):
        rest = [i for i in range(len(features)) if i not in picks]
        picks.append(min(rest, key=lambda i: gap(features, [*picks, i])))
    return picks


def farthest(features: np.ndarray, k: int) -> list[int]:
    """The published fault: an argmax in place of the argmin."""
    picks: list[int] = []
    for _ in range(k):
        rest = [i for i in range(len(features)) if i not in picks]
        picks.append(max(rest, key=lambda i: gap(features, [*picks, i])))
    return picks


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_the_same_picks_in_the_same_order_within_each_class(seed: int, offset: float) -> None:
    rng = np.random.default_rng(seed)
    labels, features = rng.integers(0, 3, 45), rng.standard_normal((45, 6)) + offset
    picks = chosen("herding", context(labels, {"features": features}, seed=seed), 18)
    for c in range(3):
        members = np.flatnonzero(labels == c)
        mine = [i for i in picks if labels[i] == c]
        assert mine == members[naive(features[members], len(mine))].tolist()


def opposites(seed: int) -> np.ndarray:
    """Pairs that differ from +v and -v, which are long, by less than float32 can tell."""
    rng = np.random.default_rng(seed)
    v, signs = 1000 * rng.standard_normal(6), np.repeat([1, -1], 12)
    return signs[:, None] * v + 1e-6 * rng.standard_normal((24, 6))


def in_float32(features: np.ndarray, k: int) -> list[int]:
    """The search of the method, were there no float64."""
    h = (features - features.mean(axis=0)).astype(np.float32)
    picks: list[int] = []
    for _ in range(k):
        distance = (h * h).sum(axis=1) + 2 * h @ h[picks].sum(axis=0)
        distance[picks] = np.inf
        picks.append(int(np.argmin(distance)))
    return picks


@pytest.mark.parametrize("seed", SEEDS)
def test_float64_decides_where_float32_cannot(seed: int) -> None:
    features = opposites(seed)
    wanted = naive(features, 10)
    assert chosen("herding", context([0] * 24, {"features": features}, seed=seed), 10) == wanted
    assert in_float32(features, 10) != wanted


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_signals_in_float32_give_the_picks_of_float64(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    features = (scale * (rng.standard_normal((60, 8)) + 3)).astype(np.float32)
    picks = chosen("herding", context([0] * 60, {"features": features}, seed=seed), 60)
    assert picks == naive(features.astype(np.float64), 60)


def test_one_pick_is_the_best_of_all() -> None:
    features = np.random.default_rng(1).standard_normal((12, 2))
    (pick,) = chosen("herding", context([0] * 12, {"features": features}), 1)
    assert pick == min(range(12), key=lambda i: gap(features, [i]))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mean_ends_nearer_than_by_chance_and_the_argmax_farther(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((120, 8))
    by_chance = np.mean([gap(features, rng.choice(120, 12, replace=False).tolist()) for _ in range(50)])
    assert gap(features, chosen("herding", context([0] * 120, {"features": features}), 12)) < 0.5 * by_chance
    assert gap(features, farthest(features, 12)) > 1.5 * by_chance


def test_the_greedy_order_is_kept() -> None:
    """The published fault: indices come back sorted."""
    features = np.random.default_rng(0).standard_normal((40, 4))
    given = {"features": features}
    picks = chosen("herding", context([0] * 40, given), 20)
    assert picks != sorted(picks)
    assert picks[:7] == chosen("herding", context([0] * 40, given), 7)


def test_classes_share_an_exact_budget() -> None:
    labels = np.repeat([0, 1, 2], [31, 31, 138])  # rounding class by class gives 101 of 100
    picks = chosen("herding", context(labels, {"features": np.random.default_rng(0).standard_normal((200, 3))}), 100)
    assert len(picks) == 100
    assert abs(np.bincount(labels[picks]) - np.array([15.5, 15.5, 69])).max() <= 1


@pytest.mark.parametrize("seed", SEEDS)
def test_each_step_of_a_tiny_set_is_the_best_of_all(seed: int) -> None:
    """By brute force, down to the last sample; the first is the best set of one."""
    features = np.random.default_rng(seed).standard_normal((7, 2))
    picks = chosen("herding", context([0] * 7, {"features": features}), 7)
    assert sorted(picks) == list(range(7))
    for step in range(7):
        gaps = {i: gap(features, [*picks[:step], i]) for i in range(7) if i not in picks[:step]}
        assert gaps[picks[step]] == pytest.approx(min(gaps.values()), abs=1e-9)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_identical_samples_are_ordered_by_the_generator(value: float) -> None:
    given = {"features": np.full((30, 3), value)}
    first, second = (chosen("herding", context([0] * 30, given, seed=seed), 30) for seed in (0, 1))
    assert sorted(first) == sorted(second) == list(range(30))
    assert first != second


def test_a_class_of_one_sample_gives_that_sample() -> None:
    labels = np.array([0] * 10 + [1])
    given = {"features": np.random.default_rng(0).standard_normal((11, 3))}
    assert sorted(chosen("herding", context(labels, given), 11)) == list(range(11))
    assert len(chosen("herding", context(labels, given), 1)) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_name(value: float) -> None:
    features = np.ones((9, 3))
    features[4, 1] = value
    with pytest.raises(Exception, match=r"The signal 'features' is NaN or infinite for 1 of 9 samples \(first: 4\)"):
        chosen("herding", context([0] * 9, {"features": features}), 3)
