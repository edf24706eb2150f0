"""How far the AIGN of one proxy agrees with that of another (after Figure 3 of the EasyCore paper)."""

from typing import Any

import numpy as np

from benchmark.experiments.ranks import spearman
from benchmark.experiments.scales import ANOTHER, ROBUST, STANDARD
from benchmark.figures.canvas import GREY, Drawing, Table, columns_of, logarithmic, sheet, used
from benchmark.figures.emphasis import BLUE
from benchmark.figures.sources import Source

DRAWN = 2000  # samples, at evenly spaced ranks of the standard proxy's AIGN


def agreement(source: Source) -> Drawing:
    """AIGN of the standard proxy against that of another seed, of other networks, and of a robust proxy."""
    model = source.proxies[STANDARD].model
    first = source.aign()
    spoken = {ANOTHER: f"{model}, another seed", ROBUST: f"{model}, trained by TRADES"}
    others = {spoken.get(name, name): source.aign(name) for name in source.proxies if name != STANDARD}
    order = np.argsort(first, kind="stable")
    drawn = np.sort(order[np.unique(np.linspace(0, len(order) - 1, min(DRAWN, len(order))).round().astype(int))])
    some = f"{len(drawn):,} samples at evenly spaced ranks are drawn" if len(drawn) < len(first) else "All are drawn"
    figure, grid = sheet(
        f"{source.suite.name}: AIGN of one proxy against that of another",
        f"{source.note()} ρ: Spearman's rank correlation over all samples; the other seed's shows how high it can be. "
        f"{some}; the line is equality.",
        columns_of(len(others), 3),
        (2.75, 2.75),
        between=(0.75, 0.85),
    )
    for axes, (name, second) in zip(used(grid, len(others)), others.items(), strict=True):
        x, y = (np.maximum(values[drawn], 1e-12) for values in (first, second))
        axes.loglog(x, y, ls="", marker=".", ms=3, color=BLUE, alpha=0.35, mew=0, rasterized=True)
        ends = max(x.min(), y.min()), min(x.max(), y.max())
        axes.plot(ends, ends, color=GREY, lw=0.8, ls=(0, (2, 2)))
        axes.set_title(f"{name}: ρ = {spearman(first, second):.2f}")
        axes.set_xlabel(f"AIGN of {model} (loss per unit of pixel)")
        axes.set_ylabel(f"AIGN of {name}")
        logarithmic(axes.xaxis)
        logarithmic(axes.yaxis)
    positions = source.dataset.positions
    rows: list[tuple[Any, ...]] = [
        (int(positions[i]), float(first[i]), *(float(second[i]) for second in others.values())) for i in drawn
    ]
    columns = ("position_in_data_set", model, *others)
    title = f"AIGN of one proxy against that of another, suite {source.suite.name}"
    return Drawing("agreement", title, figure, Table(columns, tuple(rows)))
