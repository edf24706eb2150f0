"""Paired t, Holm and McNemar against SciPy, their definitions and hand calculation."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from benchmark.stats import holm, mcnemar, paired_difference, paired_p

shares = st.floats(0, 1).map(lambda x: round(x, 4))
pairs = st.lists(st.tuples(shares, shares), min_size=3, max_size=10).map(lambda found: np.array(found).T)
varied = pairs.filter(lambda pair: np.std(pair[0] - pair[1]) > 1e-5)
p_values = st.lists(st.floats(0, 1), max_size=12)


@given(varied)
def test_the_paired_test_agrees_with_scipy(pair: np.ndarray) -> None:
    assert paired_p(*pair) == pytest.approx(scipy.stats.ttest_rel(*pair).pvalue, abs=1e-12)


@given(varied, st.lists(shares, min_size=10, max_size=10), st.integers(0, 99))
def test_what_replicates_share_their_order_and_the_sign_do_not_matter(
    pair: np.ndarray, shared: list[float], seed: int
) -> None:
    a, b = pair
    order = np.random.default_rng(seed).permutation(a.size)
    p = paired_p(a, b)
    assert paired_p(b, a) == p
    assert paired_p(a[order], b[order]) == pytest.approx(p, rel=1e-6)
    assert paired_p(a + shared[: a.size], b + shared[: a.size]) == pytest.approx(p, rel=1e-4)


@given(varied)
def test_the_test_rejects_where_the_interval_excludes_zero(pair: np.ndarray) -> None:
    p = paired_p(*pair)
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) is not paired_difference(*pair).may_be(0.0)


def test_equal_rows_are_never_told_apart() -> None:
    # The same sum in two orders differs by rounding, and in each replicate by the same.
    a, b = [0.1 + 0.2 + 0.3] * 3, [0.3 + 0.2 + 0.1] * 3
    assert a != b
    assert paired_p(a, b) == 1.0
    assert paired_difference(a, b).mean == 0


def test_replicates_that_agree_are_judged_by_the_step() -> None:
    a, b = [0.5, 0.6, 0.7], [0.4, 0.5, 0.6]
    assert paired_p(a, b) == pytest.approx(0, abs=1e-12)
    # sd of rounding to 0.1 is 0.1 / sqrt(12); t = 0.1 sqrt(3) sqrt(12) / 0.1 = 6 with 2 degrees of freedom
    assert paired_p(a, b, step=0.1) == pytest.approx(2 * scipy.stats.t.sf(6, 2))


def test_two_replicates_say_nothing() -> None:
    assert paired_p([0.9, 0.8], [0.1, 0.1]) == 1.0


@pytest.mark.parametrize("bad", [[0.1, 0.2, float("nan")], [0.1, 0.2, float("inf")], [[0.1, 0.2, 0.3]]])
def test_the_paired_test_refuses_what_is_no_sample(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="finite value for each replicate"):
        paired_p(bad, bad)


def test_a_negative_step_is_refused() -> None:
    with pytest.raises(ValueError, match="step between values"):
        paired_p([0.1, 0.2, 0.4], [0.1, 0.1, 0.1], step=-0.1)


def test_holm_by_hand() -> None:
    # sorted .005 .01 .03 .04: x4 .02, x3 .03, x2 .06, x1 .04 -> the running maximum .06
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).size == 0


@given(p_values, st.floats(0.001, 0.999))
def test_holm_rejects_what_stepping_down_rejects(p: list[float], level: float) -> None:
    rejected = np.zeros(len(p), dtype=bool)
    for step, index in enumerate(np.argsort(p, kind="stable")):
        if p[index] * (len(p) - step) >= level:
            break
        rejected[index] = True
    assert (holm(p) < level).tolist() == rejected.tolist()


@given(p_values, st.integers(0, 99))
def test_holm_follows_the_order_and_stands_between_p_and_bonferroni(p: list[float], seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(p))
    adjusted = holm(p)
    assert holm(np.array(p)[order]) == pytest.approx(adjusted[order])
    assert (adjusted >= np.array(p)).all()
    assert (adjusted <= np.minimum(1, len(p) * np.array(p)) + 1e-15).all() or len(p) == 0


@pytest.mark.parametrize("p", [[0.1, float("nan")], [-0.1], [1.1], [[0.1]]])
def test_holm_refuses_what_is_no_probability(p: list[float]) -> None:
    with pytest.raises(ValueError, match=r"numbers in \[0, 1\]"):
        holm(p)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_agrees_with_the_binomial_test(images: list[tuple[bool, bool]]) -> None:
    first, second = np.array(images).T
    won, lost = int((first & ~second).sum()), int((second & ~first).sum())
    expected = scipy.stats.binomtest(won, won + lost).pvalue if won + lost else 1.0
    assert mcnemar(first, second) == pytest.approx(expected)
    assert mcnemar(second, first) == mcnemar(first, second)


def test_mcnemar_by_hand() -> None:
    # six images won and none lost: 2 / 2^6
    assert mcnemar([1] * 6 + [0, 1], [0] * 6 + [0, 1]) == 2 / 64


def test_mcnemar_refuses_several_seeds() -> None:
    with pytest.raises(ValueError, match="not pooled over seeds"):
        mcnemar([[1, 0], [0, 1]], [[1, 1], [0, 1]])


@pytest.mark.parametrize("first", [[], [0.5, 1], [2, 0], [float("nan"), 1]])
def test_mcnemar_refuses_what_are_no_bits(first: list[float]) -> None:
    with pytest.raises(ValueError, match="bit"):
        mcnemar(first, [0, 1])


def test_mcnemar_refuses_other_images() -> None:
    with pytest.raises(ValueError, match="the same images"):
        mcnemar([0, 1, 1], [0, 1])
