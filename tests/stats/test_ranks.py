"""Rank intervals and the set of the best: by hand, by brute force and under what must not matter."""

import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.leaderboard import family
from benchmark.stats import among_best, rank_intervals
from benchmark.stats.ranks import surely_better

tables = st.tuples(st.integers(1, 7), st.integers(3, 8), st.integers(0, 2**32 - 1)).map(
    lambda shape: (
        np.random.default_rng(shape[2]).normal(size=(shape[0], shape[1]))
        + 8 * np.random.default_rng(shape[2] + 1).integers(0, 3, (shape[0], 1))
    )
)


def brute(values: np.ndarray) -> list[tuple[int, int]]:
    rows = len(values)
    pairs = list(itertools.combinations(range(rows), 2))
    p = {pair: scipy.stats.ttest_rel(values[pair[0]], values[pair[1]]).pvalue for pair in pairs}
    better = set()
    for step, (i, j) in enumerate(sorted(pairs, key=lambda pair: p[pair])):
        if p[i, j] * (len(pairs) - step) >= 0.05:
            break
        better.add((i, j) if values[i].mean() > values[j].mean() else (j, i))
    return [(1 + sum((j, i) in better for j in range(rows)), rows - sum((i, j) in better for j in range(rows)))
            for i in range(rows)]  # fmt: skip


@given(tables)
@settings(deadline=None)
def test_agrees_with_brute_force(values: np.ndarray) -> None:
    assert rank_intervals(values) == brute(values)


@given(tables, st.integers(0, 99))
@settings(deadline=None)
def test_order_and_what_replicates_share_do_not_matter(values: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, replicates = rng.permutation(values.shape[0]), rng.permutation(values.shape[1])
    found = rank_intervals(values)
    assert rank_intervals(values[rows][:, replicates]) == [found[row] for row in rows]
    assert rank_intervals(values + rng.normal(size=values.shape[1])) == found
    assert rank_intervals(-values) == [(len(found) + 1 - high, len(found) + 1 - low) for low, high in found]


@given(tables)
@settings(deadline=None)
def test_the_best_are_those_whose_ranks_begin_at_1(values: np.ndarray) -> None:
    among = among_best(values)
    assert among[values.mean(axis=1).argmax()]
    assert among.tolist() == [low == 1 for low, _ in rank_intervals(values)]


@given(tables)
@settings(deadline=None)
def test_the_leaderboard_ranks_the_rows_of_one_regime_alike(values: np.ndarray) -> None:
    rows = [f"row {i}" for i in range(len(values))]
    contest = family.Contest(dict(zip(rows, values, strict=True)))
    found = family.adjusted("pairs", {"regime": contest}, baseline="none").better["regime"]
    assert list(family.rank_intervals(rows, found).values()) == rank_intervals(values)


@given(tables)
@settings(deadline=None)
def test_a_row_above_a_row_that_is_above_a_third_is_above_the_third(values: np.ndarray) -> None:
    better = surely_better(values)
    assert (better | better @ better == better).all()


def test_far_apart_rows_have_bare_ranks() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, (4, 6))
    values = noise + np.array([[0.1], [0.9], [0.5], [0.3]])
    assert rank_intervals(values) == [(4, 4), (1, 1), (2, 2), (3, 3)]
    assert among_best(values).tolist() == [False, True, False, False]


def test_equal_rows_may_hold_any_rank() -> None:
    values = np.tile([0.5, 0.52, 0.47], (3, 1))
    assert rank_intervals(values) == [(1, 3)] * 3
    assert among_best(values).all()


def test_two_replicates_leave_every_rank_open() -> None:
    assert rank_intervals([[0.1, 0.1], [0.9, 0.9]]) == [(1, 2), (1, 2)]
    assert among_best([[0.1, 0.1], [0.9, 0.9]]).all()


def test_a_single_row_is_first() -> None:
    assert rank_intervals([[0.1, 0.2, 0.3]]) == [(1, 1)]


def test_rows_that_agree_by_chance_on_few_images_are_not_told_apart() -> None:
    values = np.array([[0.50, 0.51, 0.52], [0.49, 0.50, 0.51]])  # one image of a hundred in each replicate
    assert rank_intervals(values, 0.99) == [(1, 1), (2, 2)]
    assert rank_intervals(values, 0.99, step=0.01) == [(1, 2), (1, 2)]


@pytest.mark.parametrize("values", [[], [0.1, 0.2], [[0.1, float("nan"), 0.2]]])
def test_refuses_what_is_no_table(values: list[float]) -> None:
    with pytest.raises(ValueError, match="each row and replicate"):
        rank_intervals(values)


def test_refuses_a_confidence_that_is_none() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        among_best([[0.1, 0.2, 0.3], [0.2, 0.2, 0.2]], 95)
