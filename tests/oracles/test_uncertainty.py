"""Least confidence and loss of the last epoch (arXiv:1906.11829)."""

import numpy as np
import pytest

from tests.oracles.worlds import SEEDS, assert_highest, assert_lowest, chosen, context


def softmax(logits: list[float]) -> list[float]:
    powers = [np.exp(z - max(logits)) for z in logits]
    return [float(p / sum(powers)) for p in powers]


@pytest.mark.parametrize("seed", SEEDS)
def test_least_confident_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    probability = [softmax(row) for row in (3 * rng.standard_normal((50, 5))).tolist()]
    given = context(rng.integers(0, 5, 50), {"probability": np.array(probability, dtype=np.float32)})
    assert_highest(chosen("least-confidence", given, 17), [1 - max(np.float32(p) for p in row) for row in probability])


def test_confidence_is_a_probability_and_no_logit() -> None:
    """The published fault: the largest logit ranks these two the other way round."""
    logits = [[9.0, 8.9], [4.0, 0.0]]
    assert max(logits[0]) > max(logits[1])
    probability = [softmax(row) for row in logits]
    assert chosen("least-confidence", context([0, 1], {"probability": probability}), 1) == [0]


@pytest.mark.parametrize("seed", SEEDS)
def test_largest_loss_of_the_last_epoch_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loss = rng.exponential(size=(6, 50))
    given = context(rng.integers(0, 3, 50), {"loss": loss})
    last = [float(loss[5, i]) for i in range(50)]
    assert_highest(chosen("loss", given, 17), last)
    assert_lowest(chosen("loss@low", given, 17), last)
