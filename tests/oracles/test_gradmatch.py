"""GradMatch against a pursuit that writes every gradient out and solves all weights anew (arXiv:2103.00123)."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import nnls

from methods import registry
from methods.api import Budget, Context, Coreset
from methods.errors import CoresetBenchError
from methods.gradients import LastLayer
from methods.gradmatch import Fit, pursue
from tests.oracles.worlds import SEEDS, chosen, context

NO_RIDGE = 1e-6


def world(seed: int, n: int = 40, classes: int = 3, width: int = 4, sure: float = 2.0) -> dict[str, Any]:
    """Labels, and what a proxy that is mostly right gives: probabilities and features of either sign."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    logits = rng.standard_normal((n, classes)) + sure * np.eye(classes)[labels]
    probability = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return {"labels": labels, "probability": probability, "features": rng.standard_normal((n, width))}


def given(values: dict[str, Any], seed: int = 0) -> Context:
    return context(values["labels"], {name: values[name] for name in ("probability", "features")}, seed=seed)


def answer(values: dict[str, Any], k: int, seed: int = 0, **params: float | bool) -> Coreset:
    shown = given(values, seed)
    return registry.run(registry.get("gradmatch", params), shown, Budget(k, shown.n))


def written_out(values: dict[str, Any]) -> np.ndarray:
    """Every sample's last-layer gradient as one long row."""
    rows = []
    for p, h, y in zip(values["probability"], values["features"], values["labels"], strict=True):
        error = [p[c] - (1 if c == y else 0) for c in range(len(p))]
        rows.append([e * x for e in error for x in [*h, 1.0]])
    return np.array(rows)


def weights_of(rows: np.ndarray, target: np.ndarray, ridge: float) -> np.ndarray:
    """argmin over w >= 0 of || rows^T w - target ||^2 + ridge ||w||^2, by SciPy."""
    tall = np.vstack([rows.T, np.sqrt(ridge) * np.eye(len(rows))])
    return nnls(tall, np.concatenate([target, np.zeros(len(rows))]))[0]


def naive(rows: np.ndarray, target: np.ndarray, k: int, lam: float) -> tuple[list[int], np.ndarray]:
    ridge = lam * np.mean([row @ row for row in rows])
    picks: list[int] = []
    weights = np.zeros(0)
    for _ in range(k):
        residual = target - weights @ rows[picks] if picks else target
        rest = [i for i in range(len(rows)) if i not in picks]
        best = max(rest, key=lambda i: rows[i] @ residual)
        picks.append(best)
        if rows[best] @ residual <= 1e-10 * max(abs(rows @ target)):
            weights = np.append(weights, 0.0)
        else:
            weights = weights_of(rows[picks], target, ridge)
    return picks, weights


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("lam", [0.5, 1e-3, NO_RIDGE])
@pytest.mark.parametrize("own_row", [False, True])
def test_the_same_picks_and_weights_within_each_class(seed: int, lam: float, own_row: bool) -> None:
    values = world(seed)
    coreset = answer(values, 15, seed, lam=lam, own_row=own_row)
    rows = written_out(values)
    for c in range(3):
        members = np.flatnonzero(values["labels"] == c)
        mine = values["labels"][coreset.indices] == c
        seen = rows[members][:, c * 5 : c * 5 + 5] if own_row else rows[members]
        picks, weights = naive(seen, seen.sum(axis=0), int(mine.sum()), lam)
        assert coreset.indices[mine].tolist() == members[picks].tolist()
        np.testing.assert_allclose(coreset.weights[mine], weights, rtol=1e-5, atol=1e-5)


def outer(gradients: LastLayer) -> np.ndarray:
    """Gradients written out."""
    pairs = zip(gradients.errors, gradients.features, strict=True)
    return np.array([[e * x for e in errors for x in [*features, 1.0]] for errors, features in pairs])


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("lam", [0.5, 0.01])
def test_weights_come_and_go_as_the_pursuit_goes_on(seed: int, lam: float) -> None:
    """Towards a target that is no sum of all, picks lose their weight and win it back, and the rest is filled up."""
    rng = np.random.default_rng(seed)
    gradients = LastLayer(rng.standard_normal((60, 3)), rng.standard_normal((60, 4)))
    target = 10 * rng.standard_normal((3, 5))
    picks, weights = pursue(gradients, target, 40, lam)
    wanted, solved = naive(outer(gradients), target.ravel(), 40, lam)
    assert picks.tolist() == wanted
    assert (weights == 0).any()
    np.testing.assert_allclose(weights, solved, atol=1e-9)


