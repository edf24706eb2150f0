"""TRADES against the authors' loop, and against what its arithmetic takes when timed alone."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.spec import Recipe
from benchmark.stages.train import trades_losses, train
from tests.perf.baselines_training import train_trades
from tests.perf.conftest import FULL
from tests.perf.test_trace_speed import noise

pytestmark = [pytest.mark.worker, pytest.mark.usefixtures("as_in_workers")]

BATCH = {"cnn-small": 128, "resnet18": 128 if FULL else 32}
STEPS = {"cnn-small": 4, "resnet18": 1}
AUTHORS = Recipe(objective="trades", epochs=1, lr=0.01, schedule="constant")
OURS = AUTHORS.model_copy(update={"channels_last": True, "precision": "bfloat16"})


def network(name: str) -> Classifier:
    data = noise(1000)
    return build(name, data.num_classes, data.shape, data.mean, data.std, seed=0)


def batches(name: str) -> Iterator[tuple[Tensor, Tensor]]:
    for x, y, _ in noise(1000).train.batches(torch.arange(BATCH[name] * STEPS[name]), BATCH[name]):
        yield x, y


def bound(name: str) -> None:
    """steps x (forward and input gradient) + one step on clean and adversarial outputs, in our precision and layout."""
    model = network(name).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimiser = torch.optim.SGD(model.parameters(), OURS.lr, OURS.momentum, nesterov=True, fused=True)
    for x, y in batches(name):
        x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
        with torch.autocast("cpu", torch.bfloat16):
            model.eval()
            for _ in range(OURS.inner_steps):
                torch.autograd.grad(F.cross_entropy(model(x).float(), y), x)
            x = x.detach()
            model.train()
            loss = trades_losses(model(x).float(), model(x).float(), y, OURS.beta).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.mark.parametrize("who", ["baseline", "ours", "bound"])
@pytest.mark.parametrize("name", STEPS)
def test_trades(compare: Callable[..., Any], name: str, who: str) -> None:
    def once() -> Any:
        if who == "bound":
            return bound(name)
        model = network(name)
        if who == "baseline":
            return train_trades(model, batches(name), AUTHORS)
        recipe = OURS.model_copy(update={"batch_size": BATCH[name]})
        return train(model, noise(1000).train, torch.arange(BATCH[name] * STEPS[name]), recipe, 0)

    rounds = 1 if who == "baseline" and name == "resnet18" else 3
    compare(f"TRADES, {name}, batch {BATCH[name]}", who, once, rounds=rounds, target=2.5)


@pytest.mark.parametrize("who", ["baseline", "ours"])
def test_small_network(compare: Callable[..., Any], who: str) -> None:
    """An MLP on 8x8 digits, where every operation is overhead."""
    from benchmark.data import load
    from benchmark.spec import DatasetSpec

    data = load(DatasetSpec(name="digits"))
    recipe = AUTHORS.model_copy(update={"batch_size": 32, "epsilon": 0.1, "inner_step_size": 0.02})
    pairs = [(x, y) for x, y, _ in data.train.batches(torch.arange(960), 32)]
    model = build("mlp", data.num_classes, data.shape, data.mean, data.std, seed=0)
    ours = partial(train, model, data.train, torch.arange(960), recipe, 0)
    compare("TRADES, mlp on digits", who, ours if who == "ours" else partial(train_trades, model, pairs, recipe))
