"""A small network twice: as torch sees it, and in NumPy with its gradients written out."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Perceptron:
    """z = W2 tanh(W1 x + b1) + b2. Smooth, so that no gradient hangs on a rounding."""

    w1: np.ndarray
    b1: np.ndarray
    w2: np.ndarray
    b2: np.ndarray

    @classmethod
    def drawn(cls, seed: int, pixels: int, classes: int, width: int = 8) -> "Perceptron":
        rng = np.random.default_rng(seed)
        w1, w2 = rng.standard_normal((width, pixels)), 2 * rng.standard_normal((classes, width))
        return cls(w1, rng.standard_normal(width), w2, rng.standard_normal(classes))

    def logits(self, x: np.ndarray) -> np.ndarray:
        return self.w2 @ np.tanh(self.w1 @ x + self.b1) + self.b2

    def slope(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient of weights . z in x."""
        hidden = np.tanh(self.w1 @ x + self.b1)
        return self.w1.T @ ((self.w2.T @ weights) * (1 - hidden**2))

    def model(self) -> "Network":
        return Network(*(torch.from_numpy(a) for a in (self.w1, self.b1, self.w2, self.b2)))


class Network(nn.Module):
    """The same with autograd, in float64, with a dropout that shows in training mode."""

    def __init__(self, w1: Tensor, b1: Tensor, w2: Tensor, b2: Tensor) -> None:
        super().__init__()
        hidden, self.head = nn.Linear(1, 1).double(), nn.Linear(1, 1).double()
        hidden.weight, hidden.bias = nn.Parameter(w1), nn.Parameter(b1)
        self.head.weight, self.head.bias = nn.Parameter(w2), nn.Parameter(b2)
        self.features = nn.Sequential(nn.Flatten(), hidden, nn.Tanh(), nn.Dropout(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))


def images(seed: int, n: int, side: int) -> np.ndarray:
    """float64 [n, 1, side, side] in [0, 1], some pixels at either end."""
    pixels = np.random.default_rng([seed, 1]).uniform(-0.2, 1.2, (n, 1, side, side))
    return pixels.clip(0, 1)