@pytest.mark.parametrize("room", [0, 60, 60 * 7, 60 * 39])
def test_rows_that_find_no_room_make_no_difference(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    gradients = LastLayer(rng.standard_normal((60, 3)), rng.standard_normal((60, 4)))
    target = 10 * rng.standard_normal((3, 5))
    picks, weights = pursue(gradients, target, 40, 0.5)
    monkeypatch.setattr("methods.gradmatch.ROOM", room)
    again, same = pursue(gradients, target, 40, 0.5)
    assert picks.tolist() == again.tolist()
    np.testing.assert_allclose(weights, same, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fit_is_a_minimum(seed: int) -> None:
    """Conditions of optimality: no weight negative, no gain in moving one that is positive, none in raising a zero."""
    rng = np.random.default_rng(seed)
    gradients = LastLayer(rng.standard_normal((30, 2)), rng.standard_normal((30, 3)))
    target, ridge = rng.standard_normal((2, 4)) * 10, 0.1
    wanted = gradients.along(target)
    fit = Fit(wanted, ridge, 30)
    while True:
        gain = gradients.along(target - gradients.total(fit.weights)) - ridge * fit.weights
        assert (fit.weights >= 0).all()
        np.testing.assert_allclose(gain[fit.weights > 0], 0, atol=1e-8)
        if gain.max() < 1e-8:
            break
        best = int(np.argmax(gain))
        fit.add(best, gradients[[best]].inner(gradients)[0])
    assert 2 < (fit.weights > 0).sum() < 30
    np.testing.assert_allclose(fit.weights, weights_of(outer(gradients), target.ravel(), ridge), atol=1e-8)


def test_each_pick_is_the_one_that_a_search_over_all_finds() -> None:
    """One pick: of all single samples none has a larger inner product with the target."""
    values = world(5, n=12, classes=2)
    values["labels"][:] = 1
    (pick,) = answer(values, 1).indices
    rows = written_out(values)
    products = [float(row @ rows.sum(axis=0)) for row in rows]
    assert products[pick] == max(products)


@pytest.mark.parametrize("seed", SEEDS)
def test_more_picks_never_fit_worse_and_all_of_them_fit(seed: int) -> None:
    values = world(seed, n=30)
    residuals = [answer(values, k, lam=NO_RIDGE).diagnostics["residual"] for k in (1, 3, 6, 12, 30)]
    assert residuals == sorted(residuals, reverse=True)
    assert residuals[-1] < 1e-3 < residuals[0]


def test_the_picks_nest_and_keep_their_order() -> None:
    """The published fault: indices come back sorted."""
    values = world(0, n=80)
    picks = answer(values, 40).indices.tolist()
    assert picks != sorted(picks)
    assert picks[:13] == answer(values, 13).indices.tolist()


def plain(rows: np.ndarray, k: int) -> set[int]:
    """Top-k of the inner product with the target: what no residual ever moved."""
    return set(np.argsort(-rows @ rows.sum(axis=0))[:k].tolist())


def swamped(rows: np.ndarray, k: int, batch: int) -> set[int]:
    """The published fault: lambda = 1 on gradients divided by a batch's size."""
    rows = rows / batch
    picks: list[int] = []
    residual = target = rows.mean(axis=0)
    for _ in range(k):
        rest = [i for i in range(len(rows)) if i not in picks]
        picks.append(max(rest, key=lambda i: rows[i] @ residual))
        rows_in = rows[picks]
        weights = np.linalg.solve(rows_in @ rows_in.T + np.eye(len(picks)), rows_in @ target)
        residual = target - weights @ rows_in
    return set(picks)


def test_the_ridge_does_not_swamp_the_gram_matrix() -> None:
    values = world(0, n=300, width=6)
    values["labels"][:] = 0
    rows = written_out(values)
    assert len(swamped(rows, 60, batch=128) & plain(rows, 60)) >= 58
    assert len(set(answer(values, 60).indices.tolist()) & plain(rows, 60)) < 50


def test_the_scale_of_the_gradients_decides_nothing() -> None:
    rng = np.random.default_rng(0)
    gradients = LastLayer(rng.standard_normal((50, 3)), rng.standard_normal((50, 4)))
    picks, weights = pursue(gradients, gradients.total(np.ones(50)), 20, 0.5)
    smaller = LastLayer(gradients.errors / 256, gradients.features)
    again, same = pursue(smaller, smaller.total(np.ones(50)), 20, 0.5)
    assert picks.tolist() == again.tolist()
    np.testing.assert_allclose(weights, same, rtol=1e-9)


def ragged(rows: np.ndarray, k: int, batch: int) -> list[int]:
    """The published fault: each gradient is divided by the size of the batch that it came in."""
    sizes = [min(batch, len(rows) - start) for start in range(0, len(rows), batch) for _ in rows[start : start + batch]]
    rows = rows / np.array(sizes)[:, None]
    return naive(rows, rows.sum(axis=0), k, 0.5)[0]


def test_no_batch_size_is_in_the_gradients() -> None:
    values = world(0, n=130)
    values["labels"][:] = 0
    assert sum(i >= 120 for i in ragged(written_out(values), 10, batch=120)) >= 6
    assert sum(i >= 120 for i in answer(values, 10).indices) <= 3


@pytest.mark.parametrize("k", [1, 2, 3, 7, 20, 39, 40])
def test_the_budget_is_exact_where_the_pursuit_ends_early(k: int) -> None:
    """The published fault: fewer than asked come back. Here two gradients of three kinds say all there is to say."""
    kinds = np.array([[0.6, 0.4], [0.9, 0.1], [1.0, 0.0]])  # the last one is exactly right and has no gradient
    kind = np.arange(40) % 3
    values = {"labels": np.zeros(40, dtype=int), "probability": kinds[kind], "features": np.ones((40, 2))}
    coreset = answer(values, k)
    assert len(set(coreset.indices.tolist())) == k
    assert (coreset.weights[kind[coreset.indices] == 2] == 0).all()
    assert (kind[coreset.indices[: min(k, 27)]] != 2).all()
    assert coreset.diagnostics["effective_size"] <= 27


def test_no_gradient_at_all_leaves_an_even_draw() -> None:
    labels = np.repeat([0, 1], 10)
    values = {"labels": labels, "probability": np.eye(2)[labels], "features": np.ones((20, 3))}
    coreset = answer(values, 6)
    assert coreset.weights.tolist() == [1.0] * 6
    assert coreset.diagnostics == {"effective_size": 0, "residual": 0.0}
    assert len({tuple(answer(values, 6, seed).indices.tolist()) for seed in range(5)}) > 1


def test_equal_gradients_share_the_weight() -> None:
    values = {"labels": np.zeros(12, dtype=int), "probability": np.full((12, 2), 0.5), "features": np.ones((12, 3))}
    coreset = answer(values, 4, lam=NO_RIDGE)
    np.testing.assert_allclose(coreset.weights, 3, rtol=1e-4)


def test_a_class_of_one_and_a_class_without_a_pick() -> None:
    values = world(0, n=30)
    values["labels"][:] = [0, *[1] * 29]
    coreset = answer(values, 30, lam=NO_RIDGE)
    assert coreset.weights[coreset.indices == 0] == pytest.approx(1, rel=1e-4)
    alone = answer(values, 1)
    assert alone.diagnostics["residual"] > 0


def test_what_cannot_be_used_is_refused_in_words() -> None:
    values = world(0)
    with pytest.raises(CoresetBenchError, match="'lam' is 0; give a number above 0"):
        answer(values, 5, lam=0.0)
    values["features"][3] = np.nan
    with pytest.raises(CoresetBenchError, match="'features' is NaN or infinite"):
        chosen("gradmatch", given(values), 5)
