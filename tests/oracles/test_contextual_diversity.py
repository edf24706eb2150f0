"""Farthest-first under the symmetric KL against a search that computes every divergence (arXiv:2008.05723)."""

import math

import numpy as np
import pytest

from tests.oracles.worlds import SEEDS, chosen, context

TINY = 2.0**-126  # the smallest normal float32


def kl(p: np.ndarray, q: np.ndarray) -> float:
    return sum(float(a) * (math.log(max(a, TINY)) - math.log(max(b, TINY))) for a, b in zip(p, q, strict=True))


def symmetric(p: np.ndarray, q: np.ndarray) -> float:
    return kl(p, q) / 2 + kl(q, p) / 2


def naive(p: np.ndarray, k: int, divergence=symmetric) -> list[int]:  # type: ignore[no-untyped-def]
    p = p.astype(np.float64)
    mean = p.mean(axis=0)
    picks = [min(range(len(p)), key=lambda i: divergence(p[i], mean))]
    while len(picks) < k:
        rest = [i for i in range(len(p)) if i not in picks]
        picks.append(max(rest, key=lambda i: min(divergence(p[i], p[j]) for j in picks)))
    return picks


def drawn(seed: int, n: int = 35, classes: int = 4, scale: float = 2.0) -> np.ndarray:
    z = scale * np.random.default_rng(seed).standard_normal((n, classes))
    return (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("classes", [2, 4])
def test_the_same_picks_in_the_same_order(seed: int, classes: int) -> None:
    p = drawn(seed, classes=classes)
    labels = np.random.default_rng(seed).integers(0, classes, 35)
    assert chosen("contextual-diversity", context(labels, {"probability": p}, seed=seed), 14) == naive(p, 14)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("candidates", [1, 5])
def test_the_same_picks_from_a_few_candidates_at_a_time(
    candidates: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("methods.k_center.CANDIDATES", candidates)
    monkeypatch.setattr("methods.k_center.ROWS", 2 * candidates)
    p = drawn(seed, scale=6.0)
    assert chosen("contextual-diversity", context([0] * 35, {"probability": p}, seed=seed), 35) == naive(p, 35)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_step_of_a_tiny_set_is_the_best_of_all(seed: int) -> None:
    """By brute force: no other next pick is farther from the picks before it."""
    p = drawn(seed, n=8).astype(np.float64)
    picks = chosen("contextual-diversity", context([0] * 8, {"probability": p}), 8)
    assert sorted(picks) == list(range(8))
    for step in range(1, 8):
        gaps = {i: min(symmetric(p[i], p[j]) for j in picks[:step]) for i in range(8) if i not in picks[:step]}
        assert gaps[picks[step]] == pytest.approx(max(gaps.values()), rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_direction_alone_is_noticed(seed: int) -> None:
    p = drawn(seed)
    assert naive(p, 14, kl) != chosen("contextual-diversity", context([0] * 35, {"probability": p}), 14)


def test_softmax_outputs_of_zero_stay_finite() -> None:
    """One of each kind comes before any twin: a divergence of hard outputs is large, not NaN."""
    p = np.eye(3, dtype=np.float32)[[0, 0, 0, 0, 1, 1, 2]]
    picks = chosen("contextual-diversity", context([0] * 7, {"probability": p}), 7)
    assert {int(np.argmax(p[i])) for i in picks[:3]} == {0, 1, 2}
    assert sorted(picks) == list(range(7))


def test_confident_outputs_are_told_apart_by_their_small_probabilities() -> None:
    """It is no Euclidean distance: these differ by 1e-6 at most."""
    p = np.array([[1 - 2e-6, 1e-6, 1e-6], [1 - 2e-6, 1e-6, 1e-6], [1 - 1e-6, 1e-6, 1e-30]])
    assert 2 in chosen("contextual-diversity", context([0] * 3, {"probability": p}), 2)


def test_the_greedy_order_is_kept() -> None:
    p = drawn(0, 40)
    picks = chosen("contextual-diversity", context([0] * 40, {"probability": p}), 20)
    assert picks != sorted(picks)
    assert picks[:7] == chosen("contextual-diversity", context([0] * 40, {"probability": p}), 7)


def test_the_generator_decides_between_equal_samples() -> None:
    p = np.full((30, 3), 1 / 3)
    first, second = (
        chosen("contextual-diversity", context([0] * 30, {"probability": p}, seed=seed), 5) for seed in (0, 1)
    )
    assert first != second


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_is_refused_by_name(value: float) -> None:
    p = drawn(0)
    p[3] = value
    with pytest.raises(Exception, match="The signal 'probability' is NaN or infinite"):
        chosen("contextual-diversity", context([0] * 35, {"probability": p}), 5)
