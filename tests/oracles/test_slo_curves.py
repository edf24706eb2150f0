"""Input curvature against single images, and against a network whose Hessian is known (Garg and Roy 2023)."""

import math
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from methods.signals import get_signal
from methods.signals.recorder import Recorder
from tests.oracles.snapshots import Network, batches, convolutional, loss_of, perceptron, random_images
from tests.oracles.worlds import SEEDS, assert_lowest, chosen, context

STEP, DIRECTIONS = 1e-3, 10


def gradient(model: Any, x: Tensor, label: int) -> Tensor:
    x = x.clone().requires_grad_()
    return torch.autograd.grad(loss_of(model, x, label), x)[0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("network", [perceptron, convolutional])
def test_ten_differences_of_gradients_image_by_image(seed: int, network: Any) -> None:
    torch.manual_seed(seed)
    model, (x, y) = network().eval(), random_images(seed)
    with torch.no_grad():
        model.head.weight.mul_(4)
    exact, function = deepcopy(model).double(), get_signal("input_curvature").function
    images = x.clone().requires_grad_()
    (given,) = torch.autograd.grad(nn.functional.cross_entropy(model(images), y, reduction="sum"), images)
    recorded = function(model, x, y, given, torch.Generator().manual_seed(seed)).numpy()
    generator = torch.Generator().manual_seed(seed)
    signs = [2.0 * torch.randint(0, 2, x.shape[1:], generator=generator) - 1 for _ in range(DIRECTIONS)]
    assert {float(value) for image in signs for value in image.flatten()} == {-1.0, 1.0}
    for i in range(len(x)):
        image, label = x[i : i + 1].double(), int(y[i])
        distances = [
            math.dist(
                gradient(exact, image + STEP * sign, label).flatten().tolist(),
                gradient(exact, image, label).flatten().tolist(),
            )
            for sign in signs
        ]
        assert recorded[i] == pytest.approx(math.fsum(distances) / DIRECTIONS, rel=2e-2, abs=1e-6)
    assert np.ptp(recorded) > 1e-4


def test_a_linear_network_s_hessian() -> None:
    """grad loss(x + h v) - grad loss(x) is h H v with H = W' (diag p - p p') W, up to h squared."""
    torch.manual_seed(4)
    model, (x, y) = Network(nn.Flatten(), 16), random_images(4)
    recorder = Recorder([get_signal("input_curvature")], len(x), 1, seed=3)
    recorder.snapshot(0, batches(x, y, 5), model)
    weight, bias = (p.detach().double().numpy() for p in (model.head.weight, model.head.bias))
    rng = np.random.default_rng(0)
    for image, value in zip(x.double().numpy(), recorder.arrays()["input_curvature"], strict=True):
        powers = np.exp(weight @ image.ravel() + bias)
        p = powers / powers.sum()
        hessian = weight.T @ (np.diag(p) - np.outer(p, p)) @ weight
        lengths = [np.linalg.norm(hessian @ rng.choice([-1.0, 1.0], 16)) for _ in range(2000)]
        error = 4 * np.std(lengths) / math.sqrt(DIRECTIONS)  # of a mean of ten draws
        assert abs(value / STEP - np.mean(lengths)) < error


def test_a_proxy_s_directions_are_its_own_and_shared_by_its_samples() -> None:
    torch.manual_seed(5)
    model, (x, y) = Network(nn.Flatten(), 16), random_images(5)
    x, y = x[:1].expand(6, -1, -1, -1), y[:1].expand(6)

    def recorded(seed: int) -> np.ndarray:
        recorder = Recorder([get_signal("input_curvature")], 6, 1, seed=seed)
        recorder.snapshot(0, batches(x, y, 4), model)
        return recorder.arrays()["input_curvature"]

    np.testing.assert_allclose(recorded(0), recorded(0)[0], rtol=1e-4)
    assert abs(recorded(0)[0] / recorded(1)[0] - 1) > 1e-3


@pytest.mark.parametrize("seed", SEEDS)
def test_lowest_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    curvature = rng.gamma(0.5, 1.0, 50).astype(np.float32)
    given = context(rng.integers(0, 4, 50), {"input_curvature": curvature}, seed=seed)
    for k in (1, 13, 50):
        assert_lowest(chosen("slo-curves", given, k), curvature.tolist())
