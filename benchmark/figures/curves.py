"""Accuracy along an axis: the share of the pool that is kept, or the radius of the attack."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark import wording
from benchmark.figures.canvas import GREY, PALE, Drawing, Table, percent_height, sheet
from benchmark.figures.emphasis import Ink, inks, rule
from benchmark.figures.labels import Label, label_ends, room
from benchmark.leaderboard import shares
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.records import Record
from benchmark.spec import FULL
from benchmark.stats import CONFIDENCE, Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True)
class Place:
    """Where a line passes: a share in [0, 1] or a radius, and the estimate there, None where there is none."""

    x: float
    found: Estimate | None


Line = list[Place]


def fractions(records: Sequence[Record], regimes: Sequence[RegimeStandings]) -> Drawing:
    """Robust and clean accuracy against the share of the pool that is kept, or presented."""
    what = "presented" if shares.is_dynamic(records) else "kept"
    chosen = inks(regimes)
    names = [*chosen, _whole_pool(records)]
    figure, grid = sheet(
        f"{records[0].suite}: accuracy by the share of the pool that is {what}",
        f"{setting_note(records)} {rule(regimes)} {band_note(regimes)}",
        (len(regimes), 2),
        (3.3, 2.75),
        right=room(names),
        between=(room(names) + 0.6, 0.75),
    )
    rows: list[tuple[Any, ...]] = []
    for line, regime in zip(grid, regimes, strict=True):
        for axes, metric in zip(line, ("robust", "clean"), strict=True):
            lines = {row: _by_fraction(regime, metric, row) for row in regime.rows}
            whole = regime.at(metric, FULL, 1.0)
            _draw(axes, lines, chosen)
            if whole:
                axes.axhline(100 * whole.mean, color=GREY, ls=(0, (1, 2)), lw=1.2, zorder=2)
            _fit(axes, [place.found for places in lines.values() for place in places] + [whole])
            _percent_axis(axes, sorted({place.x for places in lines.values() for place in places}))
            label_ends(axes, _labels(lines, chosen, whole, records))
            axes.set_title(f"{wording.regime(regime.setting.regime)}: {_metric_title(metric, regime)}")
            axes.set_xlabel(f"share of the pool {what} (%)")
            axes.set_ylabel(f"{metric} accuracy (%)")
            rows += _tabled(regime, metric, lines)
            if whole:
                rows += _tabled(regime, metric, {FULL: [Place(1.0, whole)]})
    return Drawing(
        "fractions",
        f"Robust and clean accuracy against the share of the pool that is {what}, suite {records[0].suite}",
        figure,
        Table(("regime", "measure", "row", "share", *ESTIMATE), tuple(rows)),
    )


def radii(records: Sequence[Record], regimes: Sequence[RegimeStandings]) -> Drawing:
    """Accuracy against the radius of the attack, mean over fractions; at radius 0 it is the clean accuracy."""
    chosen = inks(regimes)
    names = [*chosen, _whole_pool(records)]
    figure, grid = sheet(
        f"{records[0].suite}: accuracy by the radius of the attack",
        f"{setting_note(records)} Mean over fractions; at ε = 0 all test images, clean. {rule(regimes)} "
        f"{band_note(regimes)}",
        (-(-len(regimes) // 2), min(2, len(regimes))),
        (3.3, 3.0),
        right=room(names),
        between=(room(names) + 0.6, 0.75),
    )
    rows: list[tuple[Any, ...]] = []
    panels = [axes for line in grid for axes in line]
    for axes, regime in zip(panels, regimes, strict=False):
        lines = {row: _by_radius(regime, row) for row in regime.rows}
        whole = _by_radius(regime, FULL) if regime.reference else []
        _draw(axes, lines, chosen)
        if whole:
            axes.plot([p.x for p in whole], [_height(p) for p in whole], color=GREY, ls=(0, (1, 2)), lw=1.2, zorder=2)
        primary = regime.setting.primary
        if primary is not None:
            axes.axvline(primary, color=PALE, lw=0.8, zorder=1)
        ticks = sorted({0.0, *regime.setting.epsilons})
        axes.set_xticks(ticks, [wording.radius(tick) if tick else "0" for tick in ticks])
        axes.set_ylim(0, 100)
        axes.grid(axis="y")
        axes.set_title(f"{wording.regime(regime.setting.regime)}: {wording.attacks(regime.setting.attacks)}")
        axes.set_xlabel("radius ε of the attack, pixels between 0 and 1 (line: primary ε)")
        axes.set_ylabel("accuracy (%)")
        label_ends(axes, _labels(lines, chosen, whole[-1].found if whole else None, records))
        rows += _tabled(regime, "accuracy", {**lines, **({FULL: whole} if whole else {})})
    for axes in panels[len(regimes) :]:
        axes.remove()
    return Drawing(
        "radii",
        f"Accuracy against the radius of the attack, mean over fractions, suite {records[0].suite}",
        figure,
        Table(("regime", "measure", "row", "epsilon", *ESTIMATE), tuple(rows)),
    )


BANDS = 2  # of the coloured rows, the first: seven bands on one another are mud
ESTIMATE = ("mean_percent", "half_width_points", "replicates")


def setting_note(records: Sequence[Record]) -> str:
    """Data, size and networks: no figure is read without its scale."""
    factors = records[0].factors
    networks = wording.listed(sorted({record.factors.model for record in records}))
    return f"{factors.dataset}, N = {factors.pool:,} in {factors.num_classes} classes, {networks}."


def band_note(regimes: Sequence[RegimeStandings]) -> str:
    """What the bands are, if there are any."""
    count = wording.counted(len(regimes[0].replicates), "replicate")
    if not regimes[0].has_intervals:
        return f"{count.capitalize()}: values without intervals."
    return f"Bands: {100 * CONFIDENCE:g} % t intervals of the first two over {count}; the table has all."


def _by_fraction(regime: RegimeStandings, metric: str, row: str) -> Line:
    places = []
    for fraction in regime.fractions_of(row):
        presented = regime.at("presented", row, fraction) if row in regime.alone else None
        places.append(Place(presented.mean if presented else fraction, regime.at(metric, row, fraction)))
    return places


def _by_radius(regime: RegimeStandings, row: str) -> Line:
    at = [(epsilon, f"robust@{epsilon}") for epsilon in sorted(regime.setting.epsilons)]
    return [Place(radius, regime.summary(metric, row)) for radius, metric in [(0.0, "clean"), *at]]


def _metric_title(metric: str, regime: RegimeStandings) -> str:
    return metric if metric == "clean" else f"robust at ε = {wording.radius(regime.setting.primary)}"


def _draw(axes: "Axes", lines: dict[str, Line], chosen: dict[str, Ink]) -> None:
    """Grey lines below, coloured ones above. A cell that lacks breaks its line."""
    banded = list(chosen)[:BANDS]
    for row, places in lines.items():
        ink = chosen.get(row)
        x, y = [place.x for place in places], [_height(place) for place in places]
        if ink is None:
            axes.plot(x, y, color=PALE, lw=0.9, marker="." if _lonely(places) else None, ms=4, zorder=1.5)
            continue
        low, high = (np.array([_bound(place, sign) for place in places]) for sign in (-1, 1))
        drawn = row in banded and bool(np.isfinite(low).any())
        if drawn and _lonely(places):
            axes.vlines(x, low, high, color=ink.color, lw=1, alpha=0.6, zorder=2)
        elif drawn:
            axes.fill_between(x, low, high, color=ink.color, alpha=0.13, lw=0, zorder=1.2)
        axes.plot(x, y, color=ink.color, ls=ink.dashes, marker=ink.marker, mec="white", mew=0.6, zorder=3)
    axes.grid(axis="y")


def _fit(axes: "Axes", found: Sequence[Estimate | None]) -> None:
    """The means fill the height; an interval that is far wider than they are apart is cut off."""
    heights = [100 * each.mean for each in found if each]
    if heights:
        room = max(4.0, 0.12 * (max(heights) - min(heights)))
        percent_height(axes, max(-2.0, min(heights) - room), min(102.0, max(heights) + room))


def _labels(
    lines: dict[str, Line], chosen: dict[str, Ink], whole: Estimate | None, records: Sequence[Record]
) -> list[Label]:
    """One at the last place of each coloured line that it reaches, and one for the whole pool."""
    labels, last = [], 0.0
    for row in chosen:
        ends = [place for place in lines.get(row, ()) if place.found]
        if ends:
            labels.append(Label(ends[-1].x, _height(ends[-1]), row, chosen[row].color))
            last = max(last, ends[-1].x)
    if whole:
        labels.append(Label(last, 100 * whole.mean, _whole_pool(records), GREY))
    return labels


def _whole_pool(records: Sequence[Record]) -> str:
    return f"all {records[0].factors.pool:,} images"


def _percent_axis(axes: "Axes", ticks: Sequence[float]) -> None:
    shown = [tick for i, tick in enumerate(ticks) if not i or tick - ticks[i - 1] > 0.03]
    axes.set_xticks(shown, [f"{100 * tick:.3g}" for tick in shown])


def _lonely(places: Line) -> bool:
    """Whether no two neighbours are there, so that a line would not show."""
    there = [place.found is not None for place in places]
    return not any(first and second for first, second in pairwise(there))


def _height(place: Place) -> float:
    return np.nan if place.found is None else 100 * place.found.mean


def _bound(place: Place, sign: int) -> float:
    if place.found is None or place.found.half_width is None:
        return np.nan
    return 100 * min(1.0, max(0.0, place.found.mean + sign * place.found.half_width))


def _tabled(regime: RegimeStandings, measure: str, lines: dict[str, Line]) -> list[tuple[Any, ...]]:
    return [
        (regime.setting.regime, measure, row, place.x, *estimate_cells(place.found))
        for row, places in lines.items()
        for place in places
    ]


def estimate_cells(
    found: Estimate | None, unit: Callable[[float], float] = lambda value: 100 * value
) -> tuple[Any, ...]:
    """An estimate as the columns ESTIMATE."""
    if found is None:
        return None, None, 0
    return unit(found.mean), None if found.half_width is None else unit(found.half_width), found.n
