"""D2 against dense matrices, loops and a full search each step (arXiv:2310.07931)."""

from itertools import pairwise
from math import exp
from statistics import median

import numpy as np
import pytest

from methods.errors import CoresetBenchError, UsageError
from tests.oracles.worlds import SEEDS, chosen, context


def world(seed: int, counts: tuple[int, ...] = (30, 30, 30), seeds: int = 0, scale: float = 1.0, classes: int = 0):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    n = len(labels)
    arrays = {
        "features": scale * rng.standard_normal((n, 5)),
        "correct": rng.random((9, n)) < rng.random(n),
        "probability_margin": rng.uniform(-1, 1, (9, n)),
    }
    return context(np.append(labels[:-1], classes - 1) if classes else labels, arrays, epochs=9, seed=seeds)


def forgotten(history: list[bool]) -> float:
    if not any(history):
        return float(len(history))
    return float(sum(before and not now for before, now in pairwise(history)))


def graphs(features: np.ndarray, members: list[list[int]], k: int) -> dict[tuple[int, int], float]:
    """The scaled distance of every pair of neighbours, both ways."""
    apart: dict[tuple[int, int], float] = {}
    for own in members:
        for i in own:
            others = sorted((float(np.linalg.norm(features[i] - features[j])), j) for j in own if j != i)
            apart |= {(i, j): d for d, j in others[:k]}
    scale = median(apart.values())
    return {pair: d / scale for (i, j), d in apart.items() for pair in ((i, j), (j, i))}


def naive(given, share: float, k: int, gamma: float, budgets: list[int], difficulty: str = "forgetting"):
    """The picks of each class in their order."""
    signals, labels = given.signals, given.labels
    margin = [float(np.mean(column)) for column in signals.probability_margin.astype(float).T]
    if difficulty == "forgetting":
        s = [forgotten(list(column)) for column in signals.correct.T]
    else:
        s = [max(margin) - m for m in margin]
    hardest_first = sorted(range(len(labels)), key=lambda i: margin[i])
    kept = hardest_first[int(share * len(labels) + 1e-9) :]
    members = [[i for i in kept if labels[i] == c] for c in range(given.num_classes)]
    apart = graphs(signals.features.astype(float), members, k)
    picks = []
    for own, budget in zip(members, budgets, strict=True):
        x = {i: s[i] + sum(exp(-apart[i, j]) * s[j] for j in own if (i, j) in apart) for i in own}
        taken: list[int] = []
        while len(taken) < budget:
            best = max((i for i in own if i not in taken), key=lambda i: x[i])
            taken.append(best)
            for j in own:
                if (best, j) in apart and j not in taken:
                    x[j] -= exp(-gamma * apart[best, j]) * x[best]
        picks.append(taken)
    return picks


def by_class(given, picks: list[int]) -> list[list[int]]:
    return [[i for i in picks if given.labels[i] == c] for c in range(given.num_classes)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("difficulty", ["forgetting", "aum"])
@pytest.mark.parametrize(("share", "k", "gamma"), [(0.0, 5, 0.1), (0.2, 3, 1.0), (0.1, 4, 0.0)])
def test_the_same_picks_in_the_same_order_within_each_class(
    seed: int, difficulty: str, share: float, k: int, gamma: float
) -> None:
    given = world(seed)
    params = {"beta": share, "neighbours": k, "gamma": gamma, "difficulty": difficulty}
    picks = by_class(given, chosen("d2", given, 24, params))
    budgets = [len(own) for own in picks]
    assert budgets == [8, 8, 8]
    assert picks == naive(given, share, k, gamma, budgets, difficulty)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_scale_of_features_changes_nothing(scale: float) -> None:
    assert chosen("d2", world(0, scale=scale), 24) == chosen("d2", world(0), 24)
    assert exp(-1e6) == 0  # of raw distances no message would be left


def test_messages_pass_between_margins_too() -> None:
    """The published fault: margins are negated, then held above 0, so that no neighbour says anything."""
    given = world(1)
    margin = given.signals.probability_margin.mean(axis=0)
    members = [np.flatnonzero(given.labels == c).tolist() for c in range(3)]
    apart = graphs(given.signals.features, members, 5)

    def faulty(own: list[int], budget: int) -> list[int]:
        s = {i: -(margin[i] - margin.min()) for i in own}
        x = {i: s[i] + sum(exp(-apart[i, j]) * max(s[j], 1e-7) for j in own if (i, j) in apart) for i in own}
        alone = sorted(own, key=lambda i: -s[i])
        assert sorted(own, key=lambda i: -x[i]) == alone  # difficulty alone decides where to start
        return alone[:budget]

    params = {"difficulty": "aum", "beta": 0.0}
    picks = by_class(given, chosen("d2", given, 9, params))
    assert picks == naive(given, 0.0, 5, 0.1, [3, 3, 3], "aum")
    assert [own[0] for own in picks] != [faulty(own, 1)[0] for own in members]


def test_a_pick_discounts_its_neighbours() -> None:
    """Two tight clusters: one pick of each before a second of either, however much harder one cluster is."""
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 0.01, (6, 2)), 5 + rng.normal(0, 0.01, (6, 2))])
    correct = np.zeros((9, 12), dtype=bool)
    correct[::2, :6] = True  # forgotten four times
    correct[::4, 6:] = True  # forgotten twice
    arrays = {"features": features, "correct": correct, "probability_margin": np.zeros((9, 12))}
    for seed in range(5):
        given = context([0] * 12, arrays, epochs=9, seed=seed)
        picks = chosen("d2", given, 2, {"beta": 0.0, "gamma": 0.0})
        assert sorted(i // 6 for i in picks) == [0, 1]


def test_classes_share_evenly_what_is_left() -> None:
    given = world(2, counts=(4, 40, 60))
    picks = chosen("d2", given, 50, {"beta": 0.0})
    assert np.bincount(given.labels[picks]).tolist() == [4, 23, 23]


def test_published_parameters_belong_to_classes() -> None:
    for k in (9, 40):
        paper = chosen("d2", world(0, counts=(45, 45), classes=10), k, {"table": "paper"})
        by_hand = {"neighbours": 5, "gamma": 0.1, "beta": 0.4}
        assert paper == chosen("d2", world(0, counts=(45, 45), classes=10), k, by_hand)
    rule = {"neighbours": 5, "gamma": 0.1, "beta": 0.4 * 0.9**2}
    assert chosen("d2", world(0), 9) == chosen("d2", world(0), 9, rule)
    with pytest.raises(UsageError, match=r"published for 3 classes \(only for 10, 1000\)"):
        chosen("d2", world(0), 9, {"table": "paper"})


def test_parameters_and_signals_that_say_nothing_are_refused() -> None:
    for params, words in (
        ({"neighbours": -1}, "number of neighbours is -1"),
        ({"difficulty": "loss"}, "Unknown value of d2's 'difficulty'"),
        ({"beta": 2.0}, "share 'beta' is 2.0"),
    ):
        with pytest.raises(CoresetBenchError, match=words):
            chosen("d2", world(0), 9, params)  # type: ignore[arg-type]


def test_equal_samples_are_left_to_the_generator() -> None:
    arrays = {
        "features": np.zeros((40, 3)),
        "correct": np.ones((4, 40), dtype=bool),
        "probability_margin": np.ones((4, 40)),
    }
    counts = np.zeros(40)
    for seed in range(200):
        counts[chosen("d2", context([0] * 40, arrays, epochs=4, seed=seed), 10)] += 1
    assert abs(counts - 50).max() < 5 * np.sqrt(200 * 0.25 * 0.75)
