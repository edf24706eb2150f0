"""One family of comparisons over all regimes, and the ranks that follow from it."""

import numpy as np
import pytest

from benchmark.leaderboard.family import Contest, adjusted, rank_intervals
from benchmark.stats import holm, paired_p

RNG = np.random.default_rng(3)


def contest(means: dict[str, float], noise: float = 0.01, replicates: int = 5) -> Contest:
    return Contest({row: mean + noise * RNG.standard_normal(replicates) for row, mean in means.items()})


def test_the_family_is_all_pairs_of_all_contests() -> None:
    contests = {"a": contest({"x": 0.1, "y": 0.2, "z": 0.5}), "b": contest({"x": 0.3, "y": 0.3})}
    found = adjusted("pairs", contests, "x")
    assert found.comparisons == 4
    pairs = [("a", "x", "y"), ("a", "x", "z"), ("a", "y", "z"), ("b", "x", "y")]
    p = holm([paired_p(contests[key].values[i], contests[key].values[j]) for key, i, j in pairs])
    shown = {(key, j, i) for (key, i, j), each in zip(pairs, p, strict=True) if each < 0.05}
    assert {(key, *pair) for key, better in found.better.items() for pair in better} == shown


def test_a_larger_family_shows_less() -> None:
    """A difference that one comparison shows is lost among a thousand others."""
    edge = Contest({"x": np.array([0.010, 0.012, 0.011]), "y": np.array([0.0, 0.001, 0.0015])})
    assert adjusted("pairs", {"a": edge}, "x").better["a"] == {("x", "y")}
    null = {str(i): Contest({"x": RNG.standard_normal(3), "y": RNG.standard_normal(3)}) for i in range(1000)}
    assert adjusted("pairs", {"a": edge, **null}, "x").better["a"] == set()


def test_the_smaller_family_compares_with_the_baseline_alone() -> None:
    contests = {"a": contest({"x": 0.1, "y": 0.5, "z": 0.9})}
    found = adjusted("baseline", contests, "y")
    assert found.comparisons == 2
    assert found.better["a"] == {("y", "x"), ("z", "y"), ("z", "x")}  # the last follows from the others
    assert adjusted("baseline", contests, "not there").comparisons == 0


def test_too_few_replicates_show_nothing_and_count_for_nothing() -> None:
    found = adjusted("pairs", {"a": contest({"x": 0.1, "y": 0.9}, replicates=2)}, "x")
    assert (found.comparisons, found.better) == (0, {"a": frozenset()})


def test_ranks_are_what_is_surely_better_and_surely_worse() -> None:
    better = frozenset({("a", "b"), ("a", "c")})
    assert rank_intervals(["a", "b", "c"], better) == {"a": (1, 1), "b": (2, 3), "c": (2, 3)}
    assert rank_intervals(["a", "b"], frozenset()) == {"a": (1, 2), "b": (1, 2)}
    assert rank_intervals([], better) == {}


@pytest.mark.parametrize("spread", [0.0, 0.02])
def test_all_rank_intervals_hold_the_true_ranks_nearly_always(spread: float) -> None:
    """Ten rows in two regimes, all alike or apart: in 300 worlds at most 6 % have an interval that misses."""
    rng, truth = np.random.default_rng(7), spread * np.arange(10)
    missed = 0
    for _ in range(300):
        values = [truth[:, None] + 0.02 * rng.standard_normal((10, 5)) for _ in range(2)]
        contests = {str(i): Contest({str(row): table[row] for row in range(10)}) for i, table in enumerate(values)}
        found = adjusted("pairs", contests, "0")
        wrong = any(truth[int(a)] <= truth[int(b)] for better in found.better.values() for a, b in better)
        missed += wrong
    assert missed <= 0.06 * 300


def test_the_strictest_test_passes_for_any() -> None:
    found = adjusted("pairs", {"a": contest({"x": 0.1, "y": 0.2, "z": 0.5})}, "x")
    assert found.confidence == pytest.approx(1 - 0.05 / 3)
