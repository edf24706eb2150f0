"""ACS against gradients of TRADES by finite differences and greedy searches over batches (arXiv:2112.00378)."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import nnls

from methods.acs import batch_gradients
from methods.api import Coreset, Signals
from methods.dynamics import TrainingContext
from methods.errors import UsageError
from tests.oracles.courses import generator, selected
from tests.oracles.worlds import SEEDS

N, C, D, SIZE, K, EPOCHS = 30, 3, 4, 5, 10, 10
BETA = 6.0


def softmax(z: np.ndarray) -> np.ndarray:
    p = np.exp(z - z.max())
    return p / p.sum()


def world(seed: int) -> dict[str, Any]:
    """Labels, features of images and of adversarial ones, and the head of a model, its bias in the last column."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((N, D))
    return {
        "labels": rng.integers(0, C, N),
        "features": features,
        "attacked_features": features + 0.4 * rng.standard_normal((N, D)),
        "head": rng.standard_normal((C, D + 1)),
    }


def trades(head: np.ndarray, h: np.ndarray, h_attacked: np.ndarray, y: int, beta: float = BETA) -> float:
    """CE(z, y) + beta KL(p || p') of one sample."""
    p, q = (softmax(head @ np.append(x, 1.0)) for x in (h, h_attacked))
    return float(-np.log(p[y]) + beta * sum(a * (np.log(a) - np.log(b)) for a, b in zip(p, q, strict=True)))


def signals(values: dict[str, Any], beta: float = BETA, again: float = 1.0) -> dict[str, np.ndarray]:
    """The derivatives in closed form. `again` is what a faulty version multiplies those of the KL by once more."""
    clean, attacked, probability = np.zeros((N, C)), np.zeros((N, C)), np.zeros((N, C))
    for i in range(N):
        z, z_attacked = (values["head"] @ np.append(values[f][i], 1.0) for f in ("features", "attacked_features"))
        p, q = softmax(z), softmax(z_attacked)
        probability[i] = p
        divergence = float(np.sum(p * np.log(p / q)))
        clean[i] = p - np.eye(C)[values["labels"][i]] + again * beta * p * (np.log(p / q) - divergence)
        attacked[i] = again * beta * (q - p)
    shared = {name: values[name] for name in ("features", "attacked_features")}
    return {"clean_error": clean, "attacked_error": attacked, "probability": probability, **shared}


def numeric(values: dict[str, Any], i: int, step: float = 1e-6) -> np.ndarray:
    """The gradient of one sample's objective in the head, by central differences, [C, D + 1]."""
    gradient = np.zeros((C, D + 1))
    for c in range(C):
        for d in range(D + 1):
            moved = []
            for sign in (1, -1):
                head = values["head"].copy()
                head[c, d] += sign * step
                moved.append(trades(head, values["features"][i], values["attacked_features"][i], values["labels"][i]))
            gradient[c, d] = (moved[0] - moved[1]) / (2 * step)
    return gradient


def vectors(values: dict[str, Any], batches: list[np.ndarray], given: dict[str, np.ndarray]) -> np.ndarray:
    """What the method makes of it: [M, C (D + 1)], the bias first."""
    context = TrainingContext(values["labels"], C, Signals(given, 1), np.random.default_rng(0))
    return batch_gradients(context, batches, logits_only=False).errors


@pytest.mark.parametrize("seed", SEEDS)
def test_a_batch_s_gradient_is_that_of_trades_with_beta_once(seed: int) -> None:
    values = world(seed)
    batches = np.array_split(np.random.default_rng(seed).permutation(N), 4)
    by_hand = [np.mean([numeric(values, int(i)) for i in batch], axis=0) for batch in batches]
    expected = np.stack([np.concatenate([g[:, -1], g[:, :-1].ravel()]) for g in by_hand])
    np.testing.assert_allclose(vectors(values, batches, signals(values)), expected, atol=1e-6)
    twice = vectors(values, batches, signals(values, again=BETA))  # the published fault
    assert np.abs(twice - expected).max() > 0.1 * np.abs(expected).max()


def written_out(given: dict[str, np.ndarray], batch: np.ndarray, with_weight: bool) -> np.ndarray:
    total = np.zeros(C * (D + 1 if with_weight else 1))
    for i in batch:
        e, a = given["clean_error"][i], given["attacked_error"][i]
        parts = [e + a]
        if with_weight:
            parts += [(np.outer(e, given["features"][i]) + np.outer(a, given["attacked_features"][i])).ravel()]
        total += np.concatenate(parts) / len(batch)
    return total


def course(seed: int, given: dict[str, np.ndarray], values: dict[str, Any], **params: Any) -> list[Coreset]:
    return selected("acs", values["labels"], K, EPOCHS, [given], seed, {"batch": SIZE, **params})


