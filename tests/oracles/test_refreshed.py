"""Refreshed CRAIG and GradMatch: the static method of the moment, at the right moments."""

from typing import Any

import numpy as np
import pytest

from methods import registry
from methods.api import Budget, Context, Coreset, Signals
from tests.oracles.courses import generator, selected
from tests.oracles.worlds import SEEDS

NAMES = {"craig-refreshed": "craig", "gradmatch-refreshed": "gradmatch"}


def moment(seed: int, epoch: int, labels: np.ndarray) -> dict[str, Any]:
    """What the model shows before an epoch: another model each time."""
    rng = np.random.default_rng([seed, epoch, 5])
    logits = rng.standard_normal((len(labels), 3)) + 2 * np.eye(3)[labels]
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return {"probability": probability, "features": rng.standard_normal((len(labels), 4))}


def static(name: str, labels: np.ndarray, signals: dict[str, Any], k: int, seed: int, epoch: int) -> Coreset:
    context = Context(labels, 3, Signals(signals, 1), generator(seed, epoch))
    return registry.run(registry.get(name), context, Budget(k, len(labels)))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("epochs", "every", "length"), [(10, 0.3, 3), (20, 0.1, 2), (6, 0.1, 1), (5, 1.0, 5)])
def test_a_choice_is_that_of_its_refresh_and_is_kept_until_the_next(
    name: str, seed: int, epochs: int, every: float, length: int
) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2], [13, 12, 11]))
    signals = [moment(seed, epoch, labels) for epoch in range(epochs)]
    rounds = selected(name, labels, 9, epochs, signals, seed, {"every": every})
    assert len(rounds) == epochs
    for epoch, found in enumerate(rounds):
        latest = epoch // length * length
        if latest == 0:
            assert found.indices.tolist() == generator(seed, 0).permutation(36)[:9].tolist()
            assert found.weights is not None
            assert found.weights.tolist() == [1.0] * 9
            continue
        expected = static(NAMES[name], labels, signals[latest], 9, seed, latest)
        stale = static(NAMES[name], labels, signals[latest - length], 9, seed, latest)
        assert found.indices.tolist() == expected.indices.tolist() != stale.indices.tolist()
        np.testing.assert_array_equal(found.weights, expected.weights)
