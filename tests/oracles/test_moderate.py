"""Moderate coreset: the band of ranks around the median distance to the class centre (Xia et al. 2023)."""

import numpy as np
import pytest

from tests.oracles.worlds import SEEDS, chosen, context


def distances(features: np.ndarray, labels: np.ndarray, centre: str) -> list[float]:
    found = []
    for x, y in zip(features, labels, strict=True):
        mates = [f for f, label in zip(features, labels, strict=True) if label == y]
        middle = [
            float(np.median([m[d] for m in mates]))
            if centre == "median"
            else sum(float(m[d]) for m in mates) / len(mates)
            for d in range(len(x))
        ]
        found.append(sum((float(a) - b) ** 2 for a, b in zip(x, middle, strict=True)) ** 0.5)
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("centre", ["mean", "median"])
def test_a_centred_band_of_ranks(seed: int, centre: str) -> None:
    rng = np.random.default_rng(seed)
    labels, features = rng.integers(0, 3, 41), rng.standard_normal((41, 5)).astype(np.float32)
    given = context(labels, {"features": features})
    scores = distances(features, labels, centre)
    ranks = {i: rank for rank, i in enumerate(sorted(range(41), key=scores.__getitem__))}
    for k in (1, 8, 21, 41):
        band = sorted(ranks[i] for i in chosen("moderate", given, k, {"centre": centre}))
        assert band == list(range(band[0], band[0] + k))
        assert abs((band[0] + band[-1]) / 2 - 20) <= 0.5


def test_balanced_bands_lie_within_each_class() -> None:
    rng = np.random.default_rng(0)
    labels, features = np.repeat([0, 1], 11), rng.standard_normal((22, 3))
    scores = distances(features, labels, "mean")
    picks = chosen("moderate@balanced", context(labels, {"features": features}), 6)
    for c in (0, 1):
        order = sorted(np.flatnonzero(labels == c).tolist(), key=scores.__getitem__)
        assert sorted(order.index(i) for i in picks if labels[i] == c) == [4, 5, 6]
