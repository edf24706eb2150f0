"""DeepFool one image at a time (arXiv:1511.04599), and the samples that its norm selects (arXiv:1802.09841)."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import nn

from methods.signals.adversarial import deepfool_norm
from tests.oracles.networks import Perceptron, images
from tests.oracles.worlds import SEEDS, assert_lowest, chosen, context


def one_image(net: Perceptron, image: np.ndarray, iterations: int = 50) -> float:
    """Algorithm 2 with the overshoot of 2 % and the 1e-4 of the authors' code."""
    start, total = image.ravel(), np.zeros(image.size)
    clean = net.logits(start)
    label = int(np.argmax(clean))
    rivals = sorted((c for c in range(len(clean)) if c != label), key=lambda c: -clean[c])[:9]
    for _ in range(iterations):
        here = start + 1.02 * total
        found = []
        for c in rivals:
            weights = np.zeros(len(clean))
            weights[c], weights[label] = 1, -1
            slope = net.slope(here, weights)
            gap = abs(float(weights @ net.logits(here)))
            found.append((gap / np.linalg.norm(slope), slope))
        distance, slope = min(found, key=lambda pair: pair[0])
        total = total + (distance + 1e-4) * slope / np.linalg.norm(slope)
        if int(np.argmax(net.logits(start + 1.02 * total))) != label:
            return min(1.02 * float(np.linalg.norm(total)), image.size**0.5)
    return image.size**0.5


def recorded(model: nn.Module, x: np.ndarray) -> np.ndarray:
    tensor = torch.from_numpy(x)
    with torch.no_grad():
        logits = model.eval()(tensor)
    return deepfool_norm(model, tensor, logits).numpy()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("classes", [2, 4, 14])
def test_the_norm_is_what_a_loop_over_single_images_finds(seed: int, classes: int) -> None:
    net, x = Perceptron.drawn(seed, 9, classes), images(seed, 30, 3)
    expected = [one_image(net, image) for image in x]
    np.testing.assert_allclose(recorded(net.model(), x), expected, rtol=1e-9)
    assert np.ptp(expected) > 0.1


def test_several_iterations_are_needed_somewhere() -> None:
    """Otherwise the test above would see the first step alone."""
    net, x = Perceptron.drawn(0, 9, 4), images(0, 30, 3)
    assert sum(one_image(net, image, iterations=1) != one_image(net, image) for image in x) >= 5


def linear(seed: int, pixels: int, classes: int) -> tuple[nn.Module, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    weight, bias = rng.standard_normal((classes, pixels)), rng.standard_normal(classes)
    layer = nn.Linear(pixels, classes).double()
    layer.weight, layer.bias = nn.Parameter(torch.from_numpy(weight)), nn.Parameter(torch.from_numpy(bias))
    return nn.Sequential(nn.Flatten(), layer), weight, bias


@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_linear_model_it_is_the_distance_to_the_nearest_boundary(seed: int) -> None:
    """One step: min_c |z_c - z_y| / ||w_c - w_y||, with the overshoot."""
    model, weight, bias = linear(seed, 16, 5)
    x = images(seed, 40, 4)
    for image, norm in zip(x, recorded(model, x), strict=True):
        z = weight @ image.ravel() + bias
        y = int(np.argmax(z))
        exact = min((z[y] - z[c]) / np.linalg.norm(weight[c] - weight[y]) for c in range(5) if c != y)
        assert norm == pytest.approx(1.02 * (exact + 1e-4), rel=1e-9)


def test_the_batch_changes_nothing() -> None:
    net, x = Perceptron.drawn(1, 9, 4).model(), images(1, 12, 3)
    apart = [recorded(net, x[i : i + 1])[0] for i in range(12)]
    np.testing.assert_allclose(recorded(net, x), apart, rtol=1e-9)


def test_single_precision_ranks_alike() -> None:
    net, x = Perceptron.drawn(2, 9, 4).model(), images(2, 40, 3)
    single = recorded(deepcopy(net).float(), x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, recorded(net, x), rtol=1e-3)


@pytest.mark.parametrize("scale", [0.0, 1e-30])
def test_a_flat_model_is_capped_at_the_diameter_of_the_pixel_cube(scale: float) -> None:
    """No slope, and a boundary far outside: neither is infinite."""
    layer = nn.Linear(9, 3).double()
    layer.weight = nn.Parameter(scale * torch.ones(3, 9, dtype=torch.float64) * torch.arange(3)[:, None])
    layer.bias = nn.Parameter(torch.tensor([0.0, 5.0, 1.0], dtype=torch.float64))
    np.testing.assert_array_equal(recorded(nn.Sequential(nn.Flatten(), layer), images(0, 4, 3)), np.full(4, 3.0))


def test_a_sample_on_the_boundary_is_the_nearest_of_all() -> None:
    """Its first step has length 0: without the 1e-4 it would never cross, and end among the farthest."""
    layer = nn.Linear(1, 2, bias=False).double()
    layer.weight = nn.Parameter(torch.tensor([[1.0], [-1.0]], dtype=torch.float64))
    x = np.array([0.0, 0.3, 0.9]).reshape(3, 1, 1, 1)
    norms = recorded(nn.Sequential(nn.Flatten(), layer), x)
    assert norms[0] < 1e-3 < norms[1] < norms[2]


def test_it_leaves_the_prediction_and_never_sees_the_label() -> None:
    net, x = Perceptron.drawn(3, 9, 3), images(3, 30, 3)
    norms = recorded(net.model(), x)
    given = {"deepfool_norm": norms}
    right = [int(np.argmax(net.logits(image.ravel()))) for image in x]
    wrong = [(label + 1) % 3 for label in right]
    assert chosen("deepfool", context(right, given), 10) == chosen("deepfool", context(wrong, given), 10)


def test_a_diverged_proxy_is_refused_in_words() -> None:
    model, _, _ = linear(0, 9, 3)
    with torch.no_grad():
        model[1].bias[1] = torch.nan  # type: ignore[index]
    norms = recorded(model, images(0, 6, 3))
    assert np.isnan(norms).all()
    with pytest.raises(Exception, match="'deepfool' scored 6 samples as NaN or infinite"):
        chosen("deepfool", context([0] * 6, {"deepfool_norm": norms}), 2)


@pytest.mark.parametrize("grad", [True, False])
def test_model_mode_gradients_and_random_state_stay(grad: bool) -> None:
    net, x = Perceptron.drawn(0, 9, 3).model().eval(), torch.from_numpy(images(0, 5, 3))
    net(x).sum().backward()
    before = [p.grad.clone() for p in net.parameters() if p.grad is not None]
    state = torch.get_rng_state()
    with torch.set_grad_enabled(grad):
        norms = deepfool_norm(net, x, net(x).detach())
        assert torch.is_grad_enabled() is grad
    assert not norms.requires_grad
    assert not x.requires_grad
    assert not net.training
    assert all(torch.equal(p.grad, b) for p, b in zip(net.parameters(), before, strict=True) if p.grad is not None)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_smallest_perturbations_are_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    norms = rng.exponential(size=50).astype(np.float32)
    given = context(rng.integers(0, 3, 50), {"deepfool_norm": norms}, seed=seed)
    assert_lowest(chosen("deepfool", given, 17), norms.tolist())
