"""What every network of the benchmark is: normalisation, a body that gives features, and one linear layer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Classifier(nn.Module):
    """Logits of images in [0, 1], the space in which attacks work; normalisation is the first thing inside.

    Args:
        body: maps normalised images [B, C, H, W] to features [B, D].
        width: D.
        num_classes: K.
        mean: of each channel, in units of pixels in [0, 1].
        std: of each channel, likewise.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, body: nn.Module, width: int, num_classes: int, mean: Sequence[float], std: Sequence[float]
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(-1, 1, 1))
        self.body = body
        self.head = nn.Linear(width, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """The input of the linear layer, [B, D]."""
        return self.body((x - self.mean) / self.std)

    def logits_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits [B, K] and features [B, D], in one pass."""
        features = self.features(x)
        return self.head(features), features

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B, K] of images [B, C, H, W] in [0, 1]."""
        return self.head(self.features(x))
