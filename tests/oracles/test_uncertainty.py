"""Least confidence, entropy, margin and loss of the last epoch (arXiv:1906.11829)."""

import math

import numpy as np
import pytest

from methods.errors import CoresetBenchError
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
@pytest.mark.parametrize("classes", [2, 5])
def test_largest_entropy_and_smallest_margin_first(seed: int, classes: int) -> None:
    rng = np.random.default_rng(seed)
    probability = np.array([softmax(row) for row in (3 * rng.standard_normal((50, classes))).tolist()])
    probability[3] = np.eye(classes)[1]  # certain: no entropy, where 0 log 0 is 0
    probability = probability.astype(np.float32)
    entropies, margins = [], []
    for row in probability.tolist():
        entropies.append(-math.fsum(p * math.log(p) for p in row if p > 0))
        best, second = sorted(row, reverse=True)[:2]
        margins.append(best - second)
    given = context(rng.integers(0, classes, 50), {"probability": probability}, seed=seed)
    for k in (1, 17, 50):
        assert_highest(chosen("entropy", given, k), entropies)
        assert_lowest(chosen("margin", given, k), margins)


def test_the_three_disagree_where_they_should() -> None:
    """A close call of two among three, and a guess among three whose first is a little ahead."""
    given = context([0, 1, 2], {"probability": [[0.5, 0.48, 0.02], [0.42, 0.29, 0.29], [0.9, 0.05, 0.05]]})
    assert chosen("margin", given, 1) == [0]
    assert chosen("entropy", given, 1) == chosen("least-confidence", given, 1) == [1]


@pytest.mark.parametrize("name", ["least-confidence", "entropy", "margin"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_probability_is_refused(name: str, value: float) -> None:
    probability = np.full((4, 3), 1 / 3)
    probability[2, 1] = value
    with pytest.raises(CoresetBenchError, match="NaN or infinite"):
        chosen(name, context([0, 1, 2, 0], {"probability": probability}), 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_largest_loss_of_the_last_epoch_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loss = rng.exponential(size=(6, 50))
    given = context(rng.integers(0, 3, 50), {"loss": loss})
    last = [float(loss[5, i]) for i in range(50)]
    assert_highest(chosen("loss", given, 17), last)
    assert_lowest(chosen("loss@low", given, 17), last)
