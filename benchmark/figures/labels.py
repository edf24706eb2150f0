"""Names beside lines and points, none over another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark.figures.canvas import SIZE, ink_of_text, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import RendererAgg
    from matplotlib.transforms import Bbox

_TIE = 19  # points from the panel to its names
_LINE = SIZE * 1.3  # points from one label's middle to the next


@dataclass(frozen=True)
class Label:
    """A name that belongs to a point in data coordinates."""

    x: float
    y: float
    text: str
    color: str


def spread(wanted: ArrayLike, gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Places at least `gap` apart, in the order of the wanted ones and as near to them as least squares allow.

    They lie in [low, high] where there is room.
    """
    from scipy.optimize import isotonic_regression

    places = np.asarray(wanted, dtype=np.float64)
    if not places.size:
        return places
    order = np.argsort(places, kind="stable")
    offsets = gap * np.arange(len(places))
    free = isotonic_regression(places[order] - offsets).x
    free = np.clip(free, low, max(low, high - offsets[-1])) + offsets
    result = np.empty_like(free)
    result[order] = free
    return result


def room(names: Iterable[str]) -> float:
    """Inches that `label_ends` needs right of a panel for these names."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family="DejaVu Sans")
    widths = [TextPath((0, 0), shortened(name), size=SIZE, prop=font).get_extents().x1 for name in names]
    return (_TIE + max([40.0, *widths]) + 8) / 72


def label_ends(axes: "Axes", labels: Sequence[Label]) -> None:
    """Names in the margin right of the panel, each tied to the end of its line."""
    if not labels:
        return
    figure = axes.figure
    points_per_inch = 72
    box = axes.get_position()
    height = box.height * figure.get_figheight() * points_per_inch  # type: ignore[union-attr]
    width = box.width * figure.get_figwidth() * points_per_inch  # type: ignore[union-attr]
    axes.get_xlim(), axes.get_ylim()  # settles the limits, on which every place depends
    ends = axes.transData.transform([(label.x, label.y) for label in labels])
    ends = axes.transAxes.inverted().transform(ends) * (width, height)
    across, up = ends.T
    for label, x, y, place in zip(labels, across, up, spread(up, _LINE, -4, height + 6), strict=True):
        axes.annotate(
            "",
            xy=(x + 4, y),
            xytext=(width + _TIE - 2, place),
            xycoords="axes points",
            textcoords="axes points",
            arrowprops={"arrowstyle": "-", "color": label.color, "lw": 0.6, "alpha": 0.7, "shrinkA": 0, "shrinkB": 0},
            annotation_clip=False,
        )
        axes.annotate(
            shortened(label.text),
            xy=(width + _TIE, place),
            xycoords="axes points",
            va="center",
            ha="left",
            color=ink_of_text(label.color),
            annotation_clip=False,
        )


# Where a name may stand from its point, in points: nearest first.
_PLACES = [
    (distance * x, distance * y, ha, va)
    for distance in (7, 13, 20, 28, 38, 50)
    for x, y, ha, va in (
        (1, 0, "left", "center"),
        (-1, 0, "right", "center"),
        (0, 1, "center", "bottom"),
        (0, -1, "center", "top"),
        (0.7, 0.7, "left", "bottom"),
        (0.7, -0.7, "left", "top"),
        (-0.7, 0.7, "right", "bottom"),
        (-0.7, -0.7, "right", "top"),
    )
]


def label_points(axes: "Axes", labels: Sequence[Label], marks: ArrayLike = (), line: ArrayLike = ()) -> None:
    """Names beside points, where they cover no other name, no point (`marks`, data [m, 2]) and stay in the panel.

    They keep off a line (points along it) where that leaves them a place. A name for which there is none is left out:
    the table has it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    axes.get_xlim(), axes.get_ylim()  # settles the limits, on which every place depends
    renderer = FigureCanvasAgg(axes.figure).get_renderer()  # type: ignore[arg-type]
    taken, edge = _dots(axes, marks), _dots(axes, line)
    frame = axes.get_window_extent(renderer)
    for label in labels:
        for obstacles in ([*taken, *edge], taken):
            place = _placed(axes, label, obstacles, frame, renderer)
            if place:
                taken.append(place)
                break


def _dots(axes: "Axes", points: ArrayLike) -> "list[Bbox]":
    """What points cover, on the canvas."""
    from matplotlib.transforms import Bbox

    places = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    size = 3 * axes.figure.dpi / 72
    return [Bbox.from_extents(x - size, y - size, x + size, y + size) for x, y in axes.transData.transform(places)]


def _placed(
    axes: "Axes", label: Label, taken: "Sequence[Bbox]", frame: "Bbox", renderer: "RendererAgg"
) -> "Bbox | None":
    """Writes the name at the nearest place that is free, and says what it covers; None where there is none."""
    from matplotlib.text import Text

    for x, y, ha, va in _PLACES:
        tie = {"arrowstyle": "-", "color": label.color, "lw": 0.5, "alpha": 0.7, "shrinkA": 1, "shrinkB": 3}
        note = axes.annotate(
            shortened(label.text),
            xy=(label.x, label.y),
            xytext=(x, y),
            textcoords="offset points",
            ha=ha,
            va=va,
            bbox={"boxstyle": "square,pad=0.05", "fc": "white", "ec": "none", "alpha": 0.8},
            color=ink_of_text(label.color),
            arrowprops=tie if abs(x) + abs(y) > 14 else None,
        )
        note.update_positions(renderer)
        place = Text.get_window_extent(note, renderer)  # of the words, without the line that leads to them
        if _fits(place.padded(axes.figure.dpi / 72), taken, frame):
            return place
        note.remove()
    return None


def _fits(place: "Bbox", taken: "Sequence[Bbox]", frame: "Bbox") -> bool:
    inside = frame.x0 <= place.x0 and place.x1 <= frame.x1 and frame.y0 <= place.y0 and place.y1 <= frame.y1
    return inside and not any(place.overlaps(other) for other in taken)
