"""CLD against loops over samples and epochs (arXiv:2508.20230)."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from methods import registry
from methods.api import Budget, Context, HeldOut, Signals
from methods.contract.planted import MISLABELLED, world_for
from methods.errors import CoresetBenchError
from tests.oracles.worlds import SEEDS, assert_highest


def context(labels: Any, loss: Any, held_out_labels: Any, held_out_loss: Any, seed: int = 0) -> Context:
    labels, epochs = np.asarray(labels), len(loss)
    aside = HeldOut(np.asarray(held_out_labels), Signals({"loss": np.asarray(held_out_loss)}, epochs))
    classes = int(labels.max()) + 1
    return Context(labels, classes, Signals({"loss": np.asarray(loss)}, epochs), np.random.default_rng(seed), aside)


def picks(given: Context, k: int, name: str = "cld") -> list[int]:
    return registry.run(registry.get(name), given, Budget(k, given.n)).indices.tolist()


def changes(trajectory: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(trajectory)]


def pearson(first: list[float], second: list[float]) -> float:
    if len(set(first)) < 2 or len(set(second)) < 2:
        return 0.0
    mean_1, mean_2 = math.fsum(first) / len(first), math.fsum(second) / len(second)
    together = math.fsum((a - mean_1) * (b - mean_2) for a, b in zip(first, second, strict=True))
    lengths = math.fsum((a - mean_1) ** 2 for a in first) * math.fsum((b - mean_2) ** 2 for b in second)
    return together / math.sqrt(lengths)


def slow(labels: list[int], loss: np.ndarray, aside: list[int], held_out: np.ndarray) -> list[float]:
    epochs, scores = len(loss), []
    for i, label in enumerate(labels):
        theirs = [j for j, c in enumerate(aside) if c == label] or list(range(len(aside)))
        mean = [math.fsum(float(held_out[t, j]) for j in theirs) / len(theirs) for t in range(epochs)]
        scores.append(pearson(changes([float(loss[t, i]) for t in range(epochs)]), changes(mean)))
    return scores


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("missing", [False, True])
def test_highest_correlation_within_each_class(seed: int, missing: bool) -> None:
    """Also where the held-out part lacks a class: all of it stands in."""
    rng = np.random.default_rng(seed)
    labels, aside = rng.integers(0, 3, 45), rng.integers(0, 2 if missing else 3, 20)
    loss = np.cumsum(rng.standard_normal((9, 45)), axis=0).astype(np.float32)
    held_out = np.cumsum(rng.standard_normal((9, 20)), axis=0).astype(np.float32)
    loss[:, 7] = 0.3  # never moves
    given = context(labels, loss, aside, held_out, seed)
    scores = slow(labels.tolist(), loss, aside.tolist(), held_out)
    np.testing.assert_allclose(registry.get("cld").score(given), scores, rtol=1e-6, atol=1e-9)  # type: ignore[attr-defined]
    assert_highest(picks(given, 14, "cld@high"), scores)
    chosen = picks(given, 14)
    for c in range(3):
        members = [i for i in range(45) if labels[i] == c]
        mine = [members.index(i) for i in chosen if labels[i] == c]
        assert abs(len(mine) - 14 * len(members) / 45) < 1
        assert_highest(mine, [scores[i] for i in members])


def test_differences_are_compared_and_not_trajectories() -> None:
    """Both fall, so that raw losses correlate; they fall at other times, so that their changes do not."""
    class_mean = np.array([4.0, 1.0, 0.9, 0.8, 0.7])
    late = np.array([4.0, 3.9, 3.8, 3.7, 0.7])
    early = np.array([2.0, 1.9, 1.89, 1.885, 1.88])
    assert np.corrcoef(late, class_mean)[0, 1] > 0.3
    given = context([0, 0], np.stack([late, early], axis=1), [0], class_mean[:, None])
    assert registry.get("cld").score(given)[0] < 0 < registry.get("cld").score(given)[1]  # type: ignore[attr-defined]
    assert picks(given, 1) == [1]


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_short_or_constant_trajectories_score_zero(epochs: int) -> None:
    """A single change has no correlation, nor has a steady one."""
    loss = np.linspace(1, 0.5, epochs)[:, None] * np.ones(6) if epochs < 3 else np.tile([[3.0], [2.0], [1.0]], 6)
    given = context([0, 0, 0, 1, 1, 1], loss, [0, 1], np.random.default_rng(0).random((epochs, 2)))
    assert registry.get("cld").score(given).tolist() == [0.0] * 6  # type: ignore[attr-defined]
    assert sorted(picks(given, 6)) == list(range(6))


def test_what_is_not_finite_is_refused() -> None:
    rng = np.random.default_rng(0)
    for spoilt in range(2):
        arrays = [rng.random((5, 6)), rng.random((5, 4))]
        arrays[spoilt][2, 3] = np.nan
        with pytest.raises(CoresetBenchError, match="NaN or infinite"):
            picks(context([0, 1] * 3, arrays[0], [0, 1] * 2, arrays[1]), 2)


def test_mislabelled_samples_correlate_least() -> None:
    """The method states no direction, since it keeps neither end."""
    world = world_for(("loss", "select.loss"))
    scores = registry.get("cld").score(world.context(0, "cld"))  # type: ignore[attr-defined]
    medians = {grade: np.median(scores[world.grades == grade]) for grade in set(world.grades.tolist())}
    assert min(medians, key=medians.__getitem__) == MISLABELLED
    kept = picks(world.context(0, "cld"), world.n // 5)
    assert (world.grades[kept] == MISLABELLED).mean() < 0.25 * (world.grades == MISLABELLED).mean()
