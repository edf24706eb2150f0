"""CRAIG against gradients that are written out and a greedy search over all of them (arXiv:1906.01827)."""

from typing import Any

import numpy as np
import pytest

from methods import registry
from methods.api import Budget, Coreset
from methods.errors import CoresetBenchError
from tests.oracles.sets import GREEDY, Value, assert_greedy, largest, world, written_out
from tests.oracles.worlds import SEEDS, context


def craig(labels: np.ndarray, signals: dict[str, Any], k: int, seed: int = 0, gradient: str = "weights") -> Coreset:
    method = registry.get("craig", {"gradient": gradient})
    return registry.run(method, context(labels, signals, seed=seed), Budget(k, len(labels)))


def distances(g: np.ndarray) -> list[list[float]]:
    return [[sum((float(x) - float(y)) ** 2 for x, y in zip(a, b, strict=True)) ** 0.5 for b in g] for a in g]


def closeness(g: np.ndarray) -> Value:
    """F(S) = sum_i max_{j in S} (d_max - d_ij)"""
    d = distances(g)
    furthest = max(max(row) for row in d)
    return lambda picks: sum(max(furthest - d[i][j] for j in picks) for i in range(len(d)))


def sizes(g: np.ndarray, groups: np.ndarray, picks: list[int]) -> list[float]:
    """How many samples of its group each pick is the nearest one of."""
    d, counts = distances(g), [0.0] * len(picks)
    for i in range(len(g)):
        own = [j for j in range(len(picks)) if groups[picks[j]] == groups[i]]
        counts[min(own, key=lambda j: (d[i][picks[j]], picks[j] != i))] += 1
    return counts


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("gradient", ["weights", "logits"])
def test_each_pick_is_the_best_of_its_class_and_its_weight_the_size_of_its_cluster(seed: int, gradient: str) -> None:
    labels, signals = world(seed)
    g = written_out(labels, signals["probability"], signals["features"])
    if gradient == "logits":
        g = signals["probability"] - np.eye(3)[labels]
    coreset = craig(labels, signals, 15, seed, gradient)
    picks = coreset.indices.tolist()
    for c in range(3):
        members = np.flatnonzero(labels == c)
        mine = [i for i in picks if labels[i] == c]
        assert_greedy(closeness(g[members]), len(members), np.searchsorted(members, mine).tolist())
    assert coreset.weights is not None
    assert coreset.weights.tolist() == sizes(g, labels, picks)


@pytest.mark.parametrize("seed", SEEDS)
def test_within_the_bound_of_the_best_of_all_sets(seed: int) -> None:
    labels, signals = world(seed, n=10)
    labels = np.zeros_like(labels)
    value = closeness(written_out(labels, signals["probability"], signals["features"]))
    assert value(craig(labels, signals, 3).indices.tolist()) >= GREEDY * largest(value, 10, 3)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("k", [1, 2, 3, 20, 60])
def test_weights_are_whole_and_sum_to_n(seed: int, k: int) -> None:
    """The published fault: counts start at one and then count everyone, which sums to n + k."""
    labels, signals = world(seed, n=60)
    coreset = craig(labels, signals, k, seed)
    g = written_out(labels, signals["probability"], signals["features"])
    assert coreset.weights is not None
    assert coreset.weights.sum() == 60
    assert (coreset.weights >= 1).all()
    assert (coreset.weights % 1 == 0).all()

    groups = labels if k >= 3 else np.zeros_like(labels)
    started_at_one = 1 + np.array(sizes(g, groups, coreset.indices.tolist()))
    assert started_at_one.sum() == 60 + k


