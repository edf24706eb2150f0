"""Log-determinant against naive greedy and brute force (Iyer et al. 2021, arXiv:2006.15412)."""

import numpy as np
import pytest

from methods.errors import CoresetBenchError
from tests.oracles.sets import GREEDY, Value, assert_greedy, largest, shifted_cosines, vectors, world
from tests.oracles.worlds import SEEDS, chosen, context

NAME = "log-det"


def log_determinant(rows: np.ndarray, ridge: float = 0.1) -> Value:
    """f(A) = log det(S_A + ridge I)"""
    s = np.array(shifted_cosines(rows))
    return lambda picks: float(np.linalg.slogdet(s[np.ix_(picks, picks)] + ridge * np.eye(len(picks)))[1])


def most_explained(rows: np.ndarray, k: int, start: int) -> list[int]:
    """The published fault: the gain is s_jA S_A^-1 s_Aj, without the minus sign and the diagonal term."""
    s, picks = np.array(shifted_cosines(rows)), [start]
    while len(picks) < k:
        inverse = np.linalg.pinv(s[np.ix_(picks, picks)])
        rest = [j for j in range(len(s)) if j not in picks]
        picks.append(max(rest, key=lambda j: float(s[j, picks] @ inverse @ s[picks, j])))
    return picks


def one_class(features: np.ndarray, k: int, seed: int = 0, ridge: float = 0.1) -> list[int]:
    labels = np.zeros(len(features), dtype=int)
    return chosen(NAME, context(labels, {"features": features}, seed=seed), k, {"ridge": ridge})


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["features", "gradients"])
@pytest.mark.parametrize("ridge", [0.001, 0.1, 1.0])
def test_each_pick_is_the_best_of_its_class(seed: int, kind: str, ridge: float) -> None:
    labels, signals = world(seed)
    picks = chosen(NAME, context(labels, signals, seed=seed), 18, {"similarity": kind, "ridge": ridge})
    for c in range(3):
        members = np.flatnonzero(labels == c)
        mine = [i for i in picks if labels[i] == c]
        value = log_determinant(vectors(kind, labels, signals)[members], ridge)
        assert_greedy(value, len(members), np.searchsorted(members, mine).tolist())


def test_the_first_pick_is_the_generators() -> None:
    """All samples alone have the same determinant, 1 + ridge; an argmax over rounding errors would prefer some."""
    features = np.random.default_rng(0).standard_normal((12, 4))
    firsts = [one_class(features, 1, seed)[0] for seed in range(300)]
    counts = np.bincount(firsts, minlength=12)
    assert counts.min() > 25 - 5 * 25**0.5
    assert counts.max() < 25 + 5 * 25**0.5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("ridge", [0.01, 1.0])
def test_within_the_bound_of_the_best_of_all_sets(seed: int, ridge: float) -> None:
    """Of log det(I + S_A / ridge), which differs by a constant for sets of one size and never falls."""
    features = np.random.default_rng(seed).standard_normal((10, 3))

    def value(picks: list[int]) -> float:
        return log_determinant(features, ridge)(picks) - len(picks) * float(np.log(ridge))

    assert value(one_class(features, 3, seed, ridge)) >= GREEDY * largest(value, 10, 3)


def test_redundancy_is_avoided_and_the_fault_rewards_it() -> None:
    rng = np.random.default_rng(0)
    groups = np.concatenate([np.repeat([[1.0, 0, 0]], 30, axis=0), [[0, 1.0, 0], [0, 0, 1.0]]])
    features = groups + 0.01 * rng.standard_normal((32, 3))
    for seed in SEEDS:
        picks = one_class(features, 3, seed)
        assert {30, 31} <= set(picks)
    assert not {30, 31} & set(most_explained(features, 3, start=0))


@pytest.mark.parametrize("ridge", [1e-6, 0.1])
def test_copies_come_last(ridge: float) -> None:
    """A copy is explained but for the ridge; without one its determinant would be 0."""
    features = np.tile(np.random.default_rng(0).standard_normal((8, 16)), (3, 1))
    picks = one_class(features, 24, ridge=ridge)
    assert sorted(picks) == list(range(24))
    assert {i % 8 for i in picks[:8]} == set(range(8))


def test_features_of_zero_norm_are_like_any_other() -> None:
    """Their variance alone is 1/2, so that the first pick has a norm."""
    features = np.random.default_rng(1).standard_normal((20, 4))
    features[[3, 8]] = 0
    for seed in SEEDS:
        picks = one_class(features, 20, seed)
        assert sorted(picks) == list(range(20))
        assert picks[0] not in (3, 8)
        assert_greedy(log_determinant(features), 20, picks)


@pytest.mark.parametrize("ridge", [0.0, -1.0, float("inf"), float("nan")])
def test_a_ridge_that_means_nothing_is_refused(ridge: float) -> None:
    with pytest.raises(CoresetBenchError, match="'ridge' of 'log-det'"):
        one_class(np.eye(4), 2, ridge=ridge)


def test_the_greedy_order_is_kept() -> None:
    labels, signals = world(0, n=60)
    picks = chosen(NAME, context(labels, signals), 30)
    assert picks != sorted(picks)
    assert picks[:11] == chosen(NAME, context(labels, signals), 11)
