"""Replicates that are needed, against SciPy's noncentral t."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.stats import replicates_needed


def sample(effect: float) -> tuple[list[float], list[float]]:
    """Paired values whose differences have that mean and a standard deviation of 1."""
    return [effect - 1, effect, effect + 1], [0.0, 0.0, 0.0]


def power(n: int, effect: float, level: float = 0.05) -> float:
    quantile = scipy.stats.t.ppf(1 - level / 2, n - 1)
    return float(scipy.stats.nct.sf(quantile, n - 1, effect * math.sqrt(n)))


@given(st.floats(0.05, 20), st.floats(0.5, 0.99))
@settings(deadline=None, max_examples=200)
def test_is_the_smallest_number_of_enough_power(effect: float, wanted: float) -> None:
    needed = replicates_needed(*sample(effect), power=wanted)
    assert needed is not None
    assert power(needed, effect) >= wanted - 1e-6
    assert needed == 3 or power(needed - 1, effect) < wanted + 1e-6


@given(st.floats(0.05, 20), st.integers(1, 50))
@settings(deadline=None, max_examples=20)
def test_sign_unit_and_what_is_shared_do_not_matter(effect: float, unit: int) -> None:
    a, b = map(np.array, sample(effect))
    needed = replicates_needed(a, b)
    assert replicates_needed(b, a) == needed
    shared = np.array([3.0, 1.0, 2.0])
    assert replicates_needed(unit * a + shared, unit * b + shared) == pytest.approx(needed, abs=1)


def test_by_the_usual_table() -> None:
    # Effects of 0.5 and 0.8 standard deviations at 5 % two-sided and 80 %: 34 and 15 pairs (Cohen 1988)
    assert replicates_needed(*sample(0.5)) == 34
    assert replicates_needed(*sample(0.8)) == 15


def test_never_fewer_than_an_interval_needs() -> None:
    assert replicates_needed(*sample(1e9)) == 3
    assert replicates_needed([0.5, 0.6, 0.7], [0.25, 0.35, 0.45]) == 3


def test_none_where_there_is_nothing_to_separate_or_to_judge_by() -> None:
    assert replicates_needed([0.5, 0.6, 0.7], [0.5, 0.6, 0.7]) is None
    assert replicates_needed(*sample(0.0)) is None
    assert replicates_needed(*sample(0.01)) is None  # 78,000
    assert replicates_needed([0.5, 0.9], [0.1, 0.2]) is None


@pytest.mark.parametrize("wanted", [0.0, 1.0, 80.0])
def test_refuses_a_power_that_is_none(wanted: float) -> None:
    with pytest.raises(ValueError, match="a power lies between 0 and 1"):
        replicates_needed(*sample(1.0), power=wanted)
