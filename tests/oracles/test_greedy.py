"""Facility location against naive greedy, ties and all; matrices over all pairs; the shares of classes."""

from fractions import Fraction

import numpy as np
import pytest

from methods import greedy
from methods.api import Budget, Integers
from tests.oracles.worlds import SEEDS, context


def naive(similarity: np.ndarray, k: int) -> list[int]:
    """Every gain at every step, in fractions; the first of equal ones."""
    rows = [[Fraction(float(s)) for s in row] for row in similarity]
    covered, picks = [Fraction(0)] * len(rows), []
    for _ in range(k):
        gains = [sum(max(s - c, Fraction(0)) for s, c in zip(row, covered, strict=True)) for row in rows]
        picks.append(max((j for j in range(len(rows)) if j not in picks), key=lambda j: gains[j]))
        covered = [max(s, c) for s, c in zip(rows[picks[-1]], covered, strict=True)]
    return picks


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("levels", [2, 4, 2**40])
def test_gains_kept_up_to_date_pick_what_naive_greedy_picks(seed: int, levels: int) -> None:
    """With few levels of similarity many gains are equal."""
    upper = np.triu(np.random.default_rng(seed).integers(0, levels, (16, 16)) / levels, 1)
    similarity = (upper + upper.T + np.eye(16)).astype(np.float32)
    assert greedy.facility_location_order(similarity, 16).tolist() == naive(similarity, 16)


@pytest.mark.parametrize("seed", range(8))
def test_gains_that_are_equal_are_found_equal(seed: int) -> None:
    """Those of two samples nearest to each other, (1 - c_i) + (s_ij - c_j); float32 rounds one of them up."""
    points = np.random.default_rng(seed).standard_normal((16, 2))
    similarity = np.exp(-np.linalg.norm(points[:, None] - points, axis=2)).astype(np.float32)
    assert greedy.facility_location_order(similarity, 16).tolist() == naive(similarity, 16)


def test_all_samples_alike_are_taken_in_their_order() -> None:
    assert greedy.facility_location_order(np.ones((6, 6), dtype=np.float32), 6).tolist() == list(range(6))
    assert greedy.facility_location_order(np.zeros((6, 6), dtype=np.float32), 6).tolist() == list(range(6))


@pytest.mark.parametrize(("rows", "block"), [(23, 1), (23, 23 * 5), (23, 23 * 23), (23, 10**6), (1, 1)])
def test_blocks_make_up_the_matrix(rows: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The published fault applies the batch's offset twice: every batch but the first is empty."""
    monkeypatch.setattr(greedy, "BLOCK", block)
    points = np.random.default_rng(0).standard_normal((rows, 3))
    product = points @ points.T
    matrix = greedy.all_pairs(lambda some, others: points[some] @ points[others].T, rows)
    np.testing.assert_allclose(matrix[:], product, rtol=1e-6)
    np.testing.assert_array_equal(matrix[:], matrix[:].T)
    parts = list(greedy.blocks(rows, rows))
    assert np.concatenate([np.arange(rows)[part] for part in parts]).tolist() == list(range(rows))
    twice = [slice(i * part.stop, (i + 1) * part.stop) for i, part in enumerate(parts)]
    assert block >= rows**2 or np.concatenate([np.arange(rows)[part] for part in twice]).tolist() != list(range(rows))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("block", [1, 30 * 7, 10**6])
def test_a_matrix_too_large_to_be_held_is_computed_as_it_is_read(
    seed: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same picks; a multiple of 1/8 is the same number however it is computed."""
    monkeypatch.setattr(greedy, "BLOCK", block)
    points = np.random.default_rng(seed).integers(0, 4, (30, 3)) / 8
    picks, kinds = [], []
    for held in (29, 30):
        monkeypatch.setattr(greedy, "HELD", held)
        matrix = greedy.all_pairs(lambda some, others: 2 - ((points[some, None] - points[others]) ** 2).sum(axis=2), 30)
        kinds.append(type(matrix))
        picks.append(greedy.facility_location_order(matrix, 30).tolist())
    assert kinds == [greedy.Computed, np.ndarray]
    assert picks[0] == picks[1] == naive(np.array(matrix), 30)


@pytest.mark.parametrize("ahead", [1, 3, 50])
def test_rows_ahead_are_those_asked_for(ahead: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(greedy, "AHEAD", ahead)
    rng = np.random.default_rng(0)
    matrix, likely = rng.standard_normal((20, 20)), rng.integers(0, 3, 20).astype(float)
    rows = greedy.Ahead(matrix)
    for _ in range(60):
        sample = int(rng.choice(np.flatnonzero(likely == likely.max())))
        assert rows.row(sample, likely).tolist() == matrix[sample].tolist()
        likely[sample] -= rng.integers(0, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_classes_share_an_exact_budget_and_keep_their_order(seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat([0, 1, 2, 4], [31, 31, 137, 1]))
    asked: dict[int, tuple[list[int], int]] = {}

    def last_first(members: Integers, k: int) -> Integers:
        asked[int(labels[members[0]])] = members.tolist(), k
        return np.arange(len(members))[::-1][:k]

    picks = greedy.within_classes(context(labels, seed=seed), Budget(100, 200), last_first).tolist()
    assert len(set(picks)) == 100
    assert abs(np.bincount(labels[picks], minlength=5) - np.array([15.5, 15.5, 68.5, 0, 0.5])).max() <= 1
    for c, (members, k) in asked.items():
        assert sorted(members) == np.flatnonzero(labels == c).tolist()
        assert [i for i in picks if labels[i] == c] == members[::-1][:k]
    fewer = greedy.within_classes(context(labels, seed=seed), Budget(37, 200), last_first).tolist()
    assert fewer == picks[:37]
