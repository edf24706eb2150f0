"""Temporal dual-depth scoring from raw probabilities, by walking through windows, steps and classes."""

from math import log, sqrt

import numpy as np
import pytest

from methods.errors import CoresetBenchError, UsageError
from methods.tdds import tdds
from tests.oracles.worlds import SEEDS, assert_highest, chosen, context


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def shift(now: list[float], before: list[float]) -> float:
    return sum(p * abs(log(p) - log(q)) for p, q in zip(now, before, strict=True))


def shifts(p: np.ndarray) -> np.ndarray:
    """[T, N] of probabilities [T, N, C]; the first row, which no method may read, is 9."""
    epochs, n, _ = p.shape
    later = [[shift(p[t, i].tolist(), p[t - 1, i].tolist()) for i in range(n)] for t in range(1, epochs)]
    return np.array([[9.0] * n, *later])


def naive(p: np.ndarray, i: int, trajectory: int, window: int, decay: float) -> float:
    """One sample's score from all its probabilities [T, C]."""
    window = min(window, trajectory)
    total = 0.0
    for start in range(trajectory - window + 1):
        v = [shift(p[t, i].tolist(), p[t - 1, i].tolist()) for t in range(start + 1, start + window)]
        mean = sum(v) / len(v)
        norm = sqrt(sum((step - mean) ** 2 for step in v))
        total += decay * (1 - decay) ** (trajectory - window - start) * norm
    return total


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("trajectory", "window", "decay"), [(20, 10, 0.9), (16, 4, 0.5), (6, 10, 0.9), (3, 3, 0.9), (12, 12, 1.0)]
)
def test_most_uneven_movement_first(seed: int, trajectory: int, window: int, decay: float) -> None:
    rng = np.random.default_rng(seed)
    p = softmax(rng.standard_normal((20, 30, 4)))
    given = context(rng.integers(0, 4, 30), {"probability_shift": shifts(p)}, epochs=20)
    scores = [naive(p, i, trajectory, window, decay) for i in range(30)]
    params = {"trajectory": trajectory / 20, "window": window, "decay": decay}
    assert_highest(chosen("tdds", given, 12, params), scores)


def test_windows_slide_and_the_last_counts_most() -> None:
    """The published fault: the same first window is read at every step."""
    calm_then_wild, wild_then_calm = [0.1] * 10 + [0.1, 2.0] * 5, [0.1, 2.0] * 5 + [0.1] * 10
    v = np.array([calm_then_wild, wild_then_calm]).T

    def never_slides(steps: np.ndarray) -> np.ndarray:
        first = steps[1:10] - steps[1:10].mean(axis=0)
        return sum(0.9 * 0.1**age * np.linalg.norm(first, axis=0) for age in range(len(steps) - 9))

    assert never_slides(v).argmax() == 1
    given = context([0, 0], {"probability_shift": v}, epochs=20)
    assert chosen("tdds", given, 1, {"trajectory": 1.0}) == [0]


def test_the_signal_is_of_probabilities_and_not_of_logits() -> None:
    """The published fault: the logarithm of raw logits, where negative ones are lost as NaN and replaced by 0."""
    import torch

    from methods.signals import get_signal
    from methods.signals.recorder import Memory

    logits = np.random.default_rng(0).standard_normal((3, 7, 4))
    wanted = shifts(softmax(logits))
    signal, memory = get_signal("probability_shift"), Memory("probability_shift", 7)
    found = np.zeros((3, 7))
    for epoch in range(3):
        order = np.random.default_rng(epoch).permutation(7)
        for ids in (order[:3], order[3:]):
            memory.turn_to(epoch, torch.tensor(ids))
            found[epoch, ids] = signal.function(torch.tensor(logits[epoch, ids]), memory).numpy()
    np.testing.assert_allclose(found[1:], wanted[1:], rtol=1e-4)
    assert (found[0] == 0).all()
    with np.errstate(invalid="ignore"):
        raw = np.abs(logits[1] * np.nan_to_num(np.log(logits[1]) - np.log(logits[0]))).sum(axis=1)
    assert not np.allclose(raw, wanted[1], rtol=0.1)


def test_probabilities_that_vanish_give_finite_shifts() -> None:
    import torch

    from methods.signals import get_signal
    from methods.signals.recorder import Memory

    memory = Memory("probability_shift", 1)
    for epoch, row in enumerate(([500.0, -500.0], [-500.0, 500.0])):
        memory.turn_to(epoch, torch.tensor([0]))
        found = get_signal("probability_shift").function(torch.tensor([row]), memory)
    assert found.item() == pytest.approx(1000, rel=1e-5)


def test_published_lengths_belong_to_classes_and_fractions() -> None:
    v = np.random.default_rng(1).random((200, 50))
    labels = np.arange(50)

    def picked(classes: int, k: int, **params: object) -> list[int]:
        given = context(np.append(labels[:-1], classes - 1), {"probability_shift": v}, epochs=200)
        return chosen("tdds", given, k, params)  # type: ignore[arg-type]

    for k, trajectory, window in ((35, 90, 10), (25, 70, 10), (15, 60, 20), (10, 20, 10), (5, 10, 5)):
        by_hand = {"trajectory": trajectory / 200, "window": window}
        assert picked(100, k, table="paper") == picked(100, k, **by_hand)
    assert picked(100, 10) == picked(100, 10, trajectory=30 / 200, window=10)
    with pytest.raises(UsageError, match=r'published for 60 classes .* use table="default"'):
        picked(60, 10, table="paper")


def test_schedules_too_short_and_parameters_that_say_nothing() -> None:
    for epochs in (1, 2, 3):
        given = context([0] * 8, {"probability_shift": np.random.default_rng(0).random((epochs, 8))}, epochs=epochs)
        assert len(chosen("tdds", given, 4)) == 4
    for params, words in (
        ({"window": 2}, "take three at least"),
        ({"decay": 0.0}, "decay is 0.0"),
        ({"trajectory": 1.5}, "share 1.5 of the schedule"),
    ):
        with pytest.raises(CoresetBenchError, match=words):
            chosen("tdds", given, 4, params)  # type: ignore[arg-type]


def test_a_short_schedule_is_three_presentations() -> None:
    v = np.random.default_rng(2).random((10, 20))
    given = context([0] * 20, {"probability_shift": v}, epochs=10)
    two = v[1:3]
    wanted = 0.9 * np.linalg.norm(two - two.mean(axis=0), axis=0)
    np.testing.assert_allclose(tdds.score(given), wanted)