@pytest.mark.parametrize("seed", SEEDS)
def test_the_weighted_sum_of_gradients_is_as_near_as_the_paper_says(seed: int) -> None:
    """Eq. 6, and with all samples picked it is the sum itself; weights that sum to n + k would double it."""
    labels, signals = world(seed, n=40)
    g = written_out(labels, signals["probability"], signals["features"])
    d = np.array(distances(g))
    for k in (6, 20, 40):
        coreset = craig(labels, signals, k, seed)
        assert coreset.weights is not None
        gap = np.linalg.norm(coreset.weights @ g[coreset.indices] - g.sum(axis=0))
        same = labels[:, None] == labels[coreset.indices]
        assert gap <= np.where(same, d[:, coreset.indices], np.inf).min(axis=1).sum() + 1e-5


@pytest.mark.parametrize("seed", SEEDS)
def test_a_class_without_a_pick_counts_for_the_nearest_of_all(seed: int) -> None:
    labels, signals = world(seed, n=50, classes=5)
    coreset = craig(labels, signals, 3, seed)
    picks = coreset.indices.tolist()
    d = distances(written_out(labels, signals["probability"], signals["features"]))
    counts = [0.0] * 3
    for i in range(50):
        own = [j for j in range(3) if labels[picks[j]] == labels[i]] or [0, 1, 2]
        counts[min(own, key=lambda j: d[i][picks[j]])] += 1
    assert coreset.weights is not None
    assert coreset.weights.tolist() == counts


def test_copies_are_picked_once_each_and_count_for_themselves() -> None:
    labels, signals = world(0, n=12)
    labels = np.tile(labels, 3)
    signals = {name: np.tile(array, (3, 1)) for name, array in signals.items()}
    for k in (20, 36):
        coreset = craig(labels, signals, k)
        assert len(set(coreset.indices.tolist())) == k
        assert coreset.weights is not None
        assert coreset.weights.min() >= 1
        assert coreset.weights.sum() == 36


@pytest.mark.parametrize("seed", SEEDS)
def test_the_rows_of_a_short_last_batch_are_no_likelier(seed: int) -> None:
    """The published fault: gradients of a mean-reduced loss, larger where the batch is smaller."""
    labels, signals = world(seed, n=130, d=3)
    labels = np.zeros_like(labels)
    g = written_out(labels, signals["probability"], signals["features"])
    last, k = np.arange(120, 130), 26
    ours = craig(labels, signals, k, seed).indices

    g[:120] /= 120
    g[120:] /= 10
    d = np.linalg.norm(g[:, None] - g, axis=2)
    faulty: list[int] = []
    for _ in range(k):
        best = [d[:, [*faulty, j]].min(axis=1).sum() if j not in faulty else np.inf for j in range(130)]
        faulty.append(int(np.argmin(best)))
    assert np.isin(ours, last).sum() <= 4 < 8 <= np.isin(faulty, last).sum()


def test_more_blocks_than_one_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, signals = world(0, n=90)
    whole = craig(labels, signals, 30)
    monkeypatch.setattr("methods.greedy.BLOCK", 100)
    parts = craig(labels, signals, 30)
    assert whole.indices.tolist() == parts.indices.tolist()
    assert whole.weights is not None
    assert parts.weights is not None
    assert whole.weights.tolist() == parts.weights.tolist()


def test_gradients_of_zero_and_all_alike_are_served() -> None:
    labels, signals = world(0, n=30)
    signals["probability"] = np.eye(3)[labels]
    coreset = craig(labels, signals, 10)
    assert len(set(coreset.indices.tolist())) == 10
    assert coreset.weights is not None
    assert coreset.weights.sum() == 30


def test_the_greedy_order_is_kept() -> None:
    labels, signals = world(0, n=60)
    picks = craig(labels, signals, 30).indices.tolist()
    assert picks != sorted(picks)
    assert picks[:11] == craig(labels, signals, 11).indices.tolist()


def test_an_unknown_gradient_is_refused() -> None:
    labels, signals = world(0)
    with pytest.raises(CoresetBenchError, match="Unknown value of craig's 'gradient' 'logit'"):
        craig(labels, signals, 5, gradient="logit")
