"""What stands in for the package's own code computes the same: APGD's steps, FAB's projection, Square's
queries, folded networks.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from pyautoattack import fab_projections
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from pyautoattack.square import SquareAttack
from torch import Tensor, nn

from benchmark.attacks.apgd import SparingAPGD, SparingTargetedAPGD
from benchmark.attacks.projection import projection_linf
from benchmark.attacks.square import WindowedSquare
from benchmark.models import build
from benchmark.models.folded import folded

GREY = ((0.5,) * 3, (0.25,) * 3)


def smallest_step(t: np.ndarray, w: np.ndarray, b: float) -> float:
    """The largest entry of the smallest step from t in [0, 1] to <w, x> = b, by bisection in float64."""
    gap = w @ t - b
    room = np.where(np.sign(gap) * w > 0, t, 1 - t)
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.abs(w) @ np.minimum(middle, room) < abs(gap) else (low, middle)
    return min(high, float(room[w != 0].max(initial=0.0)))


def planes(n: int, d: int, share: float, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Points with pixels at 0 and 1, normals with zeros, and planes at up to a share of the way through the box."""
    draw = torch.Generator().manual_seed(seed)
    t, w = torch.rand(n, d, generator=draw), torch.randn(n, d, generator=draw)
    t[:, ::7], t[:, 1::11], w[:, ::5] = 0, 1, 0
    reach = share * w.abs().sum(1) * torch.rand(n, generator=draw) / 2
    return t, w, (w * t).sum(1) - reach * torch.randn(n, generator=draw).sign()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.3, 0.9, 2.0])
@pytest.mark.parametrize("d", [5, 64, 784])
def test_projections_are_the_packages(d: int, share: float) -> None:
    t, w, b = planes(40, d, share)
    ours, theirs = projection_linf(t, w, b), fab_projections.projection_linf(t, w, b)
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    exact = [smallest_step(t[i].double().numpy(), w[i].double().numpy(), float(b[i])) for i in range(len(t))]
    np.testing.assert_allclose(ours.abs().amax(1).numpy(), exact, rtol=1e-4, atol=1e-6)


def test_a_normal_of_zero_moves_nothing() -> None:
    t, w, _ = planes(3, 8, 0.1)
    w[0] = 0
    steps = projection_linf(t, w, torch.tensor([0.0, 0.3, 0.3]))
    assert torch.equal(steps[0], torch.zeros(8))
    assert torch.isfinite(steps).all()


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """A small network whose batch norm has seen something."""
    model = build("cnn-tiny", 4, (3, 8, 8), *GREY, seed=1)
    model.train()
    model(torch.rand(64, 3, 8, 8, generator=torch.Generator().manual_seed(2)))
    return model.eval()


@pytest.mark.parametrize("form", [nn.Sequential, folded])  # whole images; windows
@pytest.mark.parametrize(("epsilon", "all_fall"), [(0.01, False), (0.3, True)])
def test_square_queries_the_same_images(
    network: nn.Module, form: Callable[[nn.Module], nn.Module], epsilon: float, all_fall: bool
) -> None:
    network = form(network).eval()
    x = torch.rand(40, 3, 16, 16, generator=torch.Generator().manual_seed(3))
    y = network(x).argmax(1)
    theirs: Any = SquareAttack(network, n_queries=200, eps=epsilon, seed=5, device="cpu", resc_schedule=False)
    ours: Any = WindowedSquare.of(theirs)
    with torch.random.fork_rng():
        found = []
        for attack in (theirs, ours):
            attacked = attack.perturb(x, y)
            torch.manual_seed(5)
            found.append((attacked, *attack.attack_single_run(x, y)))
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
    fallen = (network(found[0][0]).argmax(1) != y).sum()
    assert fallen == 40 if all_fall else 0 < fallen < 40


@pytest.mark.parametrize("targeted", [False, True])
def test_apgd_takes_the_same_steps_with_the_images_still_right(network: nn.Module, targeted: bool) -> None:
    x = torch.rand(40, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    y = network(x).argmax(1)
    seen: list[Tensor] = []

    def model(images: Tensor) -> Tensor:
        seen.append(images.detach().clone())
        return network(images)

    package, sparing = (APGDAttack_targeted, SparingTargetedAPGD) if targeted else (APGDAttack, SparingAPGD)
    theirs: Any = package(model, n_iter=60, eps=0.015, seed=5, device="cpu")
    theirs.init_hyperparam(x)
    ours: Any = sparing.of(theirs)
    found, points = [], []
    with torch.random.fork_rng():
        for attack in (theirs, ours):
            attack.y_target = network(x).argsort(1)[:, -2]
            torch.manual_seed(5)
            found.append(attack.attack_single_run(x, y))
            points.append(seen.copy())
            seen.clear()
    right = torch.stack([network(images).argmax(1) == y for images in points[0]])
    assert torch.equal(found[0][1], right.all(0))
    assert torch.equal(found[1][1], right.all(0))
    assert 0 < right.all(0).sum() < right[0].sum()
    for step, images in enumerate(points[1]):
        assert torch.equal(images, points[0][step][right[:step].all(0)])
    fooled = ~right.all(0)
    assert (network(found[1][3][fooled]).argmax(1) != y[fooled]).all()


@pytest.mark.parametrize("name", ["mlp", "cnn-small", "resnet18", "wrn-16-4"])
def test_a_folded_network_is_the_same_function(name: str) -> None:
    model = build(name, 10, (3, 32, 32), *GREY, seed=0)
    x = torch.rand(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    model.train()
    with torch.no_grad():
        model(x)
    model.eval()
    other = folded(model)
    before = [p.clone() for p in model.parameters()]
    torch.testing.assert_close(other(x), model(x), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(p, q) for p, q in zip(before, model.parameters(), strict=True))
    norms = [m for m in other.modules() if isinstance(m, nn.BatchNorm2d)]
    assert bool(norms) == (name == "wrn-16-4")  # there batch norm comes before the convolution


def test_what_cannot_be_read_is_left_alone() -> None:
    class Fickle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(3)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(x) if x.sum() > 0 else -x

    model = Fickle()
    assert folded(model) is model
