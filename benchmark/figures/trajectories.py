"""How AIGN is distributed, and how its parts come about epoch by epoch (after Figure 2 of the EasyCore paper)."""

from typing import Any

import numpy as np

from benchmark.experiments.scales import STANDARD
from benchmark.figures.canvas import GREY, PALE, Drawing, Table, image_panel, logarithmic, sheet
from benchmark.figures.emphasis import BLUE, VERMILION
from benchmark.figures.labels import Label, label_ends, room
from benchmark.figures.sources import AIGN, Missing, Source

TENTHS = {
    "easiest tenth": (0.0, 0.1, BLUE, "-"),
    "middle tenth": (0.45, 0.55, GREY, "--"),
    "hardest tenth": (0.9, 1.0, VERMILION, "-"),
}
EXAMPLES = 11  # images at evenly spaced ranks
BINS = 48


def trajectories(source: Source) -> Drawing:
    """AIGN of all samples with images at its deciles, and the gradient norms of three tenths over the epochs."""
    from matplotlib.ticker import MaxNLocator

    scores = source.aign()
    norms = source.signals(STANDARD, AIGN)[AIGN[0]].astype(np.float64)
    order = np.argsort(scores, kind="stable")
    floor = max(float(scores[scores > 0].min(initial=np.inf)), 1e-12) if (scores > 0).any() else 1e-12
    low, high = max(floor, float(np.quantile(scores, 0.001))), float(max(scores.max(), 2 * floor))
    edges = np.geomspace(low, high, BINS + 1)
    counts, _ = np.histogram(np.clip(scores, low, high), edges)
    figure, ((left, right),) = sheet(
        f"{source.suite.name}: how AIGN is distributed, and how it comes about",
        f"{source.note()} AIGN is the mean over epochs of the norm of the loss's gradient by the image. "
        "Images: at evenly spaced ranks. Bands: the middle half of a tenth.",
        (1, 2),
        (4.1, 2.8),
        right=room(TENTHS),
        between=(0.8, 0.75),
    )
    rows: list[tuple[Any, ...]] = []
    cuts = {name: np.sort(scores)[_slice(len(scores), *ends[:2])] for name, ends in TENTHS.items()}
    for start, end, count in zip(edges[:-1], edges[1:], counts, strict=True):
        middle = np.sqrt(start * end)
        inside = [name for name, values in cuts.items() if values[0] <= middle <= values[-1]]
        color = TENTHS[inside[0]][2] if inside else PALE
        left.bar(start, count, width=end - start, align="edge", color=color, lw=0)
        rows.append(("histogram", "", float(start), int(count), None, None))
    left.set_xscale("log")
    logarithmic(left.xaxis)
    left.set_ylim(0, 1.5 * counts.max())
    left.set_title("Samples by AIGN")
    left.set_xlabel("AIGN (loss per unit of pixel, logarithmic)")
    left.set_ylabel("samples")
    _examples(left, source, order, scores, (low, high), rows)

    labels = []
    epochs = np.arange(1, len(norms) + 1)
    for name, (first, last, color, dashes) in TENTHS.items():
        chosen = order[_slice(len(order), first, last)]
        quarter, median, upper = np.quantile(norms[:, chosen], (0.25, 0.5, 0.75), axis=1)
        right.fill_between(epochs, quarter, upper, color=color, alpha=0.18, lw=0)
        right.plot(epochs, median, color=color, ls=dashes)
        labels.append(Label(float(epochs[-1]), float(median[-1]), name, color))
        rows += [
            ("trajectory", name, int(epoch), float(m), float(q), float(u))
            for epoch, m, q, u in zip(epochs, median, quarter, upper, strict=True)
        ]
    right.set_yscale("log")
    logarithmic(right.yaxis)
    right.xaxis.set_major_locator(MaxNLocator(integer=True))
    right.set_title("Gradient norms over the proxy's training")
    right.set_xlabel("epoch")
    right.set_ylabel("norm of the gradient (loss per unit of pixel)")
    right.grid(axis="y")
    label_ends(right, labels)
    return Drawing(
        "trajectories",
        f"Distribution of AIGN and gradient norms over epochs, suite {source.suite.name}",
        figure,
        Table(("part", "group", "x", "y", "lower_quartile", "upper_quartile"), tuple(rows)),
    )


def _slice(count: int, first: float, last: float) -> slice:
    start = min(int(first * count), count - 1)
    return slice(start, max(start + 1, int(last * count)))


def _examples(axes: Any, source: Source, order: Any, scores: Any, limits: tuple[float, float], rows: list[Any]) -> None:
    """Images along the top, each tied to its place on the axis."""
    ids = order[np.linspace(0, len(order) - 1, EXAMPLES).round().astype(int)]
    try:
        images = source.images(ids)
    except Missing:  # points have no picture
        return
    width = 0.94 / EXAMPLES
    top = axes.get_ylim()[1]
    axes.set_xlim(limits[0] / 1.15, limits[1] * 1.15)
    for place, (i, image) in enumerate(zip(ids, images, strict=True)):
        x = 0.03 + place * width
        inset = axes.inset_axes((x, 0.86, width * 0.9, 0.13))
        inset.imshow(np.clip(image, 0, 1), interpolation="none")
        image_panel(inset)
        at = float(np.clip(scores[i], *limits))
        axes.annotate(
            "",
            xy=(at, top * 0.68),
            xytext=(x + width * 0.45, 0.855),
            textcoords="axes fraction",
            arrowprops={"arrowstyle": "-", "color": PALE, "lw": 0.6, "shrinkA": 0, "shrinkB": 0},
        )
        rows.append(("example", str(int(source.dataset.positions[i])), float(scores[i]), None, None, None))
