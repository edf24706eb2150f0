"""Facility location against naive greedy, brute force and apricot (Iyer et al. 2021, arXiv:2006.15412)."""

import numpy as np
import pytest

from methods.errors import CoresetBenchError
from tests.oracles.sets import GREEDY, Value, assert_greedy, greedy, largest, shifted_cosines, vectors, world
from tests.oracles.worlds import SEEDS, chosen, context

NAME = "facility-location"


def coverage(rows: np.ndarray) -> Value:
    """f(A) = sum_i max_{j in A} s_ij"""
    s = shifted_cosines(rows)
    return lambda picks: sum(max(s[i][j] for j in picks) for i in range(len(s)))


def one_class(features: np.ndarray, k: int, seed: int = 0) -> list[int]:
    labels = np.zeros(len(features), dtype=int)
    return chosen(NAME, context(labels, {"features": features}, seed=seed), k)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["features", "gradients"])
def test_each_pick_is_the_best_of_its_class(seed: int, kind: str) -> None:
    labels, signals = world(seed)
    picks = chosen(NAME, context(labels, signals, seed=seed), 15, {"similarity": kind})
    for c in range(3):
        members = np.flatnonzero(labels == c)
        mine = [i for i in picks if labels[i] == c]
        value = coverage(vectors(kind, labels, signals)[members])
        assert_greedy(value, len(members), np.searchsorted(members, mine).tolist())


@pytest.mark.parametrize("seed", SEEDS)
def test_within_the_bound_of_the_best_of_all_sets(seed: int) -> None:
    features = np.random.default_rng(seed).standard_normal((11, 3))
    value = coverage(features)
    assert value(one_class(features, 3)) >= GREEDY * largest(value, 11, 3)


def test_apricot_picks_the_same() -> None:
    from apricot import FacilityLocationSelection

    features = np.random.default_rng(0).standard_normal((60, 6))
    selection = FacilityLocationSelection(20, metric="precomputed", optimizer="lazy")
    assert one_class(features, 20) == selection.fit(np.array(shifted_cosines(features))).ranking.tolist()


def test_the_lengths_of_features_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    features = rng.standard_normal((30, 4))
    assert one_class(features, 12) == one_class(features * rng.uniform(0.1, 10, (30, 1)), 12)


def test_features_of_zero_norm_are_like_any_other() -> None:
    features = np.random.default_rng(1).standard_normal((20, 4))
    features[[3, 8]] = 0
    picks = one_class(features, 20)
    assert sorted(picks) == list(range(20))
    assert_greedy(coverage(features), 20, picks)


def test_every_group_is_served_wherever_its_rows_are() -> None:
    """The published fault: the batch offset is applied twice, so that rows after the first batch are not covered."""
    rng = np.random.default_rng(0)
    features = np.repeat(np.eye(4), 10, axis=0) + 0.05 * rng.standard_normal((40, 4))
    s, batch = np.array(shifted_cosines(features)), 10

    def first_batch_only(picks: list[int]) -> float:
        # rows[i * batch : (i + 1) * batch] for i in range(batch, n, batch) is empty
        return float(s[:batch, picks].max(axis=1).sum())

    assert {i // 10 for i in one_class(features, 4)} == {0, 1, 2, 3}
    assert {i // 10 for i in greedy(first_batch_only, 40, 4)} != {0, 1, 2, 3}


def test_better_than_chance_which_stochastic_greedy_at_epsilon_09_is() -> None:
    """The published fault: epsilon = 0.9 draws ln(1 / 0.9) n / k candidates a step, one at a budget of 10 %."""
    rng = np.random.default_rng(0)
    features, k = rng.standard_normal((80, 4)), 8
    value = coverage(features)

    def stochastic(epsilon: float) -> float:
        picks: list[int] = []
        for _ in range(k):
            rest = [i for i in range(80) if i not in picks]
            drawn = rng.choice(rest, max(round(-np.log(epsilon) * 80 / k), 1), replace=False)
            picks.append(max((int(i) for i in drawn), key=lambda i: value([*picks, i])))
        return value(picks)

    by_chance = [value(rng.choice(80, k, replace=False).tolist()) for _ in range(40)]
    assert value(one_class(features, k)) > max(by_chance)
    assert np.mean([stochastic(0.9) for _ in range(10)]) < np.quantile(by_chance, 0.9)


def test_no_draws_where_nothing_ties() -> None:
    features = np.random.default_rng(0).standard_normal((40, 4))
    assert len({tuple(one_class(features, 6, seed)) for seed in SEEDS}) == 1


def test_a_tie_is_the_generators() -> None:
    """Either of two samples nearest to each other adds as much, whatever covers them; rounding must not decide."""
    features = np.random.default_rng(0).standard_normal((40, 4))
    runs = [one_class(features, 10, seed) for seed in range(200)]
    assert len({tuple(picks[:9]) for picks in runs}) == 1
    tenth = [picks[9] for picks in runs]
    assert set(tenth) == {17, 26}
    assert 60 < tenth.count(17) < 140


def test_the_greedy_order_is_kept() -> None:
    """The published fault: indices come back sorted."""
    labels, signals = world(0, n=60)
    picks = chosen(NAME, context(labels, signals), 30)
    assert picks != sorted(picks)
    assert picks[:11] == chosen(NAME, context(labels, signals), 11)


def test_an_unknown_similarity_is_refused() -> None:
    labels, signals = world(0)
    with pytest.raises(CoresetBenchError, match="Unknown similarity 'gradient'; did you mean 'gradients'"):
        chosen(NAME, context(labels, signals), 5, {"similarity": "gradient"})
