"""Small trainings on digits, for tests of everything that trains."""

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from benchmark.data import Dataset, load
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.spec import DatasetSpec, Recipe
from benchmark.stages.train import train

SEED = 5
STANDARD = Recipe(epochs=3, batch_size=16)
TRADES = Recipe(
    objective="trades", epochs=2, batch_size=16, epsilon=0.1, inner_steps=3, inner_step_size=0.04, schedule="cosine"
)
IDS = torch.arange(0, 120, 3)  # 40 samples
BOTH = pytest.mark.parametrize("recipe", [STANDARD, TRADES], ids=["standard", "trades"])


@cache
def digits() -> Dataset:
    return load(DatasetSpec(name="digits", train=120, test=40))


def network(name: str = "mlp") -> Classifier:
    data = digits()
    return build(name, data.num_classes, data.shape, data.mean, data.std, seed=1)


def trained(recipe: Recipe, ids: Tensor = IDS, name: str = "mlp", **options: Any) -> Classifier:
    model = network(name)
    train(model, digits().train, ids, recipe, SEED, **options)
    return model


def images(count: int = 24) -> tuple[Tensor, Tensor]:
    x, y, _ = next(digits().train.batches(torch.arange(count), count))
    return x, y


def assert_same(one: nn.Module, other: nn.Module) -> None:
    assert one.state_dict().keys() == other.state_dict().keys()
    for name, tensor in one.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def differ(one: nn.Module, other: nn.Module) -> bool:
    return any(not torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
