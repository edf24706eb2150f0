"""Names beside lines and points: never over another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.figures import canvas
from benchmark.figures.labels import Label, label_ends, label_points, spread

PLACES = st.lists(st.floats(0, 100), min_size=1, max_size=12)


@settings(deadline=None)
@given(PLACES)
def test_labels_are_apart_in_order_and_inside(wanted: list[float]) -> None:
    placed = spread(wanted, 5, -10, 110)
    order = np.argsort(wanted, kind="stable")
    assert (np.diff(placed[order]) >= 5 - 1e-9).all()
    assert placed.min() >= -10
    assert placed.max() <= 110 + 1e-9


@settings(deadline=None)
@given(st.lists(st.integers(0, 100), min_size=1, max_size=8, unique=True))
def test_labels_that_have_room_stay_where_they_belong(tens: list[int]) -> None:
    wanted = [10.0 * ten for ten in tens]
    np.testing.assert_allclose(spread(wanted, 9, 0, 1000), wanted, atol=1e-9)


def test_two_labels_of_one_height_move_apart_by_half_each() -> None:
    np.testing.assert_allclose(spread([50, 50], 8, 0, 100), [46, 54])
    assert spread([], 8, 0, 100).size == 0


def boxes(axes: object) -> list[object]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    renderer = FigureCanvasAgg(axes.figure).get_renderer()  # type: ignore[attr-defined]
    words = [text for text in axes.texts if text.get_text()]  # type: ignore[attr-defined]
    for text in words:
        text.update_positions(renderer)
    return [Text.get_window_extent(text, renderer) for text in words]


@pytest.mark.parametrize("seed", range(5))
def test_names_of_points_cover_no_name_and_no_point(seed: int) -> None:
    points = np.random.default_rng(seed).random((12, 2))
    with canvas.style():
        _, ((axes,),) = canvas.sheet("t", "n", (1, 1), (3.5, 3))
        axes.plot(*points.T, ls="", marker="o")
        label_points(axes, [Label(x, y, f"method-{i}", "#000000") for i, (x, y) in enumerate(points)], points)
        found = boxes(axes)
        dots = axes.transData.transform(points)
    assert len(found) >= 10  # hardly any is left out
    for i, box in enumerate(found):
        assert not any(box.overlaps(other) for other in found[:i])  # type: ignore[attr-defined]
        assert not any(box.contains(*dot) for dot in dots)  # type: ignore[attr-defined]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_names_of_lines_stand_by_their_ends_on_any_axis(scale: str) -> None:
    with canvas.style():
        _, ((axes,),) = canvas.sheet("t", "n", (1, 1), (3, 3), right=1.5)
        axes.set_yscale(scale)
        ends = [1.0, 10.0, 100.0]
        for end in ends:
            axes.plot([0, 1], [2, end])
        label_ends(axes, [Label(1, end, f"line {end:g}", "#000000") for end in ends])
        found = boxes(axes)
        middles = [(box.y0 + box.y1) / 2 for box in found]  # type: ignore[attr-defined]
        wanted = axes.transData.transform([(1, end) for end in ends])[:, 1]
    assert sorted(middles) == middles
    assert abs(middles[-1] - wanted[-1]) < 2
