"""How often a verdict is wrong, on synthetic replicates whose truth is known, seed variance and rounding included."""

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmark.claims.answers import Answer, compared
from benchmark.claims.evidence import Differences, Scale
from benchmark.claims.questions import NOT_SUPPORTED, SUPPORTED, Question, questions
from benchmark.outcomes import Setting
from benchmark.spec import Recipe
from benchmark.stats import estimate

TRIALS, IMAGES = 2000, 500
FRACTIONS = (0.1, 0.3, 0.5)
SETTING = Setting("standard", "mlp", Recipe(epochs=1), "Linf", (0.1,), 0.1, None, ("pgd-20",), IMAGES)
TOLERANCE = 0.011  # three standard errors of 2.5 % in so many trials

ASKED = {question.id: question for question in questions()}


def simulated(question: Question, truth: NDArray[np.float64], replicates: int, trials: int = TRIALS) -> list[Answer]:
    """Answers of trials in which `truth[other, fraction]` are the expected differences.

    What the first row's proxy and training make better or worse is shared by all its differences.
    """
    rng = np.random.default_rng(7)
    others, fractions = truth.shape
    shared = rng.normal(0, 0.02, (trials, 1, 1, replicates)) + rng.normal(0, 0.01, (trials, 1, fractions, replicates))
    own = rng.normal(0, 0.015, (trials, others, fractions, replicates))
    values = np.round((truth[..., None] + shared + own) * IMAGES) / IMAGES
    assert question.compare is not None
    names = tuple(f"other-{number}" for number in range(others))
    return [
        compared(
            question,
            question.compare,
            "digits",
            Differences(Scale("digits", 1100, "mlp"), SETTING, names, FRACTIONS[:fractions], trial, 1 / IMAGES, ()),
        )
        for trial in values
    ]


def shares(answers: list[Answer]) -> dict[str, float]:
    counted = Counter(answer.verdict for answer in answers)
    return {verdict: counted[verdict] / len(answers) for verdict in (SUPPORTED, NOT_SUPPORTED)}


@pytest.mark.parametrize("replicates", [3, 5, 10])
def test_no_difference_is_supported_at_most_as_often_as_promised(replicates: int) -> None:
    assert shares(simulated(ASKED["uniform"], np.zeros((1, 3)), replicates))[SUPPORTED] <= 0.025 + TOLERANCE


@pytest.mark.parametrize("replicates", [3, 10])
def test_a_difference_of_the_margin_is_denied_at_most_as_often_as_promised(replicates: int) -> None:
    assert shares(simulated(ASKED["uniform"], np.full((1, 3), 0.01), replicates))[NOT_SUPPORTED] <= 0.025 + TOLERANCE


@pytest.mark.parametrize("replicates", [3, 5, 10])
@pytest.mark.parametrize("behind", [0.0, -0.3])
def test_one_other_as_good_is_enough_against_every(replicates: int, behind: float) -> None:
    truth = np.full((10, 3), -behind)
    truth[0] = 0.0
    assert shares(simulated(ASKED["every-method"], truth, replicates))[SUPPORTED] <= 0.05 + TOLERANCE


@pytest.mark.parametrize("replicates", [3, 5, 10])
def test_up_to_seven_is_not_found_by_the_luckiest(replicates: int) -> None:
    """Every method and fraction is six points behind: the least that supports the claim, and no more."""
    answers = simulated(ASKED["up-to-7"], np.full((5, 3), 0.06), replicates)
    assert shares(answers)[SUPPORTED] <= 0.05 + TOLERANCE


@pytest.mark.parametrize("replicates", [3, 5, 10])
def test_up_to_seven_is_not_denied_where_one_fraction_reaches_it(replicates: int) -> None:
    truth = np.tile([0.0, 0.07, -0.05], (5, 1))
    assert shares(simulated(ASKED["up-to-7"], truth, replicates))[NOT_SUPPORTED] <= 0.05 + TOLERANCE


@pytest.mark.parametrize("question", ["every-method", "up-to-7"])
def test_intervals_hold_the_true_least_and_the_true_largest(question: str) -> None:
    truth = np.random.default_rng(3).normal(0.03, 0.02, (5, 3))
    asked = ASKED[question]
    assert asked.compare is not None
    right = truth.mean(axis=1).min() if asked.compare.over == "mean" else truth.min(axis=0).max()
    held = [a.low is not None and a.high is not None and a.low <= right <= a.high for a in simulated(asked, truth, 5)]
    assert np.mean(held) >= 0.95 - TOLERANCE


def test_the_interval_of_the_luckiest_cell_alone_would_be_wrong_too_often() -> None:
    """What "up to" does without simultaneous intervals: twelve fractions, none better than a sole rival."""
    asked = ASKED["up-to-7"].model_copy(update={"beyond": 0.0, "short": 0.01})
    rng = np.random.default_rng(5)
    trials = rng.normal(0, 0.02, (500, 1, 12, 5))
    fractions = tuple(np.linspace(0.05, 0.6, 12))
    assert asked.compare is not None
    naive = ours = 0
    for values in trials:
        luckiest = estimate(values[0, values[0].mean(axis=1).argmax()])
        naive += luckiest.mean - (luckiest.half_width or 0) > 0
        found = Differences(Scale("d", 1, "m"), SETTING, ("other",), fractions, values, 1 / IMAGES, ())
        ours += compared(asked, asked.compare, "digits", found).verdict == SUPPORTED
    assert naive / len(trials) > 0.15
    assert ours / len(trials) <= 0.06


def test_clear_truths_are_found() -> None:
    """A rule that never decides would pass everything above."""
    ten = {"replicates": 10, "trials": 300}
    assert shares(simulated(ASKED["every-method"], np.full((10, 3), 0.12), **ten))[SUPPORTED] > 0.95
    assert shares(simulated(ASKED["every-method"], np.full((10, 3), -0.12), **ten))[NOT_SUPPORTED] > 0.95
    assert shares(simulated(ASKED["up-to-7"], np.full((10, 3), 0.16), **ten))[SUPPORTED] > 0.95
    assert shares(simulated(ASKED["up-to-7"], np.full((10, 3), -0.05), **ten))[NOT_SUPPORTED] > 0.95
