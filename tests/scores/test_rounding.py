"""Rounding to single precision keeps order and ties, or does not round."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from benchmark.scores.rounding import MOST_STEPS, in_single
from methods.api import Floats

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def ranks(values: Floats) -> Floats:
    return np.unique(values, return_inverse=True)[1]


@settings(max_examples=300, deadline=None)
@given(arrays(np.float64, st.integers(1, 30), elements=FLOATS | st.sampled_from([0.0, -0.0, 1.0, 1 + 2**-40, 1e-50])))
def test_order_and_ties_stay(scores: Floats) -> None:
    np.testing.assert_array_equal(ranks(in_single(scores)), ranks(scores))


@pytest.mark.parametrize("sign", [1, -1])
def test_neighbours_of_one_float32_stay_apart_and_near(sign: int) -> None:
    scores = sign * (1 + np.arange(MOST_STEPS) * 2.0**-40)
    found = in_single(scores)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(ranks(found), ranks(scores))
    np.testing.assert_allclose(found, scores, rtol=MOST_STEPS * 2.0**-23)


def test_single_precision_is_left_as_it_is() -> None:
    scores = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    found = in_single(scores)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, scores)


@pytest.mark.parametrize(
    "scores", [1 + np.arange(50) * 2.0**-40, [1e300, 1.0], [1e-320, 2e-320, 3e-320, 4e-320, 5e-320, 6e-320]]
)
def test_what_float32_is_too_coarse_for_stays_double(scores: Floats) -> None:
    found = in_single(np.asarray(scores))
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, scores)
