"""How often a verdict is wrong, on synthetic replicates whose truth is known, seed variance and rounding included."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark.claims.bounds import ends
from benchmark.claims.questions import NOT_SUPPORTED, SUPPORTED, Question, questions
from benchmark.stats import estimate

TRIALS, IMAGES = 2000, 500
TOLERANCE = 0.011  # three standard errors of 2.5 % in so many trials

Ends = tuple[float, float] | tuple[None, None]

ASKED = {question.id: question for question in questions()}


def simulated(question: Question, truth: NDArray[np.float64], replicates: int, trials: int = TRIALS) -> list[Ends]:
    """Intervals of trials in which `truth[other, fraction]` are the expected differences.

    What the first row's proxy and training make better or worse is shared by all its differences.
    """
    rng = np.random.default_rng(7)
    others, fractions = truth.shape
    shared = rng.normal(0, 0.02, (trials, 1, 1, replicates)) + rng.normal(0, 0.01, (trials, 1, fractions, replicates))
    own = rng.normal(0, 0.015, (trials, others, fractions, replicates))
    values = np.round((truth[..., None] + shared + own) * IMAGES) / IMAGES
    if question.compare and question.compare.over == "mean":
        return [ends(trial.mean(axis=1, keepdims=True), 1 / IMAGES / fractions) for trial in values]
    return [ends(trial, 1 / IMAGES) for trial in values]


def shares(question: Question, truth: NDArray[np.float64], replicates: int, trials: int = TRIALS) -> dict[str, float]:
    """How often each verdict is given."""
    counted = Counter(question.verdict(*found) for found in simulated(question, truth, replicates, trials))
    return {verdict: counted[verdict] / trials for verdict in (SUPPORTED, NOT_SUPPORTED)}


@pytest.mark.parametrize("replicates", [3, 5, 10])
def test_no_difference_is_supported_at_most_as_often_as_promised(replicates: int) -> None:
    assert shares(ASKED["uniform"], np.zeros((1, 3)), replicates)[SUPPORTED] <= 0.025 + TOLERANCE


@pytest.mark.parametrize("replicates", [3, 10])
def test_a_difference_of_the_margin_is_denied_at_most_as_often_as_promised(replicates: int) -> None:
    assert shares(ASKED["uniform"], np.full((1, 3), 0.01), replicates)[NOT_SUPPORTED] <= 0.025 + TOLERANCE


@pytest.mark.parametrize("replicates", [3, 10])
@pytest.mark.parametrize("behind", [0.0, -0.3])
def test_one_other_as_good_is_enough_against_every(replicates: int, behind: float) -> None:
    truth = np.full((5, 3), -behind)
    truth[0] = 0.0
    assert shares(ASKED["every-method"], truth, replicates)[SUPPORTED] <= 0.025 + TOLERANCE


@pytest.mark.parametrize("replicates", [3, 10])
def test_up_to_seven_is_not_found_by_the_luckiest(replicates: int) -> None:
    """Every method and fraction is six points behind: the least that supports the claim, and no more."""
    assert shares(ASKED["up-to-7"], np.full((5, 3), 0.06), replicates)[SUPPORTED] <= 0.025 + TOLERANCE


@pytest.mark.parametrize("replicates", [3, 10])
def test_up_to_seven_is_not_denied_where_one_fraction_reaches_it(replicates: int) -> None:
    truth = np.tile([0.0, 0.07, -0.05], (5, 1))
    assert shares(ASKED["up-to-7"], truth, replicates)[NOT_SUPPORTED] <= 0.025 + TOLERANCE


@pytest.mark.parametrize("question", ["every-method", "up-to-7"])
def test_either_end_is_wrong_at_most_as_often_as_promised(question: str) -> None:
    truth = np.random.default_rng(3).normal(0.03, 0.02, (5, 3))
    asked = ASKED[question]
    assert asked.compare is not None
    right = truth.mean(axis=1).min() if asked.compare.over == "mean" else truth.min(axis=0).max()
    found = np.array(simulated(asked, truth, 5), dtype=np.float64)
    assert (found[:, 0] > right).mean() <= 0.025 + TOLERANCE
    assert (found[:, 1] < right).mean() <= 0.025 + TOLERANCE


def test_the_interval_of_the_luckiest_cell_alone_would_be_wrong_too_often() -> None:
    """What "up to" does unadjusted: twelve fractions, none better than a sole rival."""
    trials = np.random.default_rng(5).normal(0, 0.02, (500, 1, 12, 5))
    luckiest = [estimate(values[0, values[0].mean(axis=1).argmax()]) for values in trials]
    naive = np.mean([found.mean - (found.half_width or 0) > 0 for found in luckiest])
    ours = np.mean([(ends(values, 1 / IMAGES)[0] or 0) > 0 for values in trials])
    assert naive > 0.15
    assert ours <= 0.05


def test_the_least_of_unadjusted_upper_ends_would_be_wrong_too_often() -> None:
    """Thirty others, all of them as good: one is far ahead by luck."""
    trials = np.random.default_rng(6).normal(0, 0.02, (500, 30, 1, 5))
    naive = np.mean([min(f.mean + (f.half_width or 0) for f in map(estimate, v[:, 0])) < 0 for v in trials])
    ours = np.mean([(ends(values, 1 / IMAGES)[1] or 0) < 0 for values in trials])
    assert naive > 0.15
    assert ours <= 0.05


def test_clear_truths_are_found() -> None:
    """A rule that never decides would pass everything above."""
    every, up_to = ASKED["every-method"], ASKED["up-to-7"]
    assert shares(every, np.full((5, 3), 0.12), 10, 300)[SUPPORTED] > 0.95
    assert shares(every, np.full((5, 3), -0.12), 10, 300)[NOT_SUPPORTED] > 0.95
    assert shares(up_to, np.full((5, 3), 0.16), 10, 300)[SUPPORTED] > 0.95
    assert shares(up_to, np.full((5, 3), -0.05), 10, 300)[NOT_SUPPORTED] > 0.95
