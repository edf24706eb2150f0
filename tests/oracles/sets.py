"""Maximisation of a function of sets by trying everything: slow, and plain to read."""

from collections.abc import Callable
from itertools import combinations
from math import e, sqrt
from typing import Any

import numpy as np

GREEDY = 1 - 1 / e  # what greedy maximisation keeps of the best value, where adding never hurts (Nemhauser et al. 1978)

Value = Callable[[list[int]], float]


def assert_greedy(value: Value, n: int, picks: list[int]) -> None:
    """Each pick is one of largest value together with those before it, whichever of equal ones was taken."""
    for step, pick in enumerate(picks):
        before = picks[:step]
        best = max(value([*before, j]) for j in range(n) if j not in before)
        assert abs(value([*before, pick]) - best) <= 1e-6 * max(1, abs(best)), f"pick {step} of {picks}"


def greedy(value: Value, n: int, k: int) -> list[int]:
    """Each pick is one of largest value together with those before it; the first of equal ones."""
    picks: list[int] = []
    while len(picks) < k:
        picks.append(max((j for j in range(n) if j not in picks), key=lambda j: value([*picks, j])))
    return picks


def largest(value: Value, n: int, k: int) -> float:
    """The largest value of all sets of k."""
    return max(value(list(picks)) for picks in combinations(range(n), k))


def shifted_cosines(vectors: np.ndarray) -> list[list[float]]:
    """(1 + cos) / 2 of all pairs; a zero vector is at right angles to all."""
    rows = [[float(x) for x in v] for v in vectors]

    def cosine(a: list[float], b: list[float]) -> float:
        norms = sqrt(sum(x * x for x in a)) * sqrt(sum(y * y for y in b))
        return sum(x * y for x, y in zip(a, b, strict=True)) / norms if norms else 0.0

    return [[(1 + cosine(a, b)) / 2 for b in rows] for a in rows]


def written_out(labels: np.ndarray, p: np.ndarray, features: np.ndarray) -> np.ndarray:
    """The last layer's gradient of each sample, weight and bias, in one row of C (D + 1) numbers."""
    rows = []
    for y, probabilities, h in zip(labels, p, features, strict=True):
        rows.append([(q - (c == y)) * x for c, q in enumerate(probabilities) for x in [*h, 1.0]])
    return np.array(rows)


def world(seed: int, n: int = 36, classes: int = 3, d: int = 5) -> tuple[np.ndarray, dict[str, Any]]:
    """Random labels, and the two signals that gradients of the last layer are made of."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.standard_normal((n, classes))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return rng.integers(0, classes, n), {"probability": p, "features": rng.standard_normal((n, d))}


def vectors(kind: str, labels: np.ndarray, signals: dict[str, Any]) -> np.ndarray:
    """What a similarity is taken of."""
    features = signals["features"]
    return written_out(labels, signals["probability"], features) if kind == "gradients" else features
