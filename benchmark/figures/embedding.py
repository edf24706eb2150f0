"""Where the easiest and hardest samples lie among the classes, by t-SNE (after Figure 5 of the EasyCore paper)."""

from typing import Any

import numpy as np

from benchmark.experiments.scales import ROBUST, STANDARD
from benchmark.figures.canvas import Drawing, Table, image_panel, sheet, shortened
from benchmark.figures.emphasis import BLUE, VERMILION
from benchmark.figures.sources import Source
from methods.api import Floats, Integers

SHARE, MOST = 0.15, 500  # of the pool at either end, and at most so many samples
SEED = 0


def embedding(source: Source) -> Drawing:
    """Features of both ends with the centroids of all classes, of the standard proxy and of a robust one."""
    names = [name for name in (STANDARD, ROBUST) if name in source.proxies]
    scores = source.aign()
    order = np.argsort(scores, kind="stable")
    count = max(1, min(MOST, int(SHARE * len(order))))
    ends = {"easiest": order[:count], "hardest": order[-count:]}
    figure, (line,) = sheet(
        f"{source.suite.name}: where the easiest and the hardest samples lie",
        f"{source.note()} t-SNE of the features of the {count} samples of the lowest AIGN (blue dots) and the {count} "
        "of the highest (orange triangles) by the standard proxy, with the mean of each class (its name). Below: the "
        "median distance of either from its class's mean, in the features themselves, over that of all samples.",
        (1, len(names)),
        (4.0, 4.0),
        left=0.25,
        between=(0.3, 0.5),
    )
    rows: list[tuple[Any, ...]] = []
    for axes, name in zip(line, names, strict=True):
        features = source.signals(name, ("features",))["features"].astype(np.float64)
        means = {c: features[source.labels == c].mean(axis=0) for c in np.unique(source.labels)}
        apart = np.linalg.norm(features - np.stack([means[c] for c in source.labels]), axis=1)
        chosen = np.concatenate(list(ends.values()))
        places = _embedded(np.concatenate([features[chosen], np.stack(list(means.values()))]))
        for start, (end, ids, color, marker) in enumerate(
            (("easiest", ends["easiest"], BLUE, "o"), ("hardest", ends["hardest"], VERMILION, "^"))
        ):
            part = places[start * count : start * count + len(ids)]
            axes.plot(*part.T, ls="", marker=marker, ms=3.2, mew=0, color=color, alpha=0.55, rasterized=True)
            rows += _tabled(source, name, end, ids, part, scores)
        for c, place in zip(means, places[len(chosen) :], strict=True):
            label = source.dataset.class_names[c]
            axes.annotate(
                shortened(label, 12),
                xy=(float(place[0]), float(place[1])),
                ha="center",
                va="center",
                size=9,
                weight="bold",
                bbox={"boxstyle": "round,pad=0.15", "fc": "white", "ec": "#999999", "lw": 0.6, "alpha": 0.9},
            )
            rows.append((name, "centroid", "", label, float(place[0]), float(place[1]), None))
        ratio = {end: float(np.median(apart[ids]) / np.median(apart)) for end, ids in ends.items()}
        axes.set_title(f"{name} proxy")
        image_panel(axes)
        axes.set_xlabel("distance from the class's mean: " + ", ".join(f"{end} {r:.2f}" for end, r in ratio.items()))
        rows += [(name, f"median_distance_{end}", "", "", None, None, value) for end, value in ratio.items()]
    return Drawing(
        "embedding",
        f"t-SNE of the easiest and hardest samples with class centroids, suite {source.suite.name}",
        figure,
        Table(("proxy", "what", "position_in_data_set", "class", "x", "y", "value"), tuple(rows)),
    )


def _embedded(features: Floats) -> Floats:
    from sklearn.manifold import TSNE

    perplexity = min(30.0, max(2.0, (len(features) - 1) / 3))
    places = TSNE(init="pca", perplexity=perplexity, random_state=SEED, n_jobs=1).fit_transform(features)
    return np.asarray(places, dtype=np.float64)


def _tabled(
    source: Source, name: str, end: str, ids: Integers, places: Floats, scores: Floats
) -> list[tuple[Any, ...]]:
    data = source.dataset
    return [
        (name, end, int(data.positions[i]), data.class_names[source.labels[i]], float(x), float(y), float(scores[i]))
        for i, (x, y) in zip(ids, places, strict=True)
    ]
