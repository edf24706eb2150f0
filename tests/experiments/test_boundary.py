"""The plane's differences, on networks whose boundaries are given."""

import pytest

from benchmark.claims.questions import questions
from benchmark.experiments import boundary
from benchmark.experiments.boundary import Learnt, measured
from benchmark.experiments.plane import ALL, EASY, RANDOM
from methods.errors import CoresetBenchError


def given(replicate: int) -> dict[str, Learnt]:
    return {
        EASY: Learnt(1, 1.0 + replicate, 2.0, 0.9),
        ALL: Learnt(3, 4.0, 5.0, 1.0),
        RANDOM: Learnt(2, 2.0, 2.0, 0.95),
    }


def test_what_is_measured_is_the_easiest_less_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundary, "networks", given)
    found = {(line.question, line.case): line for line in measured(2)}
    assert found["plane-segments", "all points"].values == (-2, -2)
    assert found["plane-length", "all points"].values == (-3, -2)
    assert found["plane-length", "as many at random"].values == (-1, 0)
    assert found["plane-curvature", "as many at random"].values == (0, 0)
    line = found["plane-length", "all points"]
    assert line.facts == {"easiest": 1.5, "all points": 4.0, "accuracy, easiest": 0.9, "accuracy, all points": 1.0}
    assert (line.suite, line.pool, line.seeds) == ("plane", 1200, (0, 1))


def test_units_are_as_the_questions_declare_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boundary, "networks", given)
    units = {question.id: question.unit for question in questions()}
    assert all(line.unit == units[line.question] for line in measured(1))


def test_a_network_without_a_boundary_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    monkeypatch.setattr(boundary, "hardness", lambda data, replicate: np.arange(1200.0))
    monkeypatch.setattr(boundary, "learn", lambda data, ids, replicate: None)
    monkeypatch.setattr(boundary, "field", lambda model: np.ones((9, 9)))
    with pytest.raises(CoresetBenchError, match="replicate 3 that learnt 'all' has no boundary"):
        boundary.networks(3)
