"""AutoAttack through the harness beside the package called directly: seconds, and every verdict.

Small: a TRADES network on digits. Full: one on real CIFAR-10, in the folder named by CORESET_BENCH_DATA.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from benchmark.attacks import autoattack, margin_pgd, pgd
from benchmark.attacks.pgd import cross_entropy, pgd_images, unit_noise
from benchmark.data import data_root, load
from benchmark.execution.allocator import keep_freed_memory
from benchmark.models import build
from benchmark.models.folded import folded
from benchmark.randomness import derive_seed
from benchmark.spec import PGD, AutoAttack, DatasetSpec, MarginPGD, Recipe
from benchmark.stages.train import train
from tests.perf.conftest import FULL

Attacked = tuple[nn.Module, Tensor, Tensor]

pytestmark = pytest.mark.worker  # the package is called as it comes, before the first of ours

DIGITS = Recipe(objective="trades", epochs=10, batch_size=32, lr=0.07, epsilon=0.2, inner_step_size=0.05)
CIFAR = Recipe(objective="trades", epochs=8, batch_size=128, lr=0.1, channels_last=True)
EPSILON, IMAGES = (8 / 255, 500) if FULL else (0.15, 100)
WHAT = "cnn-small on CIFAR-10" if FULL else "cnn-tiny on digits"
SEED = 0


@pytest.fixture(scope="module")
def attacked() -> Attacked:
    if FULL and not (data_root() / "cifar-10-batches-py").is_dir():
        pytest.skip("needs real CIFAR-10 in the folder named by CORESET_BENCH_DATA")
    name, spec, recipe = (
        ("cnn-small", DatasetSpec(name="cifar10", train=5000), CIFAR)
        if FULL
        else ("cnn-tiny", DatasetSpec(name="digits"), DIGITS)
    )
    data = load(spec)
    model = build(name, data.num_classes, data.shape, data.mean, data.std, seed=0)
    train(model, data.train, torch.arange(len(data.train)), recipe, seed=0)
    x, y, _ = next(data.test.batches(torch.arange(IMAGES), IMAGES))
    return model, x, y


def directly(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Robust images, by the package as its documentation calls it."""
    import pyautoattack

    with torch.random.fork_rng():
        ensemble: Any = pyautoattack.AutoAttack(model, norm="Linf", eps=EPSILON, seed=SEED, version="standard")
        found = ensemble.run_standard_evaluation(x, y, batch_size=250)
    adversarial = found[0] if isinstance(found, tuple) else found
    with torch.no_grad():
        return model(adversarial).argmax(dim=1) == y


def ours(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    keep_freed_memory()  # as every worker does when it starts
    return autoattack(folded(model), x, y, EPSILON, AutoAttack(batch_size=250), SEED, 10).robust


def verdicts(robust: Tensor) -> dict[str, Any]:
    return {"robust": "".join("1" if bit else "0" for bit in robust.tolist())}


@pytest.mark.parametrize(("who", "attack"), [("baseline", directly), ("ours", ours)])
def test_autoattack(compare: Callable[..., Any], attacked: Attacked, who: str, attack: Callable[..., Tensor]) -> None:
    group = f"AutoAttack standard, {WHAT}, {IMAGES} images"
    robust = compare(group, who, lambda: attack(*attacked), rounds=1 if FULL else 3, target=1.5, notes=verdicts)
    assert 0 < robust.sum() < len(robust)


def one_by_one(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """PGD at three radii and to three classes as it is usually written: every image, every step, every time."""
    ids, robust = torch.arange(len(x)), []
    with torch.no_grad():
        logits = model(x)
    right = logits.argmax(dim=1) == y
    for epsilon in (EPSILON / 2, EPSILON, 1.5 * EPSILON):
        start = unit_noise(derive_seed("pgd start", SEED, repr(epsilon), 0), ids, tuple(x.shape[1:]))
        images = pgd_images(model, x, y, epsilon, 20, 0.1, start, cross_entropy)
        with torch.no_grad():
            robust.append(right & (model(images).argmax(dim=1) == y))
    return torch.stack(robust)


def shared(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    radii = (EPSILON / 2, EPSILON, 1.5 * EPSILON)
    return pgd(folded(model), x, y, radii, PGD(), SEED, torch.arange(len(x)))


@pytest.mark.parametrize(("who", "attack"), [("baseline", one_by_one), ("ours", shared)])
def test_pgd(compare: Callable[..., Any], attacked: Attacked, who: str, attack: Callable[..., Tensor]) -> None:
    group = f"PGD-20 at three radii, {WHAT}, {IMAGES} images"
    compare(group, who, lambda: attack(*attacked), notes=lambda robust: verdicts(robust[1]))


def test_no_fast_verdict_is_weaker(attacked: Attacked) -> None:
    """What the fast attacks call robust the slow one rarely breaks, and never more often than it is broken itself."""
    model, x, y = attacked
    slow, fast = one_by_one(model, x, y), shared(model, x, y)
    assert (fast & ~slow).double().mean() <= 0.002
    assert fast.sum() <= slow.sum() + 1
    margins = margin_pgd(folded(model), x, y, (EPSILON,), MarginPGD(), SEED, torch.arange(len(x)))
    assert np.mean(margins.numpy()) <= np.mean(fast[1].numpy()) + 0.02
