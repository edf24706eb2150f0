"""GLISTER against a greedy search that takes every step of the last layer in full (arXiv:2012.10630)."""

from typing import Any

import numpy as np
import pytest

from methods import registry
from methods.api import Budget, Context, HeldOut, Signals
from methods.errors import CoresetBenchError
from tests.oracles.worlds import SEEDS

CLASSES = 3


def softmax(z: np.ndarray) -> np.ndarray:
    return np.exp(z) / np.exp(z).sum()


def world(seed: int, n: int = 40, m: int = 15, width: int = 4) -> dict[str, Any]:
    """A head with a bias, and features, labels and outputs of a train and of a held-out part."""
    rng = np.random.default_rng(seed)
    head = rng.standard_normal((CLASSES, width + 1))
    values: dict[str, Any] = {"head": head}
    for part, size in (("train", n), ("select", m)):
        features = rng.standard_normal((size, width))
        logits = np.array([head @ [*h, 1.0] for h in features])
        labels = np.array([int(np.argmax(z + rng.gumbel(size=CLASSES))) for z in logits])
        values[part] = {"features": features, "logits": logits, "labels": labels}
    return values


def given(values: dict[str, Any], seed: int = 0) -> Context:
    train, select = values["train"], values["select"]
    probability = np.array([softmax(z) for z in train["logits"]])
    own = Signals({"probability": probability, "features": train["features"]}, 0)
    aside = Signals({"logits": select["logits"], "features": select["features"]}, 0)
    rng = np.random.default_rng(seed)
    return Context(train["labels"], CLASSES, own, rng, HeldOut(select["labels"], aside))


def chosen(values: dict[str, Any], k: int, seed: int = 0, **params: float) -> list[int]:
    shown = given(values, seed)
    return registry.run(registry.get("glister", params), shown, Budget(k, shown.n)).indices.tolist()


def gradient(head: np.ndarray, h: np.ndarray, y: int) -> np.ndarray:
    """Of one sample's cross-entropy in the head and its bias."""
    error = softmax(head @ [*h, 1.0])
    error[y] -= 1
    return np.outer(error, [*h, 1.0])


def loss(head: np.ndarray, part: dict[str, Any]) -> float:
    pairs = zip(part["features"], part["labels"], strict=True)
    return float(np.mean([-np.log(softmax(head @ [*h, 1.0])[y]) for h, y in pairs]))


def naive(values: dict[str, Any], k: int, eta: float, update: bool = True) -> list[int]:
    """Greedy with a head that really moves; without `update`, the published fault."""
    train, select, head = values["train"], values["select"], values["head"].copy()
    step = eta / np.mean([h @ h + 1 for h in select["features"]])
    own = [gradient(values["head"], h, y) for h, y in zip(train["features"], train["labels"], strict=True)]
    picks: list[int] = []
    for _ in range(k):
        pairs = zip(select["features"], select["labels"], strict=True)
        towards = np.mean([gradient(head, h, y) for h, y in pairs], axis=0)
        rest = [i for i in range(len(own)) if i not in picks]
        picks.append(max(rest, key=lambda i: (own[i] * towards).sum()))
        if update:
            head -= step * own[picks[-1]]
    return picks


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("eta", [0.05, 1.0])
def test_the_same_picks_in_the_same_order(seed: int, eta: float) -> None:
    values = world(seed)
    assert chosen(values, 30, seed, eta=eta) == naive(values, 30, eta)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_rules_out_no_best_candidate(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lazy and not: the picks are those of computing every gain after every pick, whatever share is looked at."""
    values = world(seed, n=300)
    answers = []
    for few in (0.0, 0.25, 1.0):
        monkeypatch.setattr("methods.glister.FEW", few)
        answers.append(chosen(values, 120, eta=0.3))
    assert answers[0] == answers[1] == answers[2] == naive(values, 120, 0.3)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_validation_gradient_is_updated(seed: int) -> None:
    """The published fault: never updated, it is a plain top-k of the first gains."""
    values = world(seed, n=120)
    stale = naive(values, 40, 0.5, update=False)
    picks = chosen(values, 40, eta=0.5)
    assert picks[0] == stale[0]
    assert len(set(picks) & set(stale)) < 36
    assert picks != stale


@pytest.mark.parametrize("seed", SEEDS)
def test_a_step_along_the_picks_lowers_the_held_out_loss_more_than_one_along_stale_ones(seed: int) -> None:
    values, eta = world(seed, n=200, m=60), 0.5
    train, select = values["train"], values["select"]
    step = eta / np.mean([h @ h + 1 for h in select["features"]])

    def after(picks: list[int]) -> float:
        moves = [gradient(values["head"], train["features"][i], train["labels"][i]) for i in picks]
        return loss(values["head"] - step * np.sum(moves, axis=0), select)

    rng = np.random.default_rng(seed)
    by_chance = np.mean([after(rng.choice(200, 30, replace=False).tolist()) for _ in range(30)])
    picks = after(chosen(values, 30, eta=eta))
    assert picks < by_chance
    assert picks < after(naive(values, 30, eta, update=False))
    assert picks < loss(values["head"], select)


def test_one_pick_is_the_best_of_all() -> None:
    """Of all single samples, a small step along the pick lowers the held-out loss most."""
    values = world(3, n=20)
    train, select, head = values["train"], values["select"], values["head"]
    (pick,) = chosen(values, 1)
    after = [
        loss(head - 1e-6 * gradient(head, h, y), select)
        for h, y in zip(train["features"], train["labels"], strict=True)
    ]
    assert after[pick] == min(after)


def test_the_scale_of_the_features_does_not_decide_how_far_a_step_goes() -> None:
    """With the bias put aside, features ten times as large and a head ten times as small are the same network."""
    values = world(0, n=100)
    picks = chosen(values, 40, eta=0.5)
    for part in ("train", "select"):
        values[part] = values[part] | {"features": 1000 * values[part]["features"]}
    large = chosen(values, 40, eta=0.5)
    for part in ("train", "select"):
        values[part] = values[part] | {"features": 1000 * values[part]["features"]}
    assert large == chosen(values, 40, eta=0.5)
    assert len(set(picks) & set(large)) > 25


def test_the_greedy_order_is_kept() -> None:
    """The published fault: indices come back sorted."""
    values = world(0)
    picks = chosen(values, 20)
    assert picks != sorted(picks)
    assert picks[:7] == chosen(values, 7)


def test_samples_without_a_gradient_come_after_those_that_help() -> None:
    values = world(0, n=30)
    values["train"]["logits"][:10] = 200.0 * np.eye(CLASSES)[values["train"]["labels"][:10]]
    picks = chosen(values, 30)
    assert sorted(picks) == list(range(30))
    assert min(picks.index(i) for i in range(10)) > 3


def test_large_logits_do_not_overflow() -> None:
    values = world(0)
    values["select"]["logits"] = values["select"]["logits"] * 1e4
    assert len(chosen(values, 10)) == 10


def test_what_cannot_be_used_is_refused_in_words() -> None:
    values = world(0)
    with pytest.raises(CoresetBenchError, match="'eta' is 0; give a step above 0"):
        chosen(values, 5, eta=0.0)
    values["select"]["logits"][2] = np.inf
    with pytest.raises(CoresetBenchError, match="'logits' is NaN or infinite"):
        chosen(values, 5)
    nothing = world(0, m=1)
    nothing["select"] = {name: array[:0] for name, array in nothing["select"].items()}
    with pytest.raises(CoresetBenchError, match="needs held-out samples"):
        chosen(nothing, 5)
