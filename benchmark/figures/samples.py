"""The easiest and the hardest images of each class, by AIGN (after Figure 1 of the EasyCore paper)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.figures.canvas import Drawing, Table, image_panel, sheet, shortened
from benchmark.figures.sources import THUMBNAIL, Source

EACH = 6  # images at either end of a class
CLASSES = 10  # shown; of more, as many evenly spaced ones
GAP = 0.08  # between two images, in sides of one


def samples(source: Source) -> Drawing:
    """Rows are classes; at the left the images of the lowest AIGN, at the right those of the highest."""
    scores, labels, data = source.aign(), source.labels, source.dataset
    spaced = np.linspace(0, data.num_classes - 1, min(CLASSES, data.num_classes)).round().astype(int)
    shown = [int(c) for c in spaced if (labels == c).any()]
    rows: list[tuple[Any, ...]] = []
    ends: dict[str, list[NDArray[np.int64]]] = {"easiest": [], "hardest": []}
    for c in shown:
        members = np.flatnonzero(labels == c)
        order = members[np.argsort(scores[members], kind="stable")]
        ends["easiest"].append(order[:EACH])
        ends["hardest"].append(order[::-1][:EACH])
        for end, found in ends.items():
            rows += [
                (end, data.class_names[c], place + 1, int(source.dataset.positions[i]), float(scores[i]))
                for place, i in enumerate(found[-1])
            ]
    cell = 0.42
    height = cell * (1 + GAP) * len(shown)
    figure, ((easy, hard),) = sheet(
        f"{source.suite.name}: the easiest and the hardest images of each class",
        f"{source.note()} By AIGN, the mean over epochs of the norm of the loss's gradient by the image: lowest at the "
        "left of either block and highest at its right end.",
        (1, 2),
        (cell * (1 + GAP) * EACH, height),
        left=1.1,
        between=(0.35, 0.5),
        bottom=0.2,
    )
    for axes, end in ((easy, "easiest"), (hard, "hardest")):
        found = [ids if end == "easiest" else ids[::-1] for ids in ends[end]]
        axes.imshow(_mosaic(source, found), aspect="auto", interpolation="none")
        image_panel(axes)
        axes.set_title(f"{end} {EACH} of each class")
    for place, c in enumerate(shown):
        name = shortened(data.class_names[c], 14)
        easy.annotate(
            name,
            xy=(-6, height * 72 * (1 - (place + 0.5) / len(shown))),
            xycoords="axes points",
            ha="right",
            va="center",
            annotation_clip=False,
        )
    columns = ("end", "class", "place", "position_in_data_set", "aign")
    title = f"The easiest and the hardest images of each class by AIGN, suite {source.suite.name}"
    return Drawing("samples", title, figure, Table(columns, tuple(rows)))


def _mosaic(source: Source, rows: list[NDArray[np.int64]]) -> NDArray[np.float32]:
    """One picture of all of them, white between; small images are enlarged, lest a viewer blurs them.

    Colours in 24 steps of each channel look the same at this size, and halve the file.
    """
    lines = [source.images(ids) for ids in rows]
    side, across = lines[0].shape[1:3]
    zoom = max(1, THUMBNAIL // side)
    gap = max(1, round(GAP * side * zoom))
    high, wide = side * zoom + gap, across * zoom + gap
    picture = np.ones((high * len(rows), wide * EACH, 3), dtype=np.float32)
    for i, line in enumerate(lines):
        for j, image in enumerate(line):
            large = image.repeat(zoom, axis=0).repeat(zoom, axis=1)
            picture[i * high : i * high + side * zoom, j * wide : j * wide + across * zoom] = large
    steps = np.float32(1 if source.dataset.shape[0] == 1 else 23)
    return np.clip(picture if steps == 1 else np.round(steps * picture) / steps, 0, 1)
