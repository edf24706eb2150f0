"""Intervals over replicates against SciPy and hand calculation."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from benchmark.stats import Estimate, estimate, paired_difference, simultaneous

shares = st.floats(0, 1).map(lambda x: round(x, 6))


def test_by_hand() -> None:
    # mean 2, standard deviation 1, t(0.975, 2 degrees of freedom) = 4.302653
    found = estimate([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.n == 3
    assert found.df == 2
    assert found.half_width == pytest.approx(4.302653 / 3**0.5, rel=1e-6)


@given(st.lists(shares, min_size=3, max_size=12).filter(lambda values: np.std(values) > 1e-6))
def test_agrees_with_scipy(values: list[float]) -> None:
    found = estimate(values)
    low, high = scipy.stats.t.interval(0.95, len(values) - 1, np.mean(values), scipy.stats.sem(values))
    assert found.half_width is not None
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx((low, high), abs=1e-12)


def test_a_pair_agrees_with_scipys_paired_test() -> None:
    a, b = [0.51, 0.48, 0.55, 0.50], [0.47, 0.46, 0.49, 0.47]
    found = paired_difference(a, b)
    interval = scipy.stats.ttest_rel(a, b).confidence_interval(0.95)
    assert found.half_width is not None
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx(
        (interval.low, interval.high)
    )
    assert not found.may_be(0.0)


def test_pairing_removes_what_the_two_share() -> None:
    shared = np.array([0.1, 0.5, 0.9])
    assert paired_difference(shared + 0.02, shared).half_width == pytest.approx(0, abs=1e-12)


def test_two_replicates_give_a_value_without_an_interval() -> None:
    assert estimate([0.25, 0.75]) == Estimate(0.5, None, 2)
    assert estimate([0.25]) == Estimate(0.25, None, 1)
    assert estimate([0.25, 0.75]).may_be(0.9)


def test_equal_replicates_have_an_interval_of_zero() -> None:
    found = estimate([0.5, 0.5, 0.5])
    assert found.half_width == 0
    assert found.may_be(0.5)
    assert not found.may_be(0.51)


@pytest.mark.parametrize("values", [[], [0.1, float("nan"), 0.2], [[0.1, 0.2]]])
def test_refuses_what_is_no_sample(values: list[float]) -> None:
    with pytest.raises(ValueError, match="one finite value for each replicate"):
        estimate(values)


def test_refuses_unpaired_replicates() -> None:
    with pytest.raises(ValueError, match="same replicates"):
        paired_difference([0.1, 0.2, 0.3], [0.1, 0.2])


def test_a_step_is_the_least_that_replicates_are_taken_to_vary() -> None:
    # the standard deviation of rounding to 0.01 is 0.01 / sqrt(12)
    found = estimate([0.5, 0.5, 0.5], step=0.01)
    assert found.half_width == pytest.approx(4.302653 * 0.01 / 36**0.5, rel=1e-6)
    assert estimate([0.4, 0.5, 0.6], step=0.01) == estimate([0.4, 0.5, 0.6])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, float("nan")])
def test_refuses_a_confidence_that_is_none(confidence: float) -> None:
    with pytest.raises(ValueError, match="a confidence lies between 0 and 1"):
        estimate([0.1, 0.2, 0.4], confidence)


def test_simultaneous_intervals_share_the_error_among_the_cells() -> None:
    cells = np.random.default_rng(0).normal(size=(5, 4))
    found = simultaneous(cells, 0.9)
    assert found == [estimate(cell, 1 - 0.1 / 5) for cell in cells]
    assert simultaneous(cells[:1]) == [estimate(cells[0])]
    assert [cell.half_width for cell in simultaneous(cells[:, :2])] == [None] * 5


@pytest.mark.parametrize("values", [[], [0.1, 0.2, 0.3], [[0.1, float("inf"), 0.2]]])
def test_simultaneous_intervals_refuse_what_is_no_table(values: list[float]) -> None:
    with pytest.raises(ValueError, match="each cell and replicate"):
        simultaneous(values)
