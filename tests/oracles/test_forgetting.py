"""Forgetting against a walk through each sample's presentations (arXiv:1812.05159, algorithm 1)."""

from collections.abc import Callable

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


def without_infinity(correct: np.ndarray) -> np.ndarray:
    """The published fault: a sample that was never right has no events, and so counts as never forgotten."""
    return (correct[:-1] & ~correct[1:]).sum(axis=0)


def by_position(scores: np.ndarray, k: int) -> list[int]:
    """The published fault: equal counts are kept in the order of the file."""
    return np.argsort(-scores, kind="stable")[:k].tolist()


def test_never_learnt_counts_as_most_forgettable_and_not_as_zero() -> None:
    correct = np.array([[1, 0, 1, 0, 1, 0], [0] * 6, [1] * 6], dtype=bool).T
    assert without_infinity(correct).tolist() == [3, 0, 0]
    assert chosen("forgetting", context([0, 0, 0], {"correct": correct}), 3) == [1, 0, 2]


def test_learnt_late_and_kept_is_never_forgotten() -> None:
    correct = np.array([[0, 0, 0, 0, 0, 1], [0, 1, 1, 0, 1, 1]], dtype=bool).T
    assert chosen("forgetting", context([0, 0], {"correct": correct}), 1) == [1]


def test_ties_are_not_broken_by_index() -> None:
    """Of many never-forgotten samples the faulty order takes the first ones, whatever the generator."""
    correct = np.ones((5, 40), dtype=bool)

    def counted(pick: Callable[[int], list[int]]) -> np.ndarray:
        counts = np.zeros(40)
        for seed in range(200):
            counts[pick(seed)] += 1
        return abs(counts - 50).max() / np.sqrt(200 * 0.25 * 0.75)

    assert counted(lambda _: by_position(without_infinity(correct), 10)) > 20
    assert counted(lambda seed: chosen("forgetting", context([0] * 40, {"correct": correct}, seed=seed), 10)) < 5
