"""RS2 against counting: what a random round is, and what a cycled permutation promises (arXiv:2305.18424)."""

from itertools import combinations

import numpy as np
import pytest

from tests.oracles.courses import selected
from tests.oracles.worlds import SEEDS


def drawn(n: int, k: int, epochs: int, seed: int, cycle: bool) -> list[list[int]]:
    rounds = selected("rs2", np.zeros(n, dtype=int), k, epochs, seed=seed, params={"cycle": cycle})
    return [chosen.indices.tolist() for chosen in rounds]


def uneven(n: int, rounds: list[list[int]]) -> int:
    """The most by which two samples' presentations ever differ."""
    counts, worst = [0] * n, 0
    for picks in rounds:
        for i in picks:
            counts[i] += 1
        worst = max(worst, max(counts) - min(counts))
    return worst


def wrapped(n: int, k: int, epochs: int, seed: int) -> list[list[int]]:
    """A round that the permutation does not fill starts it again: the authors' code."""
    order, rounds, start = np.random.default_rng(seed).permutation(n), [], 0
    for _ in range(epochs):
        rounds.append([int(order[(start + j) % n]) for j in range(k)])
        start += k
        if start >= n:
            order, start = np.random.default_rng([seed, start]).permutation(n), 0
    return rounds


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cycle", [False, True])
def test_every_round_has_k_different_samples(seed: int, cycle: bool) -> None:
    rounds = drawn(23, 7, 12, seed, cycle)
    assert [len(set(picks)) for picks in rounds] == [7] * 12


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("n", "k"), [(20, 5), (23, 7), (10, 9), (10, 10), (7, 1)])
def test_a_cycle_presents_no_sample_twice_before_all_others_once(seed: int, n: int, k: int) -> None:
    assert uneven(n, drawn(n, k, 40, seed, cycle=True)) <= 1


def test_neither_independent_rounds_nor_a_wrapped_permutation_do() -> None:
    assert uneven(23, drawn(23, 7, 40, 0, cycle=False)) > 1
    assert uneven(23, wrapped(23, 7, 40, 0)) > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_cycle_is_training_on_all_data_cut_into_rounds(seed: int) -> None:
    rounds = drawn(20, 5, 12, seed, cycle=True)
    epochs = [[i for picks in rounds[start : start + 4] for i in picks] for start in range(0, 12, 4)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(20))] * 3
    assert epochs[0] != epochs[1] != epochs[2]


@pytest.mark.parametrize("cycle", [False, True])
def test_each_sample_is_as_likely_as_any(cycle: bool) -> None:
    counts = np.zeros(15)
    for seed in range(400):
        counts[drawn(15, 4, 1, seed, cycle)[0]] += 1
    assert np.abs(counts / 400 - 4 / 15).max() < 4.5 * np.sqrt(4 / 15 * 11 / 15 / 400)


def test_independent_rounds_overlap_as_by_chance() -> None:
    """Two random rounds of k of n share k^2 / n samples on average."""
    rounds = drawn(40, 10, 200, 3, cycle=False)
    shared = [len(set(a) & set(b)) for a, b in combinations(rounds, 2)]
    assert np.mean(shared) == pytest.approx(10 * 10 / 40, abs=0.05)
    assert len({tuple(sorted(picks)) for picks in rounds}) == 200
