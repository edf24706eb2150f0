"""Small networks for oracles of signals, and how a signal is recorded from them or computed image by image."""

from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from methods.signals import get_signal
from methods.signals.recorder import Recorder

N, CLASSES, SIDE = 23, 4, 4


class Network(nn.Module):
    """Features and a linear head, as every classifier of the benchmark has."""

    def __init__(self, features: nn.Module, width: int) -> None:
        super().__init__()
        self.features, self.head = features, nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def perceptron() -> Network:
    return Network(nn.Sequential(nn.Flatten(), nn.Linear(SIDE * SIDE, 9), nn.ReLU(), nn.Dropout(0.5)), 9)


def convolutional() -> Network:
    """Batch norm with statistics that differ from any batch's, so that training mode would show."""
    layers = [nn.Conv2d(1, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    net = Network(nn.Sequential(*layers), 5)
    norm = layers[1]
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        norm.running_mean.copy_(torch.linspace(-0.3, 0.4, 5))  # type: ignore[union-attr]
        norm.running_var.copy_(torch.linspace(0.05, 2.0, 5))  # type: ignore[union-attr]
        norm.weight.copy_(torch.linspace(0.5, 2.0, 5))
    return net


def random_images(seed: int) -> tuple[Tensor, Tensor]:
    """N images in [0, 1] and their labels."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(N, 1, SIDE, SIDE, generator=generator), torch.randint(0, CLASSES, (N,), generator=generator)


def batches(x: Tensor, y: Tensor, size: int) -> Iterable[tuple[Tensor, Tensor, Tensor]]:
    ids = torch.arange(len(x))
    return zip(x.split(size), y.split(size), ids.split(size), strict=True)


def snapshot(name: str, model: nn.Module, x: Tensor, y: Tensor, size: int = 5) -> np.ndarray:
    recorder = Recorder([get_signal(name)], len(x), 1, seed=0)
    recorder.snapshot(0, batches(x, y, size), model)
    recorded = recorder.arrays()[name]
    return recorded[0] if get_signal(name).every_epoch else recorded


def one_by_one(model: nn.Module, x: Tensor, y: Tensor, of: Callable[[nn.Module, Tensor, int], Any]) -> np.ndarray:
    exact = deepcopy(model).double().eval()
    return np.array([of(exact, x[i : i + 1].double(), int(y[i])) for i in range(len(x))])


def loss_of(model: nn.Module, x: Tensor, label: int) -> Tensor:
    logits = model(x)[0]
    return torch.logsumexp(logits, 0) - logits[label]
