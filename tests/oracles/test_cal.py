"""Contrastive active learning with every distance and divergence written out (arXiv:2109.03764, algorithm 1)."""

import math

import numpy as np
import pytest

from methods.cal import nearest_in_float32, nearest_others
from tests.oracles.worlds import SEEDS, assert_highest, chosen, context

TINY = 2.0**-126  # the smallest normal float32


def kl(p: np.ndarray, q: np.ndarray) -> float:
    return sum(float(a) * (math.log(max(a, TINY)) - math.log(max(b, TINY))) for a, b in zip(p, q, strict=True))


def symmetric(p: np.ndarray, q: np.ndarray) -> float:
    """The published fault: the average of both directions."""
    return kl(p, q) / 2 + kl(q, p) / 2


def unit(h: np.ndarray) -> np.ndarray:
    length = math.sqrt(sum(float(v) ** 2 for v in h))
    return h.astype(float) / length if length else h.astype(float)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    return math.sqrt(sum((u - v) ** 2 for u, v in zip(unit(a), unit(b), strict=True)))


def scores(features: np.ndarray, p: np.ndarray, k: int = 10, divergence=kl) -> list[float]:  # type: ignore[no-untyped-def]
    found = []
    for i in range(len(p)):
        others = sorted((j for j in range(len(p)) if j != i), key=lambda j: distance(features[i], features[j]))[:k]
        found.append(sum(divergence(p[j], p[i]) for j in others) / max(1, len(others)))
    return found


def drawn(seed: int, n: int = 60, classes: int = 4) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    z = 3 * rng.standard_normal((n, classes))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    given = {"features": rng.standard_normal((n, 5)).astype(np.float32), "probability": p.astype(np.float32)}
    return rng.integers(0, classes, n), given


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("k", [1, 5, 10])
def test_the_largest_divergences_of_the_neighbours_from_the_sample(seed: int, k: int) -> None:
    labels, given = drawn(seed)
    picks = chosen("cal", context(labels, given, seed=seed), 20, {"k": k})
    assert_highest(picks, scores(given["features"], given["probability"], k))


@pytest.mark.parametrize("seed", SEEDS)
def test_ten_neighbours_by_default(seed: int) -> None:
    labels, given = drawn(seed)
    assert chosen("cal", context(labels, given), 20) == chosen("cal", context(labels, given), 20, {"k": 10})


@pytest.mark.parametrize("seed", SEEDS)
def test_the_published_faults_are_noticed(seed: int) -> None:
    """DeepCore symmetrises the divergence and keeps the lowest."""
    _, given = drawn(seed)
    right = scores(given["features"], given["probability"])
    faulty = scores(given["features"], given["probability"], divergence=symmetric)
    other_direction = scores(given["features"], given["probability"], divergence=lambda p, q: kl(q, p))
    lowest = sorted(range(60), key=right.__getitem__)[:20]
    by_fault = sorted(range(60), key=lambda i: -faulty[i])[:20]
    by_direction = sorted(range(60), key=lambda i: -other_direction[i])[:20]
    for picks in (lowest, by_fault, by_direction):
        with pytest.raises(AssertionError):
            assert_highest(picks, right)


