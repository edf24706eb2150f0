"""Estimand B against a two-way analysis of variance in plain loops, and its rules for few replicates."""

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmark.stats import Estimate, crossed, estimate

Table = NDArray[np.float64]
bits = st.tuples(st.integers(3, 6), st.integers(2, 30), st.integers(0, 2**32 - 1)).map(
    lambda shape: np.random.default_rng(shape[2]).integers(-1, 2, shape[:2]).astype(np.float64)
)


def mean_squares(table: Table) -> tuple[float, float, float]:
    S, n = table.shape
    mean = sum(float(v) for v in table.ravel()) / (S * n)
    rows = [sum(float(v) for v in table[s]) / n for s in range(S)]
    columns = [sum(float(v) for v in table[:, i]) / S for i in range(n)]
    seed = n * sum((row - mean) ** 2 for row in rows) / (S - 1)
    image = S * sum((column - mean) ** 2 for column in columns) / (n - 1)
    rest = sum((table[s, i] - rows[s] - columns[i] + mean) ** 2 for s in range(S) for i in range(n))
    return seed, image, float(rest) / ((S - 1) * (n - 1))


def test_agrees_with_the_formula_where_no_rule_is_needed() -> None:
    rng = np.random.default_rng(3)
    table = rng.normal(0, 0.3, (10, 1)) + rng.normal(0, 1.5, 40) + rng.normal(0, 0.5, (10, 40))
    seed, image, rest = mean_squares(table)
    assert seed > rest
    assert image > rest
    variance = (seed + image - rest) / table.size
    df = (seed + image - rest) ** 2 / (seed**2 / 9 + image**2 / 39 + rest**2 / (9 * 39))
    found = crossed(table)
    assert found.mean == pytest.approx(table.mean())
    assert found.df == pytest.approx(df)
    assert found.half_width == pytest.approx(scipy.stats.t.ppf(0.975, df) * math.sqrt(variance))


@given(bits)
@settings(deadline=None)
def test_is_never_shorter_than_the_interval_over_replicates(table: Table) -> None:
    over_images, over_replicates = crossed(table), estimate(table.mean(axis=1))
    assert over_images.half_width is not None
    assert over_replicates.half_width is not None
    assert over_images.half_width >= over_replicates.half_width - 1e-12
    assert over_images.df is not None
    assert over_images.df >= len(table) - 1


def test_a_variance_that_the_formula_makes_negative_is_that_of_the_residual() -> None:
    # Rows and columns that all sum to 0: MS_seed = MS_image = 0, and the formula gives -MS_res.
    table = np.array([[1.0, -1.0, 0.0], [-1.0, 0.0, 1.0], [0.0, 1.0, -1.0]])
    seed, image, rest = mean_squares(table)
    assert (seed, image) == (0, 0)
    found = crossed(table)
    assert found.df is not None
    assert found.half_width == pytest.approx(scipy.stats.t.ppf(0.975, found.df) * math.sqrt(rest / 9))


@pytest.mark.parametrize("step", [0.0, 0.002, 0.05])
def test_equal_replicates_are_no_surer_than_rounding_allows(step: float) -> None:
    table = np.tile([0.0, 1.0, 1.0, 1.0], (3, 1))
    over_images, over_replicates = crossed(table, step=step), estimate(table.mean(axis=1), step=step)
    assert over_images.half_width is not None
    assert over_replicates.half_width is not None
    assert over_images.half_width >= over_replicates.half_width >= 0.7 * step


def test_without_image_effects_it_is_the_interval_over_replicates() -> None:
    table = np.repeat([[0.1], [0.2], [0.4]], 50, axis=1)
    assert crossed(table).half_width == pytest.approx(estimate(table[:, 0]).half_width)


def test_equal_replicates_leave_the_interval_over_images() -> None:
    images = np.random.default_rng(0).normal(size=80)
    assert crossed(np.tile(images, (4, 1))).half_width == pytest.approx(estimate(images).half_width)


def test_two_rows_that_agree_everywhere_have_an_interval_of_zero() -> None:
    assert crossed(np.zeros((3, 20))) == Estimate(0.0, 0.0, 3, 2)


@given(bits, st.floats(-5, 5), st.integers(0, 99))
@settings(deadline=None)
def test_shift_sign_and_order_change_nothing_else(table: Table, shift: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    plain = crossed(table)
    shuffled = table[rng.permutation(table.shape[0])][:, rng.permutation(table.shape[1])]
    for other, mean in ((shuffled, plain.mean), (-table, -plain.mean), (table + shift, plain.mean + shift)):
        found = crossed(other)
        assert found.mean == pytest.approx(mean, abs=1e-9)
        assert found.half_width == pytest.approx(plain.half_width, abs=1e-6)


def test_fewer_replicates_than_three_have_no_interval() -> None:
    assert crossed([[0.0, 1.0], [1.0, 1.0]]) == Estimate(0.75, None, 2)
    assert crossed([[0.0, 1.0]]) == Estimate(0.5, None, 1)
    assert crossed([[0.0, 1.0]], least=0) == Estimate(0.5, None, 1)


@pytest.mark.parametrize("table", [[], [0.1, 0.2], [[0.1, float("nan")]] * 3, [[[0.1]]]])
def test_refuses_what_is_no_table(table: list[float]) -> None:
    with pytest.raises(ValueError, match="each replicate and test image"):
        crossed(table)


def test_refuses_a_single_image() -> None:
    with pytest.raises(ValueError, match="two test images"):
        crossed([[0.1], [0.2], [0.3]])
