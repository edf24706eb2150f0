"""Cosine distance to the nearest k-means centre (arXiv:2206.14486), where the centres are known."""

import math
from itertools import product

import numpy as np
import pytest

from methods.prototypes import k_means
from tests.oracles.worlds import SEEDS, assert_highest, assert_lowest, chosen, context


def cosine_distance(a: np.ndarray, b: np.ndarray) -> float:
    lengths = math.sqrt(sum(float(v) ** 2 for v in a)) * math.sqrt(sum(float(v) ** 2 for v in b))
    return 1 - sum(float(u) * float(v) for u, v in zip(a, b, strict=True)) / lengths if lengths else 1.0


def scores(features: np.ndarray, centres: list[np.ndarray]) -> list[float]:
    return [min(cosine_distance(h, c) for c in centres) for h in features]


def clusters(seed: int, sizes: tuple[int, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    """Tight bundles around orthogonal directions: k-means cannot miss them. Also the bundles' own centres."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(rng.standard_normal((8, len(sizes))))[0].T
    features, centres = [], []
    for direction, size in zip(directions, sizes, strict=True):
        bundle = direction + 0.03 * rng.standard_normal((size, 8))
        centres.append(sum(h / np.linalg.norm(h) for h in bundle) / size)  # of unit length each
        features.append(bundle * rng.uniform(0.5, 5, (size, 1)))
    return np.concatenate(features), centres


@pytest.mark.parametrize("seed", SEEDS)
def test_both_ends_of_the_distance_to_the_nearest_centre(seed: int) -> None:
    features, centres = clusters(seed, (20, 20, 20))
    labels, expected = np.repeat([0, 1, 2], 20), scores(features, centres)
    given = {"features": features}
    assert_highest(chosen("prototypes", context(labels, given, seed=seed), 15), expected)
    assert_lowest(chosen("prototypes@low", context(labels, given, seed=seed), 15), expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_labels_are_not_read(seed: int) -> None:
    """A mislabelled sample at the centre of another bundle is near a prototype: these are no class means."""
    features, centres = clusters(seed, (20, 20, 20))
    shuffled = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], 20))
    assert_highest(chosen("prototypes", context(shuffled, {"features": features}), 15), scores(features, centres))


@pytest.mark.parametrize("seed", SEEDS)
def test_k_means_ends_where_no_centre_and_no_sample_wants_to_move(seed: int) -> None:
    """Lloyd's fixed point, checked by hand: each centre is the mean of the samples nearest to it."""
    features = np.random.default_rng(seed).standard_normal((80, 3))
    centres = k_means(features, 4, np.random.default_rng(seed))
    nearest = [min(range(4), key=lambda j: sum((h - centres[j]) ** 2)) for h in features]
    for j in range(4):
        mine = [h for h, own in zip(features, nearest, strict=True) if own == j]
        np.testing.assert_allclose(centres[j], sum(mine) / len(mine), atol=0.05)


def test_on_a_tiny_set_k_means_finds_the_best_partition() -> None:
    features, _ = clusters(0, (3, 3))
    features /= np.linalg.norm(features, axis=1, keepdims=True)

    def cost(parts: tuple[int, ...]) -> float:
        bundles = [features[[i for i in range(6) if parts[i] == j]] for j in (0, 1)]
        return sum(float(((b - b.mean(axis=0)) ** 2).sum()) for b in bundles if len(b))

    centres = k_means(features, 2, np.random.default_rng(0))
    found = tuple(min((0, 1), key=lambda j: sum((h - centres[j]) ** 2)) for h in features)
    assert cost(found) == pytest.approx(min(cost(parts) for parts in product((0, 1), repeat=6)))


def test_the_same_generator_finds_the_same_centres_and_another_one_others() -> None:
    features = np.random.default_rng(0).standard_normal((200, 6))
    labels = np.arange(200) % 5
    first, again, other = (chosen("prototypes", context(labels, {"features": features}, seed=s), 40) for s in (0, 0, 1))
    assert first == again
    assert set(first) != set(other)


def test_features_of_zero_length_are_at_distance_one() -> None:
    features, _ = clusters(0, (20, 20, 20))
    features[:2] = 0
    assert set(chosen("prototypes", context(np.repeat([0, 1, 2], 20), {"features": features}), 2)) == {0, 1}


@pytest.mark.parametrize("n", [1, 2])
def test_fewer_samples_than_classes(n: int) -> None:
    labels = np.array([0, 4])[:n]
    assert sorted(chosen("prototypes", context(labels, {"features": np.eye(3)[:n]}), n)) == list(range(n))


def test_equal_samples_score_exactly_alike() -> None:
    """Fewer kinds than classes, and nothing but the generator between samples of a kind."""
    features = np.tile([[1.0, 0.1], [0.2, 1.0]], (40, 1))
    given = {"features": features}
    first, second = (chosen("prototypes", context(np.arange(80) % 5, given, seed=s), 40) for s in (0, 1))
    assert set(first) != set(second)
    assert 5 < sum(i < 40 for i in first) < 35


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_by_name(value: float) -> None:
    features, _ = clusters(0, (5, 5))
    features[3] = value
    with pytest.raises(Exception, match="The signal 'features' is NaN or infinite"):
        chosen("prototypes", context([0] * 5 + [1] * 5, {"features": features}), 2)
