"""DUAL's score by windows and samples, and its draw (arXiv:2502.06905). The policy `beta` has its own oracle."""

import statistics

import numpy as np
import pytest

from methods.errors import CoresetBenchError
from tests.oracles.worlds import SEEDS, assert_highest, chosen, context


def difficulty(p: list[float], window: int) -> float:
    windows = [p[t : t + window] for t in range(len(p) - window + 1)] or [p]
    return sum(statistics.stdev(w) * (1 - statistics.mean(w)) for w in windows) / len(windows)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("epochs", "at", "read"), [(100, 0.15, 15), (90, 0.667, 61), (20, 0.15, 3), (5, 0.15, 2)])
def test_highest_scores_of_the_first_share_of_the_schedule(seed: int, epochs: int, at: float, read: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random((epochs, 30))
    given = context(rng.integers(0, 3, 30), {"label_probability": p}, epochs=epochs)
    scores = [difficulty(p[:read, i].tolist(), 10) for i in range(30)]
    assert_highest(chosen("dual@high", given, 12, {"at": at}), scores)


def test_only_the_first_share_is_read() -> None:
    p = np.random.default_rng(0).random((100, 30))
    late = p.copy()
    late[15:] = 0
    given = [context([0] * 30, {"label_probability": each}, epochs=100, seed=4) for each in (p, late)]
    assert chosen("dual", given[0], 9) == chosen("dual", given[1], 9)


def test_dual_draws_by_beta_and_each_generator_draws_anew() -> None:
    p = np.random.default_rng(0).random((100, 60))
    drawn = {
        tuple(sorted(chosen("dual", context([0] * 60, {"label_probability": p}, epochs=100, seed=s), 10)))
        for s in range(5)
    }
    assert len(drawn) == 5
    by_hand = chosen("dual@high+beta", context([0] * 60, {"label_probability": p}, epochs=100, seed=1), 10)
    assert by_hand == chosen("dual", context([0] * 60, {"label_probability": p}, epochs=100, seed=1), 10)


def test_published_exponents_belong_to_classes() -> None:
    p = np.random.default_rng(0).random((100, 1500))

    def picked(classes: int, **params: object) -> list[int]:
        labels = np.arange(1500) % classes
        return chosen("dual", context(labels, {"label_probability": p}, epochs=100, seed=2), 700, params)  # type: ignore[arg-type]

    for classes, c in ((10, 5.5), (100, 4.0), (1000, 11.0)):
        assert picked(classes, table="paper") == picked(classes, c=c)
        assert picked(classes, table="paper", c=2.0) == picked(classes, c=2.0)
    assert picked(100) == picked(100, c=5.0)
    assert picked(100) != picked(100, c=1.0)


def test_probabilities_at_the_ends_are_drawn_from() -> None:
    """The density is infinite or zero there; circulating code divides by an infinite sum."""
    p = np.zeros((100, 40))
    p[:, 20:] = 1.0
    p[0] = 0.5
    for k in (1, 20, 39, 40):
        picks = chosen("dual", context([0] * 40, {"label_probability": p}, epochs=100), k)
        assert len(set(picks)) == k


def test_one_epoch_tells_nothing_and_a_window_of_one_is_refused() -> None:
    given = context([0] * 6, {"label_probability": np.random.default_rng(0).random((1, 6))}, epochs=1)
    assert len(chosen("dual", given, 3)) == 3
    with pytest.raises(CoresetBenchError, match="take two at least"):
        chosen("dual", given, 3, {"window": 1})
