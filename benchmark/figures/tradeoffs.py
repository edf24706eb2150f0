"""What robustness costs: clean accuracy, and the training that a row needs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmark import wording
from benchmark.figures.canvas import GREY, PALE, Drawing, Table, columns_of, sheet, used
from benchmark.figures.curves import ESTIMATE, estimate_cells, setting_note
from benchmark.figures.emphasis import inks, rule
from benchmark.figures.labels import Label, label_ends, label_points, room
from benchmark.leaderboard import shares
from benchmark.leaderboard.clocks import Spent, spent
from benchmark.leaderboard.names import BASELINE
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.records import Record
from benchmark.spec import FULL
from benchmark.stats import CONFIDENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Point = tuple[float, float]


def front(points: ArrayLike) -> NDArray[np.int64]:
    """The points [m, 2] that no other beats in both coordinates (and in one strictly), from left to right."""
    places = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    beaten = [
        bool(((places >= place).all(axis=1) & (places > place).any(axis=1)).any()) for place in places
    ]  # rows are few
    kept = np.flatnonzero(~np.array(beaten, dtype=bool)) if len(places) else np.array([], dtype=np.int64)
    return kept[np.lexsort((-places[kept, 1], places[kept, 0]))]


def tradeoff(records: Sequence[Record], regimes: Sequence[RegimeStandings]) -> Drawing:
    """Robust against clean accuracy, means over fractions, with the front of rows that no other beats in both."""
    chosen = inks(regimes)
    shape = columns_of(len(regimes), 2)
    figure, grid = sheet(
        f"{records[0].suite}: robust against clean accuracy",
        f"{setting_note(records)} Means over fractions and replicates. Line: the rows that no other beats in both. "
        f"The cross is the whole pool. {rule(regimes)}",
        shape,
        (4.3, 3.6),
    )
    rows: list[tuple[Any, ...]] = []
    for axes, regime in zip(used(grid, len(regimes)), regimes, strict=True):
        found = {row: _both(regime, row) for row in regime.rows}
        there = {row: point for row, point in found.items() if point}
        best = [list(there)[i] for i in front(list(there.values()))]
        whole = _both(regime, FULL)
        _points(axes, there, {row: chosen[row] for row in chosen if row in there}, whole)
        named = [*[row for row in best if row not in chosen], *[row for row in chosen if row in there]]
        labels = [Label(*there[row], row, chosen[row].color if row in chosen else GREY) for row in named]
        if whole:
            labels.append(Label(*whole, f"all {records[0].factors.pool:,} images", GREY))
        axes.margins(0.14)
        edge = _staircase(axes, [there[row] for row in best])
        axes.grid()
        axes.set_title(f"{wording.regime(regime.setting.regime)}, ε = {wording.radius(regime.setting.primary)}")
        axes.set_xlabel("clean accuracy (%)")
        axes.set_ylabel("robust accuracy (%)")
        label_points(axes, labels, [*there.values(), *([whole] if whole else [])], edge)
        for row in [*regime.rows, *([FULL] if whole else [])]:
            clean, robust = regime.summary("clean", row), regime.summary("robust", row)
            cells = *estimate_cells(clean)[:2], *estimate_cells(robust)
            rows.append((regime.setting.regime, row, *cells, int(row in best)))
    columns = ("regime", "row", "clean_percent", "clean_half_width", "robust_percent", "robust_half_width")
    return Drawing(
        "tradeoff",
        f"Robust against clean accuracy with the Pareto front, suite {records[0].suite}",
        figure,
        Table((*columns, "replicates", "on_front"), tuple(rows)),
    )


def _staircase(axes: "Axes", best: Sequence[Point]) -> list[Point]:
    """Draws the edge of what is beaten, from the panel's left side to its bottom; points along it."""
    if not best:
        return []
    (left, _), (bottom, _) = axes.get_xlim(), axes.get_ylim()
    corners = [(left, best[0][1])]
    for x, y in [*best, (best[-1][0], bottom)]:
        corners += [(corners[-1][0], y), (x, y)]
    x, y = np.array(corners).T
    axes.plot(x, y, color=GREY, lw=0.9, zorder=1.5, scalex=False, scaley=False)
    parts = np.linspace(0, len(x) - 1, 40 * len(x))
    return list(zip(np.interp(parts, np.arange(len(x)), x), np.interp(parts, np.arange(len(x)), y), strict=True))


