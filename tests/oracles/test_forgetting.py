"""Forgetting against a walk through each sample's presentations (arXiv:1812.05159, algorithm 1)."""

import numpy as np
import pytest

from tests.oracles.worlds import SEEDS, assert_highest, assert_lowest, chosen, context


def forgotten(history: list[bool]) -> float:
    if True not in history:
        return float(len(history))  # never learnt: more than any count of events
    events, before = 0, False
    for now in history:
        events += before and not now
        before = now
    return float(events)


@pytest.mark.parametrize("seed", SEEDS)
def test_most_forgotten_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    correct = rng.random((9, 60)) < rng.random(60)
    given = context(rng.integers(0, 3, 60), {"correct": correct})
    scores = [forgotten(correct[:, i].tolist()) for i in range(60)]
    for k in (1, 20, 60):
        assert_highest(chosen("forgetting", given, k), scores)
        assert_lowest(chosen("forgetting@low", given, k), scores)


def test_never_learnt_counts_as_most_forgettable_and_not_as_zero() -> None:
    correct = np.array([[1, 0, 1, 0, 1, 0], [0] * 6, [1] * 6], dtype=bool).T
    assert chosen("forgetting", context([0, 0, 0], {"correct": correct}), 3) == [1, 0, 2]


def test_ties_are_not_broken_by_index() -> None:
    """The published fault: of many never-forgotten samples the first ones are taken."""
    counts = np.zeros(40)
    for seed in range(200):
        counts[chosen("forgetting", context([0] * 40, {"correct": np.ones((5, 40), dtype=bool)}, seed=seed), 10)] += 1
    assert abs(counts - 50).max() < 5 * np.sqrt(200 * 0.25 * 0.75)
