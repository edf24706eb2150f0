"""The margin of probabilities under PGD (arXiv:2106.07904), image by image."""

import numpy as np
import pytest
import torch
from torch import nn

from methods.signals.adversarial import adversarial_margin
from tests.oracles.attacks import iterates, softmax
from tests.oracles.networks import Perceptron, images
from tests.oracles.worlds import SEEDS, assert_highest, assert_lowest, chosen, context

SIDE, CLASSES, STD = 3, 4, 0.8


def world(seed: int) -> tuple[Perceptron, nn.Module, np.ndarray, np.ndarray]:
    net, x = Perceptron.drawn(seed, SIDE * SIDE, CLASSES), images(seed, 40, SIDE)
    model = net.model().eval()
    model.register_buffer("std", torch.full((1, 1, 1), STD, dtype=torch.float64))
    return net, model, x, np.random.default_rng(seed).integers(0, CLASSES, 40)


def recorded(model: nn.Module, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    with torch.no_grad():
        return adversarial_margin(model, torch.from_numpy(x), torch.from_numpy(y)).numpy()


def margin(net: Perceptron, image: np.ndarray, label: int) -> float:
    p = softmax(net.logits(image.ravel()))
    return float(p[label] - max(p[c] for c in range(CLASSES) if c != label))


def one_image(net: Perceptron, image: np.ndarray, label: int) -> float:
    return margin(net, iterates(net, image, label, STD / 8)[-1], label)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_margin_is_what_a_loop_over_single_images_finds(seed: int) -> None:
    net, model, x, y = world(seed)
    expected = [one_image(net, image, label) for image, label in zip(x, y.tolist(), strict=True)]
    np.testing.assert_allclose(recorded(model, x, y), expected, rtol=1e-6, atol=1e-9)


def test_it_is_not_the_margin_of_the_clean_image() -> None:
    """PM-nat is another one of the paper's margins; the attack lowers it."""
    net, model, x, y = world(0)
    clean = np.array([margin(net, image, label) for image, label in zip(x, y.tolist(), strict=True)])
    assert (recorded(model, x, y) < clean).mean() > 0.9


def test_the_batch_changes_nothing() -> None:
    _, model, x, y = world(1)
    apart = [recorded(model, x[i : i + 1], y[i : i + 1])[0] for i in range(len(x))]
    np.testing.assert_allclose(recorded(model, x, y), apart, rtol=1e-9)


@pytest.mark.parametrize("grad", [True, False])
def test_model_mode_gradients_and_random_state_stay(grad: bool) -> None:
    _, model, pixels, labels = world(0)
    x, y = torch.from_numpy(pixels), torch.from_numpy(labels)
    model(x).sum().backward()
    before = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    state, kept = torch.get_rng_state(), x.clone()
    with torch.set_grad_enabled(grad):
        margins = adversarial_margin(model, x, y)
        assert torch.is_grad_enabled() is grad
    assert not margins.requires_grad
    assert torch.equal(x, kept)
    assert not model.training
    assert all(torch.equal(p.grad, b) for p, b in zip(model.parameters(), before, strict=True) if p.grad is not None)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_diverged_proxy_is_refused_in_words() -> None:
    _, model, x, y = world(0)
    with torch.no_grad():
        model.head.bias[1] = torch.nan  # type: ignore[union-attr,index]
    margins = recorded(model, x, y)
    assert np.isnan(margins).all()
    with pytest.raises(Exception, match="'adv-margin' scored 40 samples as NaN or infinite"):
        chosen("adv-margin", context(y, {"adversarial_margin": margins}), 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_ends_can_be_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    margins = rng.uniform(-1, 1, 50).astype(np.float32)
    given = context(rng.integers(0, 3, 50), {"adversarial_margin": margins}, seed=seed)
    assert_lowest(chosen("adv-margin", given, 17), margins.tolist())
    assert_highest(chosen("adv-margin@high", given, 17), margins.tolist())
