"""The least number of PGD steps that misclassify (arXiv:2010.01736), image by image."""

import numpy as np
import pytest
import torch
from torch import nn

from methods.signals.adversarial import pgd_steps, radius
from tests.oracles.attacks import iterates
from tests.oracles.networks import Perceptron, images
from tests.oracles.worlds import SEEDS, assert_highest, assert_lowest, chosen, context

SIDE, CLASSES = 3, 3


def with_std(net: nn.Module, std: list[float]) -> nn.Module:
    net.register_buffer("std", torch.tensor(std).view(-1, 1, 1))
    return net


def world(seed: int, std: float) -> tuple[Perceptron, nn.Module, np.ndarray, np.ndarray]:
    """Labels that the network mostly agrees with, and some that it does not."""
    net, x = Perceptron.drawn(seed, SIDE * SIDE, CLASSES), images(seed, 60, SIDE)
    y = np.array([int(np.argmax(net.logits(image.ravel()))) for image in x])
    y[:6] = (y[:6] + 1) % CLASSES
    return net, with_std(net.model().eval(), [std]), x, y


def recorded(model: nn.Module, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    images_, labels = torch.from_numpy(x), torch.from_numpy(y)
    with torch.no_grad():
        return pgd_steps(model, images_, labels, model(images_)).numpy()


def one_image(net: Perceptron, image: np.ndarray, label: int, epsilon: float) -> int:
    for step, here in enumerate(iterates(net, image, label, epsilon)):
        if int(np.argmax(net.logits(here))) != label:
            return step
    return 11


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("std", [0.25, 2.0])
def test_the_number_is_what_a_loop_over_single_images_counts(seed: int, std: float) -> None:
    net, model, x, y = world(seed, std)
    expected = [one_image(net, image, label, std / 8) for image, label in zip(x, y.tolist(), strict=True)]
    np.testing.assert_array_equal(recorded(model, x, y), expected)
    assert set(expected[:6]) == {0}


def test_early_late_and_never_occur() -> None:
    """Otherwise the test above would compare little."""
    found = {step for seed in SEEDS for step in recorded(*world(seed, 2.0)[1:]).tolist()}
    assert {0.0, 1.0, 2.0, 3.0, 11.0} <= found


def test_a_count_that_includes_the_clean_image_is_noticed() -> None:
    """An off-by-one: the clean image counted as a step."""
    net, model, x, y = world(0, 2.0)
    faulty = [min(one_image(net, image, label, 0.25) + 1, 11) for image, label in zip(x, y.tolist(), strict=True)]
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(recorded(model, x, y), faulty)


def test_the_radius_follows_from_the_model_and_nothing_else() -> None:
    model = nn.Linear(1, 1)
    assert radius(model) == pytest.approx(8 / 255)
    assert radius(with_std(model, [0.2470, 0.2435, 0.2616])) == pytest.approx(0.0313, abs=1e-4)  # CIFAR-10


def test_the_batch_changes_nothing() -> None:
    _, model, x, y = world(1, 1.0)
    apart = [recorded(model, x[i : i + 1], y[i : i + 1])[0] for i in range(len(x))]
    np.testing.assert_array_equal(recorded(model, x, y), apart)


@pytest.mark.parametrize("grad", [True, False])
def test_model_mode_gradients_and_random_state_stay(grad: bool) -> None:
    _, model, pixels, labels = world(0, 1.0)
    x, y = torch.from_numpy(pixels), torch.from_numpy(labels)
    model(x).sum().backward()
    before = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    state, kept = torch.get_rng_state(), x.clone()
    with torch.set_grad_enabled(grad):
        steps = pgd_steps(model, x, y, model(x).detach())
        assert torch.is_grad_enabled() is grad
    assert not steps.requires_grad
    assert not x.requires_grad
    assert torch.equal(x, kept)
    assert not model.training
    assert all(torch.equal(p.grad, b) for p, b in zip(model.parameters(), before, strict=True) if p.grad is not None)
    assert torch.equal(torch.get_rng_state(), state)


def test_a_diverged_proxy_is_refused_in_words() -> None:
    _, model, x, y = world(0, 1.0)
    with torch.no_grad():
        model.head.bias[1] = torch.nan  # type: ignore[union-attr,index]
    steps = recorded(model, x, y)
    assert np.isnan(steps).all()
    with pytest.raises(Exception, match="'pgd-steps' scored 60 samples as NaN or infinite"):
        chosen("pgd-steps", context(y, {"pgd_steps": steps}), 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_ends_can_be_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = rng.integers(0, 12, 50).astype(np.float32)
    given = {"pgd_steps": steps}
    assert_lowest(chosen("pgd-steps", context([0, 1] * 25, given, seed=seed), 17), steps.tolist())
    assert_highest(chosen("pgd-steps@high", context([0, 1] * 25, given, seed=seed), 17), steps.tolist())


def test_the_generator_orders_equal_samples() -> None:
    given = {"pgd_steps": np.ones(30, dtype=np.float32)}
    first, second = (chosen("pgd-steps", context([0] * 30, given, seed=seed), 5) for seed in (0, 1))
    assert first != second
