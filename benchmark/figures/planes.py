"""The boundary in the plane: trained on all 1,200 points, the 720 easiest, 720 at random (after Figure 4)."""

from typing import Any

import numpy as np

from benchmark.experiments import plane
from benchmark.figures.canvas import PALE, Drawing, Table, sheet
from benchmark.figures.emphasis import BLUE, VERMILION

SIDE = 121  # of the drawn map


def planes(seed: int = 0) -> Drawing:
    """Points, the network's probabilities and its boundary, for each of the three sets that it learns."""
    data = plane.load_plane()
    where, labels = plane.points(data)
    sets = plane.subsets(plane.hardness(data, seed), seed)
    titles = {
        plane.ALL: f"all {len(labels):,} points",
        plane.EASY: f"the {plane.EASIEST} easiest",
        plane.RANDOM: f"{plane.EASIEST} at random",
    }
    recipe = plane.TRAINING.recipe
    figure, (line,) = sheet(
        "In the plane: the boundary that all points leave, the easiest, and random ones",
        f"Two half moons, 1,200 points; {plane.TRAINING.model}, {recipe.epochs} epochs, seed {seed}. Easiest: lowest "
        "AIGN. Length in sides of the square, curvature in radians per side; accuracy on 600 test points.",
        (1, len(sets)),
        (2.9, 2.9),
        left=0.45,
        between=(0.35, 0.5),
        bottom=1.05,
    )
    rows: list[tuple[Any, ...]] = []
    for axes, (name, ids) in zip(line, sets.items(), strict=True):
        model = plane.learn(data, ids, seed)
        edge, right = plane.boundary(plane.field(model)), plane.accuracy(model, data)
        chance = 1 / (1 + np.exp(-np.clip(plane.field(model, SIDE), -30, 30)))
        ticks = np.linspace(0, 1, SIDE)
        axes.contourf(ticks, ticks, chance, levels=[0, 0.5, 1], colors=["#e3eef6", "#fbe9dd"])
        left_out = np.setdiff1d(np.arange(len(labels)), ids)
        axes.plot(*where[left_out].T, ls="", marker=".", ms=2, color=PALE, mew=0, rasterized=True)
        for label, color, marker in ((0, BLUE, "o"), (1, VERMILION, "^")):
            chosen = ids[labels[ids] == label]
            axes.plot(*where[chosen].T, ls="", marker=marker, ms=2.2, color=color, mew=0, alpha=0.6, rasterized=True)
        for piece in edge.pieces:
            axes.plot(*piece.T, color="black", lw=1.6)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=[0, 1], yticks=[0, 1])
        axes.set_title(f"trained on {titles[name]}")
        pieces = "1 piece" if edge.count == 1 else f"{edge.count} pieces"
        axes.set_xlabel(
            f"{pieces}, length {edge.length:.2f}\nmean curvature {edge.curvature:.2f}\n"
            f"{100 * right:.1f} % of the test points right",
            linespacing=1.5,
        )
        measures = {
            "pieces": edge.count, "length": edge.length, "turning": edge.turning, "curvature": edge.curvature,
            "test_accuracy": right,
        }  # fmt: skip
        rows += [(name, measure, "", None, None, float(value)) for measure, value in measures.items()]
        rows += [
            (name, "boundary", number, float(x), float(y), None)
            for number, piece in enumerate(edge.pieces)
            for x, y in piece
        ]
        if name == plane.ALL:
            rows += [(name, "point", "", *map(float, at), float(labels[i])) for i, at in enumerate(where)]
        else:
            rows += [(name, "learns_point", int(i), None, None, None) for i in ids]
    title = "The boundary in the plane, trained on all points, the easiest, and as many at random"
    return Drawing("plane", title, figure, Table(("learnt", "what", "number", "x", "y", "value"), tuple(rows)))