def batches_of(seed: int, epoch: int) -> list[np.ndarray]:
    return np.array_split(generator(seed, epoch).permutation(N), N // SIZE)


def first_cold(rounds: list[Coreset]) -> int:
    return next(epoch for epoch, chosen in enumerate(rounds) if len(chosen.indices) == K)


@pytest.mark.parametrize("seed", SEEDS)
def test_craig_picks_the_batches_nearest_to_all_and_weighs_them_by_their_followers(seed: int) -> None:
    values = world(seed)
    given = signals(values)
    rounds = course(seed, given, values)
    epoch = first_cold(rounds)
    batches = batches_of(seed, epoch)
    g = [written_out(given, batch, with_weight=False) for batch in batches]
    d = [[float(np.sqrt(np.sum((a - b) ** 2))) for b in g] for a in g]
    furthest = max(max(row) for row in d)
    picks: list[int] = []
    for _ in range(K // SIZE):
        rest = [m for m in range(len(g)) if m not in picks]
        picks.append(max(rest, key=lambda m: sum(max(furthest - d[i][j] for j in [*picks, m]) for i in range(len(g)))))
    followers = [min(picks, key=lambda j: (d[i][j], i != j)) for i in range(len(g))]
    assert rounds[epoch].indices.tolist() == [int(i) for m in picks for i in batches[m]]
    assert rounds[epoch].weights is not None
    assert rounds[epoch].weights.tolist() == [float(followers.count(m)) for m in picks for _ in batches[m]]


@pytest.mark.parametrize("seed", SEEDS)
def test_gradmatch_picks_the_batches_whose_gradients_add_up_to_all(seed: int) -> None:
    values = world(seed)
    given = signals(values)
    rounds = course(seed, given, values, base="gradmatch")
    epoch = first_cold(rounds)
    batches = batches_of(seed, epoch)
    g = np.stack([written_out(given, batch, with_weight=True) for batch in batches])
    target, picks, weights = g.sum(axis=0), [], np.zeros(0)
    for _ in range(K // SIZE):
        residual = target - weights @ g[picks]
        picks.append(max((m for m in range(len(g)) if m not in picks), key=lambda m: float(g[m] @ residual)))
        weights, _ = nnls(g[picks].T, target)
    assert rounds[epoch].indices.tolist() == [int(i) for m in picks for i in batches[m]]
    assert rounds[epoch].weights is not None
    np.testing.assert_allclose(rounds[epoch].weights, np.repeat(weights, SIZE), rtol=1e-3)


def test_beta_twice_chooses_otherwise() -> None:
    """The published fault moves the choice, and not only the numbers."""
    differ = 0
    for seed in range(20):
        values = world(seed)
        right, wrong = (course(seed, signals(values, again=again), values) for again in (1.0, BETA))
        differ += set(right[-1].indices.tolist()) != set(wrong[-1].indices.tolist())
    assert differ >= 5


WARM = [(0.6, [30, 30]), (0.5, [30, 20]), (0.2, [20]), (0.0, []), (0.95, [30, 30, 30])]


@pytest.mark.parametrize(("kappa", "expected"), WARM)
def test_a_warm_start_spends_on_all_data_what_its_rounds_would(kappa: float, expected: list[int]) -> None:
    values = world(0)
    rounds = course(0, signals(values), values, kappa=kappa)
    sizes = [len(chosen.indices) for chosen in rounds]
    cold = EPOCHS - int(kappa * EPOCHS)
    assert sizes == expected + [K] * cold
    assert sum(sizes) == K * EPOCHS
    for chosen in rounds[: len(expected)]:
        assert chosen.weights is not None
        assert set(chosen.weights.tolist()) == {1.0}


REFRESHES = [(0.2, 0.6, [0, 2]), (0.1, 0.6, [0, 1, 2, 3]), (0.3, 0.0, [3, 6, 9])]


@pytest.mark.parametrize(("every", "kappa", "moments"), REFRESHES)
def test_it_re_selects_right_after_the_warm_start_and_at_every_refresh(
    every: float, kappa: float, moments: list[int]
) -> None:
    values = world(1)
    rounds = course(1, signals(values), values, every=every, kappa=kappa)
    warm = len(rounds) - (EPOCHS - int(kappa * EPOCHS))
    changed = [
        index
        for index in range(len(rounds) - warm)
        if warm + index > 0 and rounds[warm + index].indices.tolist() != rounds[warm + index - 1].indices.tolist()
    ]
    assert changed == moments


def test_a_round_has_exactly_k_samples_whatever_the_batches() -> None:
    values = world(2)
    for batch, k in ((7, 10), (4, 11), (30, 9), (1, 6), (50, 30)):
        rounds = selected("acs", values["labels"], k, 5, [signals(values)], 0, {"batch": batch, "kappa": 0.4})
        assert {len(set(chosen.indices.tolist())) for chosen in rounds[-2:]} == {k}


def test_impossible_parameters_are_refused() -> None:
    values = world(0)
    for params, words in (
        ({"base": "glister"}, "Unknown value of acs's 'base'"),
        ({"kappa": 1.0}, "0 <= kappa < 1"),
        ({"batch": 0}, "batches of 1 or more"),
        ({"every": 0.0}, "'every' is 0"),
    ):
        with pytest.raises(UsageError, match=words):
            course(0, signals(values), values, **params)
