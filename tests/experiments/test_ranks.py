"""Rank correlations against counting pairs by hand, and picks against sets."""

import numpy as np
import pytest

from benchmark.experiments.ranks import highest, lowest, shared_picks, spearman, spearman_within


def mean_ranks(values: np.ndarray) -> list[float]:
    """One plus how many are smaller, plus half of how many others are equal."""
    return [1 + sum(b < a for b in values) + (sum(b == a for b in values) - 1) / 2 for a in values]


def by_hand(first: np.ndarray, second: np.ndarray) -> float:
    a, b = mean_ranks(first), mean_ranks(second)
    middle = (len(a) + 1) / 2
    both = sum((p - middle) * (q - middle) for p, q in zip(a, b, strict=True))
    return both / (sum((p - middle) ** 2 for p in a) * sum((q - middle) ** 2 for q in b)) ** 0.5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("values", [3, 1000])
def test_spearman_gives_ties_their_mean_rank(seed: int, values: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, values, 40), rng.integers(0, values, 40)
    assert spearman(first, second) == pytest.approx(by_hand(first, second), abs=1e-12)


def test_spearman_sees_order_alone() -> None:
    values = np.array([0.1, 0.5, 2.0, 9.0])
    assert spearman(values, np.exp(values)) == pytest.approx(1)
    assert spearman(values, -(values**3)) == pytest.approx(-1)


def test_an_infinite_value_stands_last() -> None:
    assert spearman([1, 2, 3], [0.5, 0.7, np.inf]) == pytest.approx(1)


def test_what_does_not_vary_agrees_with_nothing() -> None:
    assert spearman([1, 2, 3], [4, 4, 4]) == 0


@pytest.mark.parametrize("second", [[1, 2], [1, 2, np.nan], [[1, 2, 3]]])
def test_what_is_no_second_ranking_is_refused(second: list[float]) -> None:
    with pytest.raises(ValueError, match="ranking"):
        spearman([1, 2, 3], second)


def test_within_groups_a_difference_between_them_does_not_count() -> None:
    first, groups = np.array([1, 2, 3, 11, 12, 13, 50]), np.array([0, 0, 0, 1, 1, 1, 2])
    second = np.array([3, 2, 1, 13, 12, 11, 0])
    assert spearman_within(first, second, groups) == pytest.approx(-1)
    assert spearman(first[:6], second[:6]) > 0.5


def test_groups_count_by_their_size() -> None:
    first = np.array([1, 2, 3, 4, 1, 2])
    second = np.array([1, 2, 3, 4, 2, 1])
    assert spearman_within(first, second, [0, 0, 0, 0, 1, 1]) == pytest.approx((4 - 2) / 6)


@pytest.mark.parametrize("seed", range(3))
def test_shared_picks_are_those_of_two_sets(seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.random(50), rng.random(50)
    chosen = [{i for i in range(50) if sum(v < values[i] for v in values) < 15} for values in (first, second)]
    assert shared_picks(first, second, 0.3) == len(chosen[0] & chosen[1]) / 15


def test_the_ends() -> None:
    values = [5, 1, 4, 2, 3, 9, 8, 7, 6, 10]
    assert sorted(lowest(values, 0.2)) == [1, 3]
    assert sorted(highest(values, 0.2)) == [5, 9]
    assert len(lowest([3, 1], 0.1)) == 1
