"""Fronts and costs."""

import numpy as np
import pytest

from benchmark.figures import tradeoffs
from tests import factories as f
from tests.figures.drawn import board, drawn, redrawn, table


@pytest.mark.parametrize("seed", range(8))
def test_the_front_is_what_nobody_beats(seed: int) -> None:
    points = np.random.default_rng(seed).integers(0, 6, (12, 2)).astype(float)  # with ties
    slow = set()
    for i, (x, y) in enumerate(points):
        beaten = False
        for a, b in points:
            beaten = beaten or (a >= x and b >= y and (a > x or b > y))
        if not beaten:
            slow.add(i)
    found = tradeoffs.front(points)
    assert set(found) == slow
    assert (np.diff(points[found, 0]) >= 0).all()
    assert (np.diff(points[found, 1]) <= 0).all()


def test_of_no_points_there_is_no_front() -> None:
    assert tradeoffs.front([]).tolist() == []


def test_the_front_of_a_suite_is_in_its_table() -> None:
    """All rows are right on every clean image here, so one point is the front."""
    found = {(line["regime"], line["row"]): line for line in table(drawn(board())["tradeoff"])}
    assert {row for (regime, row), line in found.items() if line["on_front"] == "1"} == {"easycore"}
    assert float(found["standard", "random"]["robust_percent"]) == pytest.approx(47)
    assert found["standard", "full"]["on_front"] == "0"  # a reference, and no row


def test_costs_and_gains_by_hand() -> None:
    """Coresets of 10 and 30 %: a training of random costs 0.2; a proxy of 20 of 30 epochs adds 2/3."""
    proxy = f.RECIPES["standard"]
    records = [
        r
        if r.factors.row != "easycore"
        else r.model_copy(update={"factors": r.factors.model_copy(update={"proxy_recipe": proxy})})
        for r in board()
    ]
    found = {(line["regime"], line["row"]): line for line in table(redrawn(tradeoffs.gains, records))}
    assert float(found["standard", "random"]["cost"]) == pytest.approx(0.2)
    assert found["standard", "random"]["gain_points"] == ""  # nothing is gained over itself
    assert float(found["standard", "easycore"]["cost"]) == pytest.approx(0.2 + 20 / 30, rel=1e-4)
    gain = (6 + 5 + 5 + 5 + 7 + 6) / 6
    assert float(found["standard", "easycore"]["gain_points"]) == pytest.approx(gain, rel=1e-4)


def test_without_the_baseline_there_is_no_gain_and_no_error() -> None:
    records = f.declared([r for r in board() if r.factors.row != "random"])
    found = table(redrawn(tradeoffs.gains, records))
    assert {line["gain_points"] for line in found} == {""}


def test_equal_costs_stand_side_by_side_in_order_of_height() -> None:
    apart = tradeoffs._side_by_side({"a": (1.0, 5.0), "b": (1.0, 9.0), "c": (0.3, 1.0)})
    assert apart["c"] == (0.3, 1.0)
    assert apart["b"][0] < 1 < apart["a"][0]
    assert [apart[row][1] for row in "abc"] == [5, 9, 1]