def many(kind: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    h = rng.standard_normal((70, 5))
    if kind == "closer than float32 tells":
        h = rng.standard_normal((4, 5))[rng.integers(0, 4, 70)] + 1e-6 * h
    if kind == "duplicates":
        h = h[rng.integers(0, 20, 70)]
    if kind == "zeros":
        h[rng.random(70) < 0.3] = 0
    if kind == "all alike":
        h[:] = h[0]
    return h


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("block", [8, 32, 2048])
@pytest.mark.parametrize("k", [1, 10, 69])
@pytest.mark.parametrize("kind", ["plain", "closer than float32 tells", "duplicates", "zeros", "all alike"])
def test_neighbours_are_the_nearest_in_blocks_of_any_size(
    kind: str, k: int, block: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By their distances, since equally near ones may change places."""
    monkeypatch.setattr("methods.cal.BLOCK", block)
    h = many(kind, seed)
    apart = np.array([[distance(a, b) for b in h] for a in h])
    np.fill_diagonal(apart, np.inf)
    found = nearest_others(h, k, np.random.default_rng(seed))
    assert all(len(set(row)) == k and i not in row for i, row in enumerate(found.tolist()))
    np.testing.assert_allclose(
        np.sort(np.take_along_axis(apart, found, axis=1)), np.sort(apart, axis=1)[:, :k], rtol=1e-9, atol=3e-8
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_float32_alone_would_take_others(seed: int) -> None:
    h = many("closer than float32 tells", seed)
    unit_rows = np.array([unit(row) for row in h])
    wanted = nearest_others(h, 10, np.random.default_rng(seed))
    _, alone = nearest_in_float32(unit_rows.astype(np.float32), 10)
    assert any(set(a) != set(b) for a, b in zip(wanted.tolist(), alone.tolist(), strict=True))


def test_the_direction_by_hand() -> None:
    """The neighbours are sure and the middle sample is torn: KL(sure || torn) = log 2, KL(torn || sure) is large."""
    sure, torn = [1 - 1e-6, 1e-6], [0.5, 0.5]
    given = {"features": [[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [0.1, 1.0]], "probability": [sure, torn, sure, sure]}
    assert kl(np.array(sure), np.array(torn)) == pytest.approx(math.log(2), abs=1e-4)
    assert chosen("cal", context([0, 0, 0, 0], given), 1, {"k": 1}) == [0]  # its neighbour is torn, it is sure


def test_length_of_features_is_no_matter() -> None:
    labels, given = drawn(0)
    rng = np.random.default_rng(1)
    scaled = given["features"] * rng.uniform(0.1, 10, (60, 1)).astype(np.float32)
    assert chosen("cal", context(labels, given), 20) == chosen(
        "cal", context(labels, {**given, "features": scaled}), 20
    )


def test_a_sample_is_never_its_own_neighbour_also_among_duplicates() -> None:
    """Each of twelve twins has eleven others at distance 0, one of them of another opinion."""
    features = np.ones((12, 3), dtype=np.float32)
    p = np.array([[0.9, 0.1]] * 11 + [[0.1, 0.9]])
    picks = chosen("cal", context([0] * 12, {"features": features, "probability": p}), 12, {"k": 11})
    assert picks[0] == 11  # it differs from all of its eleven neighbours, the others from one


def test_softmax_outputs_of_zero_stay_finite() -> None:
    labels, given = drawn(0)
    hard = np.eye(4, dtype=np.float32)[labels]
    picks = chosen("cal", context(labels, {**given, "probability": hard}), 20)
    assert_highest(picks, scores(given["features"], hard))


def test_features_of_zero_length_are_at_distance_one_from_every_direction() -> None:
    """In the plane, where sixty samples have ten neighbours nearer than that: the rest never meets them."""
    labels, given = drawn(0)
    given["features"] = given["features"][:, :2].copy()
    given["features"][:7] = 0
    picks = chosen("cal", context(labels, given), 60)
    assert_highest([i - 7 for i in picks if i >= 7], scores(given["features"][7:], given["probability"][7:]))


@pytest.mark.parametrize("n", [1, 2, 5])
def test_fewer_samples_than_neighbours(n: int) -> None:
    labels, given = drawn(0, n)
    assert sorted(chosen("cal", context(labels, given), n)) == list(range(n))


def test_no_neighbours_cannot_be_asked_for() -> None:
    labels, given = drawn(0)
    with pytest.raises(Exception, match="at least one neighbour"):
        chosen("cal", context(labels, given), 5, {"k": 0})


@pytest.mark.parametrize("name", ["features", "probability"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_by_name(name: str, value: float) -> None:
    labels, given = drawn(0)
    given[name][3] = value
    with pytest.raises(Exception, match=f"The signal '{name}' is NaN or infinite"):
        chosen("cal", context(labels, given), 5)
