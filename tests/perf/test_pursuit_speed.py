"""Matching pursuit beside DeepCore's structure, on one class: the same picks, and the same objective."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from methods import registry
from methods.api import Budget, Context, Floats, Integers, Signals
from tests.perf import baselines_submodular as baselines

N, CLASSES, WIDTH, PICKS = 5_000, 10, 512, 500
LAM = 0.5
GROUP = f"matching pursuit, n = {N:,}, D = {CLASSES * (WIDTH + 1):,}, k = {PICKS:,}"


@pytest.fixture(scope="module")
def signals() -> dict[str, Any]:
    """One class of ten, as an uncertain proxy sees it."""
    rng = np.random.default_rng(0)
    powers = np.exp(rng.standard_normal((N, CLASSES), dtype=np.float32))
    features = np.maximum(rng.standard_normal((N, WIDTH), dtype=np.float32), 0)
    return {"probability": powers / powers.sum(axis=1, keepdims=True), "features": features}


def written_out(signals: dict[str, Any]) -> Floats:
    """e (x) [h, 1] in float32, [D, n]; each sample's gradient lies in one piece."""
    errors = signals["probability"].copy()
    errors[:, 0] -= 1
    features = np.pad(signals["features"], ((0, 0), (0, 1)), constant_values=1)
    return np.einsum("nc,nd->ncd", errors, features).reshape(len(errors), -1).T


def ours(signals: dict[str, Any]) -> tuple[Integers, Floats]:
    context = Context(np.zeros(N, dtype=np.int64), CLASSES, Signals(signals, 1), np.random.default_rng(0))
    coreset = registry.run(registry.get("gradmatch", {"lam": LAM}), context, Budget(PICKS, N))
    assert coreset.weights is not None
    return coreset.indices, coreset.weights


@pytest.mark.parametrize("who", ["ours", "baseline"])
def test_pursuit(
    who: str,
    signals: dict[str, Any],
    compare: Callable[..., Any],
    answers: dict[tuple[str, str], Any],
    bandwidth: float,
) -> None:
    gradients = written_out(signals)
    ridge = LAM * float((gradients**2).sum(axis=0).mean())

    def slow() -> tuple[Integers, Floats]:
        return baselines.matching_pursuit(gradients, PICKS, ridge)

    if who == "baseline":
        picks, weights = compare(GROUP, who, slow, rounds=1)
    else:
        # Every pick reads both factors of all gradients and the products of all picks before it, in float64.
        floor = 8 * N * PICKS * (CLASSES + WIDTH + PICKS / 2) / bandwidth
        picks, weights = compare(GROUP, who, lambda: ours(signals), target=10, floor=floor)
    other = answers.get((GROUP, "ours"))
    if who == "baseline" and other is not None:

        def objective(picks: Integers, weights: Floats) -> float:
            missed = gradients.sum(axis=1, dtype=np.float64) - gradients[:, picks].astype(np.float64) @ weights
            return float(missed @ missed + ridge * weights @ weights)

        assert objective(picks, weights) == pytest.approx(objective(*other), rel=1e-5)
