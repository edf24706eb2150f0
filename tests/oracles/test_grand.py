"""GraNd of the whole network: closed forms, a network that cannot be vectorised, and the mean over proxies."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.oracles.snapshots import (
    CLASSES,
    N,
    Network,
    batches,
    convolutional,
    loss_of,
    one_by_one,
    perceptron,
    random_images,
    snapshot,
)
from tests.oracles.worlds import SEEDS, assert_highest, chosen, context


def norm_by_autograd(model: Any, x: Tensor, label: int) -> float:
    gradients = torch.autograd.grad(loss_of(model, x, label), list(model.parameters()))
    return math.sqrt(sum(float(g) ** 2 for gradient in gradients for g in gradient.flatten()))


@pytest.mark.parametrize("seed", SEEDS)
def test_backpropagation_by_hand(seed: int) -> None:
    """In NumPy alone: e = p - onehot(y), d = (W2' e) * 1[h > 0]; the blocks are e h', e, d x' and d."""
    torch.manual_seed(seed)
    model, (x, y) = perceptron(), random_images(seed)
    w1, b1 = (p.detach().double().numpy() for p in (model.features[1].weight, model.features[1].bias))  # type: ignore[index]
    w2, b2 = (p.detach().double().numpy() for p in (model.head.weight, model.head.bias))
    expected = []
    for image, label in zip(x.double().numpy(), y.tolist(), strict=True):
        pixels = image.ravel()
        hidden = np.maximum(w1 @ pixels + b1, 0)
        powers = np.exp(w2 @ hidden + b2)
        error = powers / powers.sum()
        error[label] -= 1
        behind = (w2.T @ error) * (hidden > 0)
        blocks = [np.outer(error, hidden), error, np.outer(behind, pixels), behind]
        expected.append(math.sqrt(sum(float((block**2).sum()) for block in blocks)))
    np.testing.assert_allclose(snapshot("grad_norm", model, x, y), expected, rtol=2e-5)


def test_finite_differences_of_the_loss() -> None:
    """One parameter after another, moved to either side: no automatic differentiation at all."""
    torch.manual_seed(1)
    model, (x, y) = convolutional(), random_images(1)

    def norm(exact: nn.Module, image: Tensor, label: int) -> float:
        total = 0.0
        with torch.no_grad():
            for parameter in exact.parameters():
                for i in range(parameter.numel()):
                    flat, losses = parameter.view(-1), []
                    for step in (1e-5, -2e-5):
                        flat[i] += step
                        losses.append(float(loss_of(exact, image, label)))
                    flat[i] += 1e-5
                    total += ((losses[0] - losses[1]) / 2e-5) ** 2
        return math.sqrt(total)

    np.testing.assert_allclose(
        snapshot("grad_norm", model, x[:3], y[:3]), one_by_one(model, x[:3], y[:3], norm), rtol=1e-4
    )


class Undecided(Network):
    """Asks a sample's pixels what to do, which no vectorised pass can follow."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x if bool(x.mean() > 0.5) else 2 * x)


def test_a_network_that_cannot_be_vectorised_is_taken_sample_by_sample() -> None:
    torch.manual_seed(2)
    inner, (x, y) = perceptron(), random_images(2)
    model = Undecided(inner.features, 9)
    assert {bool(image.mean() > 0.5) for image in x} == {True, False}
    np.testing.assert_allclose(snapshot("grad_norm", model, x, y), one_by_one(model, x, y, norm_by_autograd), rtol=2e-5)


@pytest.mark.parametrize("network", [perceptron, convolutional])
def test_a_mean_reduced_loss_would_put_the_ragged_batch_first(network: Any) -> None:
    """The published fault, repeated here: the gradient of a batch's mean loss belongs to one sample times 1 / B."""
    torch.manual_seed(3)
    model, (x, y) = network(), random_images(3)
    expected, faulty = one_by_one(model, x, y, norm_by_autograd), np.zeros(N)
    model.double().eval()
    for images, labels, ids in batches(x.double(), y, 22):
        for i in range(len(ids)):
            mean = nn.functional.cross_entropy(model(images), labels, reduction="none")[i] / len(ids)
            gradients = torch.autograd.grad(mean, list(model.parameters()))
            faulty[ids[i]] = math.sqrt(sum(float(g.square().sum()) for g in gradients))
    assert np.argmax(faulty) == 22 != np.argmax(expected)
    np.testing.assert_allclose(snapshot("grad_norm", model.float(), x, y, size=22), expected, rtol=2e-5)


@pytest.mark.parametrize("seed", SEEDS)
def test_mean_over_proxies(seed: int) -> None:
    rng = np.random.default_rng(seed)
    runs = [rng.gamma(1.0, 2.0, 40).astype(np.float32) for _ in range(3)]
    given = context(rng.integers(0, CLASSES, 40), *({"grad_norm": run} for run in runs), epochs=20, seed=seed)
    scores = [math.fsum(float(run[i]) for run in runs) / 3 for i in range(40)]
    for k in (1, 15, 40):
        assert_highest(chosen("grand", given, k, {"proxies": 3}), scores)
