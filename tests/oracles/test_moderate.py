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


@pytest.mark.parametrize("kept", [0.1, 0.3, 0.5, 0.9])
def test_the_band_is_that_of_the_paper_where_its_ends_are_whole_ranks(kept: float) -> None:
    """From rank (1/2 - f/2) N up to rank (1/2 + f/2) N, no more and no less."""
    rng = np.random.default_rng(0)
    labels, features = rng.integers(0, 3, 40), rng.standard_normal((40, 5))
    scores = distances(features, labels, "mean")
    order = sorted(range(40), key=scores.__getitem__)
    band = order[round(40 * (0.5 - kept / 2)) : round(40 * (0.5 + kept / 2))]
    assert sorted(chosen("moderate", context(labels, {"features": features}), len(band))) == sorted(band)


def test_nearest_to_the_median_distance_is_another_band() -> None:
    """The band is one of ranks: in a skewed distribution the values nearest to the median lie to one side of it."""
    features = np.concatenate([np.linspace(1, 1.1, 10), np.linspace(2, 9, 10)])[:, None] * [[1.0, -1.0]]
    features = np.concatenate([features, -features])  # the class mean is 0
    scores = distances(features, np.zeros(40, dtype=int), "mean")
    nearest = sorted(range(40), key=lambda i: abs(scores[i] - float(np.median(scores))))[:16]
    picks = chosen("moderate", context([0] * 40, {"features": features}), 16)
    below = sum(scores[i] < np.median(scores) for i in picks)
    assert below == 8
    assert sum(scores[i] < np.median(scores) for i in nearest) > 8


def test_either_end_is_noticed() -> None:
    rng = np.random.default_rng(0)
    labels, given = rng.integers(0, 3, 40), {"features": rng.standard_normal((40, 5))}
    middle = set(chosen("moderate", context(labels, given), 10))
    for end in ("low", "high"):
        assert not middle & set(chosen(f"moderate@{end}", context(labels, given), 10))


def test_a_class_of_one_sample_is_at_its_own_centre() -> None:
    features = np.random.default_rng(0).standard_normal((11, 3))
    given = context([0] * 10 + [1], {"features": features})
    assert chosen("moderate@low", given, 1) == [10]
    assert sorted(chosen("moderate", given, 11)) == list(range(11))


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_identical_samples_are_ordered_by_the_generator(value: float) -> None:
    given = {"features": np.full((30, 3), value)}
    first, second = (chosen("moderate", context([0, 1] * 15, given, seed=seed), 10) for seed in (0, 1))
    assert first != second


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_by_name(value: float) -> None:
    features = np.ones((9, 3))
    features[4, 1] = value
    with pytest.raises(Exception, match=r"The signal 'features' is NaN or infinite for 1 of 9 samples \(first: 4\)"):
        chosen("moderate", context([0] * 9, {"features": features}), 3)


def test_balanced_bands_lie_within_each_class() -> None:
    rng = np.random.default_rng(0)
    labels, features = np.repeat([0, 1], 11), rng.standard_normal((22, 3))
    scores = distances(features, labels, "mean")
    picks = chosen("moderate@balanced", context(labels, {"features": features}), 6)
    for c in (0, 1):
        order = sorted(np.flatnonzero(labels == c).tolist(), key=scores.__getitem__)
        assert sorted(order.index(i) for i in picks if labels[i] == c) == [4, 5, 6]
