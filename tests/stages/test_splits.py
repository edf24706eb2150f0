"""Splits: exact totals, the proportions of the classes, disjoint parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.data.splits import divide, interleaved, limited, stratified
from methods.errors import UsageError


@given(st.lists(st.integers(0, 6), min_size=1, max_size=80), st.floats(0, 1), st.integers(0, 99))
def test_stratified_is_exact_and_in_proportion(labels: list[int], share: float, seed: int) -> None:
    values = np.array(labels)
    count = round(share * len(values))
    chosen = stratified(values, count, seed)
    assert len(chosen) == count
    assert (np.diff(chosen) > 0).all()
    got, exact = np.bincount(values[chosen], minlength=7), np.bincount(values, minlength=7) * count / len(values)
    assert (np.abs(got - exact) < 1).all()


def test_largest_remainder_by_hand() -> None:
    labels = np.repeat([0, 1, 2], [5, 3, 2])  # shares of 4: 2.0, 1.2, 0.8
    assert np.bincount(labels[stratified(labels, 4, 0)]).tolist() == [2, 1, 1]


def test_members_depend_on_the_seed_and_all_are_reached() -> None:
    labels = np.zeros(20, dtype=np.int64)
    draws = [stratified(labels, 5, seed) for seed in range(40)]
    assert set(np.concatenate(draws)) == set(range(20))
    assert np.array_equal(stratified(labels, 5, 3), draws[3])


def test_more_than_there_is_is_refused() -> None:
    with pytest.raises(ValueError, match="4 of 3"):
        stratified(np.zeros(3, dtype=np.int64), 4, 0)


def test_every_beginning_of_an_interleaved_order_is_in_proportion() -> None:
    labels = np.repeat([0, 1, 2], [60, 30, 10])
    order = interleaved(labels)
    assert sorted(order) == list(range(100))
    for end in range(1, 101):
        assert (np.abs(np.bincount(labels[order[:end]], minlength=3) - end * np.array([0.6, 0.3, 0.1])) < 1.5).all()


def test_parts_are_disjoint_and_the_official_test_part_keeps_its_order() -> None:
    labels = np.random.default_rng(0).integers(0, 4, 500)
    official = np.arange(499, 399, -1)
    parts = divide("d", labels, official, 30, 20)
    assert [len(part) for part in parts] == [350, 30, 20, 100]
    assert sorted(np.concatenate(parts)) == list(range(500))
    assert np.array_equal(parts.test, official)
    cut = limited("d", labels, parts, 40, 10)
    assert set(cut.train) < set(parts.train)
    assert np.array_equal(cut.test, np.sort(cut.test)[::-1])
    assert np.array_equal(cut.tune, parts.tune)


def test_the_parts_held_out_before_do_not_depend_on_the_later_ones() -> None:
    labels = np.random.default_rng(0).integers(0, 4, 300)
    one, other = divide("d", labels, 50, 20, 10), divide("d", labels, 50, 20, 40)
    assert np.array_equal(one.test, other.test)
    assert np.array_equal(one.tune, other.tune)


def test_limits_larger_than_the_data_are_one_sentence() -> None:
    labels = np.arange(20) % 2
    parts = divide("d", labels, 4, 2, 2)
    with pytest.raises(UsageError, match="'d' has 12 train images, fewer than train = 13; lower"):
        limited("d", labels, parts, 13, None)
    with pytest.raises(UsageError, match="'d' has 4 test images, fewer than test = 5; lower"):
        limited("d", labels, parts, None, 5)
    with pytest.raises(UsageError, match="'d' has 16 training images, too few to hold out tune = 9 and select = 7"):
        divide("d", labels, 4, 9, 7)
