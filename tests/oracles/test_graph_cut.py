"""Graph cut against naive greedy, brute force and apricot (Iyer et al. 2021, arXiv:2006.15412)."""

from itertools import combinations

import numpy as np
import pytest

from methods.errors import CoresetBenchError
from tests.oracles.sets import GREEDY, Value, assert_greedy, largest, shifted_cosines, vectors, world
from tests.oracles.worlds import SEEDS, chosen, context

NAME = "graph-cut"


def cut(rows: np.ndarray, lam: float) -> Value:
    """f(A) = sum_{i in V} sum_{j in A} s_ij - lam sum_{i,j in A} s_ij"""
    s = shifted_cosines(rows)
    return lambda picks: (
        sum(s[i][j] for i in range(len(s)) for j in picks) - lam * sum(s[i][j] for i in picks for j in picks)
    )


def one_class(features: np.ndarray, k: int, lam: float = 0.5) -> list[int]:
    return chosen(NAME, context(np.zeros(len(features), dtype=int), {"features": features}), k, {"lam": lam})


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["features", "gradients"])
@pytest.mark.parametrize("lam", [0.0, 0.5, 2.0])
def test_each_pick_is_the_best_of_its_class(seed: int, kind: str, lam: float) -> None:
    labels, signals = world(seed)
    picks = chosen(NAME, context(labels, signals, seed=seed), 15, {"similarity": kind, "lam": lam})
    for c in range(3):
        members = np.flatnonzero(labels == c)
        mine = [i for i in picks if labels[i] == c]
        value = cut(vectors(kind, labels, signals)[members], lam)
        assert_greedy(value, len(members), np.searchsorted(members, mine).tolist())


@pytest.mark.parametrize("seed", SEEDS)
def test_within_the_bound_of_the_best_of_all_sets(seed: int) -> None:
    features = np.random.default_rng(seed).standard_normal((10, 3))
    value = cut(features, 0.5)
    for picks in combinations(range(10), 3):  # the bound holds where adding never hurts
        assert all(value([*picks, j]) >= value([*picks]) - 1e-9 for j in range(10) if j not in picks)
    assert value(one_class(features, 3)) >= GREEDY * largest(value, 10, 3)


def test_apricot_picks_the_same() -> None:
    """Its alpha weights the first sum, as DeepCore's lam does: 1 / lam here."""
    from apricot import GraphCutSelection

    features = np.random.default_rng(0).standard_normal((60, 6))
    selection = GraphCutSelection(20, metric="precomputed", alpha=1 / 0.7, optimizer="naive")
    assert one_class(features, 20, 0.7) == selection.fit(np.array(shifted_cosines(features))).ranking.tolist()


def test_features_of_zero_norm_are_like_any_other() -> None:
    features = np.random.default_rng(1).standard_normal((20, 4))
    features[3] = 0
    assert_greedy(cut(features, 0.5), 20, one_class(features, 20))


def test_more_blocks_than_one_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(1).standard_normal((50, 4))
    whole = one_class(features, 20)
    monkeypatch.setattr("methods.greedy.BLOCK", 7 * 50)
    assert one_class(features, 20) == whole


def test_a_large_lam_spreads_the_picks() -> None:
    """One dense group and one sparse one: what represents most lies in the dense one, until it is taken."""
    rng = np.random.default_rng(0)
    groups = np.repeat([[1.0, 0, 0], [-1.0, 0, 0]], [30, 10], axis=0)
    features = groups + 0.1 * rng.standard_normal((40, 3))
    assert max(one_class(features, 6, lam=0.0)) < 30
    assert max(one_class(features, 6, lam=8.0)) >= 30


@pytest.mark.parametrize("lam", [-0.5, float("inf"), float("nan")])
def test_a_lam_that_means_nothing_is_refused(lam: float) -> None:
    with pytest.raises(CoresetBenchError, match="'lam' of 'graph-cut'"):
        one_class(np.eye(4), 2, lam)


def test_the_greedy_order_is_kept() -> None:
    labels, signals = world(0, n=60)
    picks = chosen(NAME, context(labels, signals), 30)
    assert picks != sorted(picks)
    assert picks[:11] == chosen(NAME, context(labels, signals), 11)