def gains(records: Sequence[Record], regimes: Sequence[RegimeStandings]) -> Drawing:
    """Robust accuracy gained over the baseline against what a row needs alone: its proxies and its training."""
    base = shares.BASELINE if shares.is_dynamic(records) else BASELINE
    chosen = inks(regimes)
    interval = f", {100 * CONFIDENCE:g} % paired t intervals" if regimes[0].has_intervals else ""
    complete = all(row.complete for regime in regimes for row in spent(records, regime.setting.regime).values())
    limit = "" if complete else " At least: these records do not say what recording the signals took."
    figure, grid = sheet(
        f"{records[0].suite}: what a gain over {base} costs",
        f"{setting_note(records)} Means over fractions{interval}. Cost: samples sent through the network for the "
        "row's own proxies and for one training, as if there were no other row; 1 is training on the whole pool."
        f"{limit} Rows of equal cost stand side by side. {rule(regimes)}",
        columns_of(len(regimes), 2),
        (3.6, 3.3),
        right=room(chosen),
        between=(room(chosen) + 0.6, 0.75),
    )
    rows: list[tuple[Any, ...]] = []
    for axes, regime in zip(used(grid, len(regimes)), regimes, strict=True):
        works = spent(records, regime.setting.regime)
        costs = {row: _cost(works.get(row)) for row in regime.rows}
        others = [row for row in regime.rows if row != base and base in regime.rows]
        found = {row: regime.difference("robust", row, base) for row in others}
        there = {row: (costs[row], 100 * gain.mean) for row, gain in found.items() if gain and np.isfinite(costs[row])}
        if np.isfinite(costs.get(base, np.nan)):
            there[base] = (costs[base], 0.0)
        coloured = {row: chosen[row] for row in chosen if row in there}
        shown = {**there, **_side_by_side({row: there[row] for row in coloured})}
        axes.axhline(0, color=GREY, lw=0.8, zorder=1)
        for row, ink in coloured.items():
            gain = found.get(row)
            if gain and gain.half_width is not None:
                low, high = (100 * (gain.mean + sign * gain.half_width) for sign in (-1, 1))
                axes.vlines(shown[row][0], low, high, color=ink.color, lw=1, alpha=0.6, zorder=2)
        _points(axes, shown, coloured, None)
        axes.margins(0.1)
        axes.set_xlim(0, 1.1 * max([0.1, *(x for x, _ in shown.values())]))
        axes.grid(axis="y")
        axes.set_title(f"{wording.regime(regime.setting.regime)}, ε = {wording.radius(regime.setting.primary)}")
        axes.set_xlabel("cost alone (trainings on the whole pool)")
        axes.set_ylabel(f"robust accuracy minus {base}'s (points)")
        label_ends(axes, [Label(*shown[row], row, ink.color) for row, ink in coloured.items() if row != base])
        if base in coloured:
            label_points(axes, [Label(*shown[base], base, coloured[base].color)], list(shown.values()))
        rows += [(regime.setting.regime, row, costs[row], *estimate_cells(found.get(row))) for row in regime.rows]
    return Drawing(
        "gains",
        f"Robust accuracy gained over {base} against cost, suite {records[0].suite}",
        figure,
        Table(("regime", "row", "cost", *("gain_points", *ESTIMATE[1:])), tuple(rows)),
    )


def _side_by_side(points: dict[str, Point], width: float = 0.022) -> dict[str, Point]:
    """Points of equal cost a little apart, in the order of their heights: their intervals would hide one another."""
    widest = max([0.1, *(x for x, _ in points.values())])
    groups: dict[float, list[str]] = {}
    for row in sorted(points, key=lambda row: -points[row][1]):
        groups.setdefault(round(points[row][0], 2), []).append(row)
    return {
        row: (points[row][0] + widest * width * (i - (len(rows) - 1) / 2), points[row][1])
        for rows in groups.values()
        for i, row in enumerate(rows)
    }


def _cost(found: Spent | None) -> float:
    """What a row takes alone, its training included; NaN where a cell failed."""
    return found.alone + found.training if found and found.training is not None else float("nan")


def _both(regime: RegimeStandings, row: str) -> Point | None:
    clean, robust = regime.summary("clean", row), regime.summary("robust", row)
    return (100 * clean.mean, 100 * robust.mean) if clean and robust else None


def _points(axes: "Axes", there: dict[str, Point], chosen: dict[str, Any], whole: Point | None) -> None:
    for row, (x, y) in there.items():
        if row not in chosen:
            axes.plot(x, y, ls="", marker="o", color=PALE, ms=4, zorder=2)
    for row, ink in chosen.items():
        x, y = there[row]
        axes.plot(x, y, ls="", marker=ink.marker, color=ink.color, mec="white", mew=0.6, ms=6.5, zorder=3)
    if whole:
        axes.plot(*whole, ls="", marker="x", color=GREY, ms=6, mew=1.5, zorder=3)
