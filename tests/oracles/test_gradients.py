"""The factored algebra of last-layer gradients against gradients that are written out, and against autograd."""

import numpy as np
import pytest
import torch

from methods.errors import CoresetBenchError
from methods.gradients import LastLayer
from tests.oracles import sets
from tests.oracles.sets import written_out
from tests.oracles.worlds import SEEDS, context


def world(seed: int, n: int = 17) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels, signals = sets.world(seed, n, classes=4)
    return labels, signals["probability"], signals["features"]


def gradients(labels: np.ndarray, p: np.ndarray, features: np.ndarray) -> LastLayer:
    return LastLayer.of(context(labels, {"probability": p, "features": features}).signals, labels)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gradient_of_each_sample_is_what_autograd_finds(seed: int) -> None:
    labels, _, features = world(seed)
    torch.manual_seed(seed)
    head = torch.nn.Linear(5, 4).double()
    h, y = torch.from_numpy(features), torch.from_numpy(labels)
    probability = head(h).softmax(dim=1).detach().numpy()
    for i, given in enumerate(written_out(labels, probability, features)):
        loss = torch.nn.functional.cross_entropy(head(h[i : i + 1]), y[i : i + 1])
        weight, bias = torch.autograd.grad(loss, (head.weight, head.bias))
        np.testing.assert_allclose(given.reshape(4, 6), np.column_stack([weight, bias]), atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_products_norms_and_distances(seed: int) -> None:
    labels, p, features = world(seed)
    made, g = gradients(labels, p, features), written_out(labels, p, features)
    some = np.array([3, 0, 11])
    np.testing.assert_allclose(made.inner(made[some]), g @ g[some].T, atol=1e-12)
    np.testing.assert_allclose(made.squares(), (g**2).sum(axis=1), atol=1e-12)
    far = np.array([[((a - b) ** 2).sum() for b in g[some]] for a in g])
    np.testing.assert_allclose(made.squared_distances(made[some]), far, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_sums_and_what_lies_along_them(seed: int) -> None:
    labels, p, features = world(seed)
    made, g = gradients(labels, p, features), written_out(labels, p, features)
    weights = np.random.default_rng(seed).random(len(labels))
    total = made.total(weights)
    np.testing.assert_allclose(total.ravel(), weights @ g, atol=1e-12)
    np.testing.assert_allclose(made.along(total), g @ (weights @ g), atol=1e-12)


def test_a_gradient_does_not_depend_on_who_else_is_in_the_batch() -> None:
    """The published fault: gradients of a mean-reduced loss inflate the samples of a short last batch."""
    labels, p, features = world(0, n=10)

    def of_a_mean(batches: list[slice]) -> np.ndarray:
        return np.concatenate([written_out(labels[b], p[b], features[b]) / len(labels[b]) for b in batches])

    ragged = (of_a_mean([slice(0, 8), slice(8, 10)]) ** 2).sum(axis=1)
    whole, parts = gradients(labels, p, features).squares(), [slice(0, 8), slice(8, 10)]
    ours = np.concatenate([gradients(labels[b], p[b], features[b]).squares() for b in parts])
    np.testing.assert_allclose(ours, whole, atol=1e-12)
    assert not np.allclose(ragged / ragged.sum(), whole / whole.sum())


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["probability", "features"])
def test_what_is_not_finite_is_refused_by_name(name: str, value: float) -> None:
    labels, p, features = world(0)
    arrays = {"probability": p, "features": features}
    arrays[name][3, 1] = value
    with pytest.raises(CoresetBenchError, match=f"'{name}' is NaN or infinite for 1 of 17 samples .first: 3"):
        LastLayer.of(context(labels, arrays).signals, labels)
