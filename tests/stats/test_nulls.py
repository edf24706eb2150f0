"""A row's place among random coresets."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.stats import NullPosition, null_position

DRAWS = np.random.default_rng(1).normal(0.5, 0.02, 100)
sizes = st.sampled_from([1, 3, 5, 10])


def test_z_by_hand() -> None:
    # mean 2, standard deviation 1; error = sqrt(1/3 + 1/3)
    assert null_position(3.0, [1.0, 2.0, 3.0], 3).z == pytest.approx(1 / math.sqrt(2 / 3))


def test_the_percentile_is_that_of_all_means_spread_for_a_new_row() -> None:
    draws, size = np.array([0.1, 0.2, 0.4, 0.8]), 3
    means = np.array([np.mean(found) for found in itertools.product(draws, repeat=size)])
    factor = draws.std(ddof=1) * math.sqrt(1 / size + 1 / 4) / means.std()
    spread = draws.mean() + factor * (means - draws.mean())
    for mean in (0.0, 0.21, 0.37, 0.5, 0.9):
        exact = 100 * ((spread < mean).mean() + (spread == mean).mean() / 2)
        assert null_position(mean, draws, size).percentile == pytest.approx(exact, abs=1.5)


@given(st.floats(0.4, 0.6), sizes, st.floats(-1, 1), st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_shift_sign_and_order(mean: float, size: int, shift: float, seed: int) -> None:
    plain = null_position(mean, DRAWS, size)
    moved, turned = null_position(mean + shift, DRAWS + shift, size), null_position(-mean, -DRAWS, size)
    assert moved.z == pytest.approx(plain.z, abs=1e-6)
    assert moved.percentile == pytest.approx(plain.percentile, abs=0.1)
    assert turned.z == pytest.approx(-plain.z)
    assert turned.percentile == pytest.approx(100 - plain.percentile, abs=0.1)
    shuffled = null_position(mean, np.random.default_rng(seed).permutation(DRAWS), size)
    assert shuffled.z == pytest.approx(plain.z)
    assert shuffled.percentile == pytest.approx(plain.percentile, abs=3)  # other means are drawn


@given(sizes)
def test_higher_is_higher(size: int) -> None:
    found = [null_position(mean, DRAWS, size).percentile for mean in np.linspace(0.4, 0.6, 21)]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 100)


def test_the_same_question_has_the_same_answer() -> None:
    assert null_position(0.51, DRAWS, 5) == null_position(0.51, DRAWS, 5)


def test_draws_that_are_all_equal() -> None:
    assert null_position(0.5, [0.5] * 100, 3) == NullPosition(50.0, 0.0)
    assert null_position(0.1 + 0.2, [0.3] * 100, 3) == NullPosition(50.0, 0.0)
    assert null_position(0.6, [0.5] * 100, 3) == NullPosition(100.0, math.inf)
    assert null_position(0.4, [0.5] * 100, 3) == NullPosition(0.0, -math.inf)


@pytest.mark.parametrize(
    ("mean", "draws", "size"),
    [(0.5, [0.5], 3), (0.5, [], 3), (0.5, [0.4, math.nan], 3), (math.nan, [0.4, 0.5], 3), (0.5, [0.4, 0.5], 0)],
)
def test_refuses_what_is_no_null(mean: float, draws: list[float], size: int) -> None:
    with pytest.raises(ValueError, match="a null needs"):
        null_position(mean, draws, size)
