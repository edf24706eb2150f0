"""Networks whose gradients mislead in known ways, and an honest one, on real digits."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

EPSILON = 0.12
IMAGES = 60


@dataclass(frozen=True)
class World:
    """A trained network and test images."""

    network: nn.Module
    x: Tensor
    y: Tensor
    ids: Tensor


def world(seed: int = 0, images: int = IMAGES) -> World:
    """An honest MLP, trained for some seconds' fraction, and images that it has not seen."""
    pixels, labels = load_digits(return_X_y=True)
    x = torch.tensor(pixels / 16, dtype=torch.float32).view(-1, 1, 8, 8)
    y = torch.tensor(labels, dtype=torch.int64)
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(x), generator=generator)
    train, test = order[:1200], order[1200 : 1200 + images]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(60):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(x[train]), y[train]).backward()
        optimiser.step()
    return World(network.eval().requires_grad_(False), x[test], y[test], test)


class Saturated(nn.Module):
    """Logits ten thousand times as large: the softmax is 0 or 1, and the cross-entropy is flat."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return 1e4 * self.network(x)


class Quantised(Saturated):
    """Pixels rounded to a few levels: no gradient at all."""

    def forward(self, x: Tensor) -> Tensor:
        return self.network((6 * x).round() / 6)


class Randomised(Saturated):
    """Noise on the pixels, another at every pass."""

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x + 0.02 * torch.randn_like(x))


class Ripples(Saturated):
    """Pixels moved by a fine ripple: hardly another function, but half of its slopes point the wrong way."""

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x + 0.01 * torch.sin(400 * x))


class Broken(Saturated):
    """Logits that are not numbers."""

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x) * torch.nan


MASKED: dict[str, Callable[[nn.Module], nn.Module]] = {
    "saturated": Saturated,
    "quantised": Quantised,
    "randomised": Randomised,
    "ripples": Ripples,
}
