"""The rule of a verdict, and what the questions declare."""

import pytest

from benchmark.claims.questions import NOT_SUPPORTED, SUPPORTED, UNDECIDED, Question, Verdict, questions


def question(**changes: object) -> Question:
    values = {"id": "q", "topic": "t", "asks": "?", "claim": "c", "measures": "m", "compare": {}}
    return Question.model_validate(values | changes)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.03, SUPPORTED),
        (0.001, 0.009, NOT_SUPPORTED),  # surely better, and surely by less than the margin
        (-0.03, 0.009, NOT_SUPPORTED),
        (-0.03, 0.011, UNDECIDED),
        (0.0, 0.03, UNDECIDED),
        (-0.03, 0.01, NOT_SUPPORTED),
        (None, None, UNDECIDED),
    ],
)
def test_better_by_a_margin(low: float | None, high: float | None, verdict: Verdict) -> None:
    assert question().verdict(low, high) == verdict


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(-0.7, -0.2, SUPPORTED), (-0.09, 0.3, NOT_SUPPORTED), (-0.2, 0.1, UNDECIDED), (0.2, 0.3, NOT_SUPPORTED)],
)
def test_less_speaks_for_it(low: float, high: float, verdict: Verdict) -> None:
    asked = question(unit="Spearman's rho", compare=None, short=-0.1, lower=True)
    assert asked.verdict(low, high) == verdict


def test_what_is_never_better_is_not_supported_without_a_margin() -> None:
    assert question(short=0.0).verdict(0.0, 0.0) == NOT_SUPPORTED
    assert question(short=0.0, lower=True).verdict(0.0, 0.0) == NOT_SUPPORTED


def test_one_threshold_parts_the_line() -> None:
    asked = question(beyond=-0.01, short=-0.01)
    assert [asked.verdict(*ends) for ends in [(-0.009, 0.0), (-0.02, -0.011), (-0.02, 0.0)]] == [
        SUPPORTED,
        NOT_SUPPORTED,
        UNDECIDED,
    ]


def test_declared_questions_are_sound() -> None:
    declared = questions()
    assert len({q.id for q in declared}) == len(declared)
    topics = [q.topic for q in declared]
    assert list(dict.fromkeys(topics)) == [t for i, t in enumerate(topics) if i == 0 or topics[i - 1] != t]
    for asked in declared:
        zone = asked.beyond - asked.short if asked.lower else asked.short - asked.beyond
        assert zone >= 0, f"{asked.id}: an interval may not be undecided by lying between its thresholds"


def test_accuracies_have_a_margin_of_one_point() -> None:
    compared = [q for q in questions() if q.compare and q.beyond >= 0]
    assert compared
    assert all(round(q.short - q.beyond, 9) == 0.01 for q in compared)
    up_to = {q.id: q.short for q in compared if q.compare and q.compare.over == "largest"}
    assert up_to == {"up-to-7": 0.07, "up-to-5": 0.05}
