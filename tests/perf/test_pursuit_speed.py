"""Matching pursuit beside DeepCore's structure, on one class: the same picks, and the same objective."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from methods import registry
from methods.api import Budget, Context, Floats, Integers, Signals
from tests.perf import baselines_submodular as baselines

CLASSES, WIDTH, LAM = 10, 512, 0.5
SIZE, BRIEF = (5_000, 500), (300, 40)  # the latter where nothing is timed


def uncertain(n: int) -> dict[str, Any]:
    """One class of ten, as an uncertain proxy sees it."""
    rng = np.random.default_rng(0)
    powers = np.exp(rng.standard_normal((n, CLASSES), dtype=np.float32))
    features = np.maximum(rng.standard_normal((n, WIDTH), dtype=np.float32), 0)
    return {"probability": powers / powers.sum(axis=1, keepdims=True), "features": features}


def written_out(signals: dict[str, Any]) -> Floats:
    """e (x) [h, 1] in float32, [D, n]; each sample's gradient lies in one piece."""
    errors = signals["probability"].copy()
    errors[:, 0] -= 1
    features = np.pad(signals["features"], ((0, 0), (0, 1)), constant_values=1)
    return np.einsum("nc,nd->ncd", errors, features).reshape(len(errors), -1).T


def ours(signals: dict[str, Any], k: int) -> tuple[Integers, Floats]:
    n = len(signals["features"])
    context = Context(np.zeros(n, dtype=np.int64), CLASSES, Signals(signals, 1), np.random.default_rng(0))
    coreset = registry.run(registry.get("gradmatch", {"lam": LAM}), context, Budget(k, n))
    assert coreset.weights is not None
    return coreset.indices, coreset.weights


@pytest.mark.parametrize("who", ["ours", "baseline"])
def test_pursuit(
    who: str,
    benchmark: BenchmarkFixture,
    compare: Callable[..., Any],
    answers: dict[tuple[str, str], Any],
    bandwidth: float,
) -> None:
    n, k = BRIEF if benchmark.disabled else SIZE
    signals = uncertain(n)
    group = f"matching pursuit, n = {n:,}, D = {CLASSES * (WIDTH + 1):,}, k = {k:,}"
    if who == "ours":
        # Every pick reads both factors of all gradients and the products of all picks before it, in float64.
        floor = 8 * n * k * (CLASSES + WIDTH + k / 2) / bandwidth
        compare(group, who, lambda: ours(signals, k), target=10, floor=floor)
        return
    gradients = written_out(signals)
    ridge = LAM * float((gradients**2).sum(axis=0).mean())
    picks, weights = compare(group, who, lambda: baselines.matching_pursuit(gradients, k, ridge), rounds=1)
    ours_picks, ours_weights = answers[group, "ours"] if (group, "ours") in answers else ours(signals, k)
    target = gradients.sum(axis=1, dtype=np.float64)

    def objective(picks: Integers, weights: Floats) -> float:
        missed = target - gradients[:, picks].astype(np.float64) @ weights
        return float(missed @ missed + ridge * weights @ weights)

    assert objective(picks, weights) == pytest.approx(objective(ours_picks, ours_weights), rel=1e-5)
    assert picks.tolist() == ours_picks.tolist()
