"""Lemma 1 by hand: the gradients of a small network written out in NumPy, and the bound where it is known."""

import numpy as np
import pytest
import torch

from benchmark.experiments.lemma import Sides, inverse_norm, sides
from benchmark.models import build
from benchmark.models.classifier import Classifier
from methods.errors import CoresetBenchError

SHAPE, CLASSES = (2, 2, 2), 3
MEAN, STD = (0.4, 0.6), (0.2, 0.3)


def drawn(seed: int, n: int) -> tuple[Classifier, torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.random((n, *SHAPE), dtype=np.float32))
    return build("mlp", CLASSES, SHAPE, MEAN, STD, seed), x, torch.from_numpy(rng.integers(0, CLASSES, n))


def by_hand(model: Classifier, x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Both sides from the chain rule, one image at a time, with the pseudo-inverse as NumPy has it."""
    w1, b1, w2, b2 = (p.detach().double().numpy() for p in model.parameters())
    mean, std = (np.repeat(np.float64(np.float32(v)), 4) for v in (MEAN, STD))
    images = (x.double().flatten(1).numpy() - mean) / std
    by_input, by_weight = [], np.zeros_like(w1)
    for image, label in zip(images, y.tolist(), strict=True):
        before = w1 @ image + b1
        logits = w2 @ np.maximum(before, 0) + b2
        p = np.exp(logits - logits.max())
        error = p / p.sum() - np.eye(CLASSES)[label]
        delta = (w2.T @ error) * (before > 0)
        by_input.append(w1.T @ delta)
        by_weight += np.outer(delta, image)
    constant = np.linalg.norm(w1) * np.linalg.norm(np.linalg.pinv(images))
    return float(np.linalg.norm(by_input)), float(constant * np.linalg.norm(by_weight))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [1, 3, 8])
def test_both_sides_are_those_of_the_chain_rule(seed: int, n: int) -> None:
    model, x, y = drawn(seed, n)
    found, (left, right) = sides(model, x, y), by_hand(model, x, y)
    assert found.left == pytest.approx(left, rel=1e-6)
    assert found.right == pytest.approx(right, rel=1e-6)
    assert found.applies
    assert found.holds
    assert found.ratio >= 1


def test_the_network_is_left_as_it_was() -> None:
    model, x, y = drawn(0, 4)
    model.train()
    sides(model, x, y)
    assert model.training
    assert next(model.parameters()).dtype == torch.float32
    assert all(p.grad is None for p in model.parameters())


def test_it_is_tight_for_one_image_and_one_neuron() -> None:
    """|| w delta || = || w || / || x ||  times  || delta x ||."""
    model, x, y = drawn(1, 1)
    first = model.body[1]
    with torch.no_grad():
        first.weight[1:] = 0
        first.bias[1:] = -1
        first.bias[0] = 100.0  # it is on
    assert sides(model, x, y).ratio == pytest.approx(1, rel=1e-9)


def test_two_equal_images_leave_it_empty() -> None:
    model, x, y = drawn(0, 4)
    x[2] = x[0]
    assert not sides(model, x, y).applies


def test_more_images_than_pixels_leave_it_empty() -> None:
    assert not sides(*drawn(0, 9)).applies


@pytest.mark.parametrize("rank", [2, 3])
def test_where_it_is_empty_no_constant_would_do(rank: int) -> None:
    """Dependent images: weights' gradients cancel while images' do not."""
    rng = np.random.default_rng(rank)
    base = rng.standard_normal((rank, 6))
    images = np.vstack([base, base.sum(axis=0)])  # the last is a combination of the others
    delta = np.ones((2, rank + 1)) * np.array([*[1.0] * rank, -1.0])
    assert np.linalg.norm(delta @ images) < 1e-12  # grad_W1
    assert np.linalg.norm(delta) > 1  # and so grad_X = W1^T delta
    assert inverse_norm(images) == np.inf


def test_the_inverse_of_independent_images() -> None:
    assert inverse_norm(np.diag([2.0, 4.0])) == pytest.approx((1 / 4 + 1 / 16) ** 0.5)
    assert inverse_norm(np.zeros((1, 3))) == np.inf


def test_convolutions_are_none_of_its_business() -> None:
    model = build("cnn-tiny", CLASSES, (1, 8, 8), (0.5,), (0.2,), 0)
    with pytest.raises(CoresetBenchError, match="dense"):
        sides(model, torch.rand(2, 1, 8, 8), torch.tensor([0, 1]))


def test_a_bound_that_is_too_small_does_not_hold() -> None:
    assert not Sides(1.0, 0.999).holds
    assert Sides(1.0, float("inf")).holds
    assert Sides(0.0, 0.0).holds
