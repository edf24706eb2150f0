"""How alike methods are: the rank correlation of their scores, and the picks that their coresets share."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.experiments.ranks import spearman
from benchmark.figures.canvas import Drawing, Table, sheet, shortened
from benchmark.figures.sources import Missing, Source
from benchmark.wording import percent
from methods.api import Floats
from methods.policies import hard_end

NUMBERS = 26  # rows up to which a cell holds its number


def scores(source: Source) -> Drawing:
    """Spearman's correlation of each pair of scores, turned so that a high one means hard."""
    found: dict[str, Floats] = {}
    seen = set()
    for row in source.rows:
        method: Any = source.selection(row).method
        name = f"{row.method} ({row.proxy} proxy)" if row.proxy != "standard" else row.method
        values = None if name in found else source.score(row)
        if values is None or not np.isfinite(values).all() or np.ptp(values) == 0:
            continue
        turned = -values if hard_end(method.info.keep, _direction(row.method)) == "low" else values
        if turned.tobytes() not in seen:  # one score under two names, as AIGN has, is one line
            seen.add(turned.tobytes())
            found[name] = turned
    if len(found) < 2:
        raise Missing(f"Suite '{source.suite.name}' has fewer than two scores to compare.")
    names = list(found)
    matrix = np.array([[spearman(found[a], found[b]) for b in names] for a in names])
    return _heatmap(
        "scores",
        f"{source.suite.name}: how alike the methods rank the samples",
        f"{source.note(None)} Spearman's ρ of each pair of scores, turned so that high is hard wherever the method "
        "says which end that is. Order: neighbours are alike.",
        names,
        matrix,
        (-np.ceil(max(0.0, -4 * matrix.min())) / 4, 1.0),
        ("first", "second", "spearman"),
    )


def overlap(source: Source) -> Drawing:
    """The share of one coreset's picks that another one has too, at the middle fraction."""
    picks = {row.name: source.picks(row) for row in source.rows}
    if len(picks) < 2:
        raise Missing(f"Suite '{source.suite.name}' has fewer than two coresets to compare.")
    names, fraction = list(picks), source.suite.middle
    matrix = np.array([[len(np.intersect1d(picks[a], picks[b])) / len(picks[a]) for b in names] for a in names])
    return _heatmap(
        "overlap",
        f"{source.suite.name}: how many picks two coresets share",
        f"{source.note(None)} Shared picks in % of a coreset at {percent(fraction)}; two random ones share "
        f"{percent(fraction)} on average. Order: neighbours are alike.",
        names,
        100 * matrix,
        (0.0, 100.0),
        ("first", "second", "shared_percent"),
    )


def ordered(matrix: NDArray[np.float64]) -> list[int]:
    """An order in which alike rows are neighbours: average linkage on the distances of rows, leaves turned best."""
    from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
    from scipy.spatial.distance import pdist

    if len(matrix) < 3:
        return list(range(len(matrix)))
    apart = pdist(matrix)
    return [int(i) for i in leaves_list(optimal_leaf_ordering(linkage(apart, "average"), apart))]


def _direction(method: str) -> Any:
    """What the method's default policy keeps, whatever the row's."""
    from methods.registry import get

    return get(method).info.direction


def _heatmap(
    name: str,
    title: str,
    note: str,
    names: Sequence[str],
    matrix: NDArray[np.float64],
    limits: tuple[float, float],
    columns: tuple[str, str, str],
) -> Drawing:
    order = ordered(matrix)
    shown, labels = matrix[np.ix_(order, order)], [shortened(names[i], 28) for i in order]
    cell = 0.33 if len(names) <= NUMBERS else 0.2
    margin = 0.3 + 0.071 * max(map(len, labels))
    side = max(2.2, cell * len(names))
    figure, ((axes,),) = sheet(title, note, (1, 1), (side, side), left=margin, right=0.9, bottom=margin)
    picture = axes.imshow(shown, cmap="cividis", vmin=limits[0], vmax=limits[1], aspect="auto", interpolation="none")
    axes.set_xticks(range(len(labels)), labels, rotation=90)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if len(names) <= NUMBERS:
        for i, line in enumerate(shown):
            for j, value in enumerate(line):
                red, green, blue, _ = picture.to_rgba(np.array([value]))[0]
                dark = 0.3 * red + 0.59 * green + 0.11 * blue < 0.5
                text = f"{value:.0f}" if limits[1] > 1 else f"{value:.2f}".replace("-", "−").replace("0.", ".")
                axes.text(j, i, text, ha="center", va="center", size=6.5, color="white" if dark else "#222222")
    bar = figure.colorbar(picture, cax=axes.inset_axes((1.03, 0, 0.025, 1)))
    bar.outline.set_visible(False)
    bar.set_label("shared picks (%)" if limits[1] > 1 else "Spearman's ρ")
    rows = [(names[i], names[j], float(matrix[i, j])) for i in order for j in order]
    return Drawing(name, title, figure, Table(columns, tuple(rows)))
