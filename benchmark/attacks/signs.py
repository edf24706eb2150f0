"""Signs, read off the model itself, that its gradients may mislead whoever follows them.

They are those that AutoAttack's authors warn of (Croce and Hein 2020, arXiv:2003.01690, and the package's checks),
as shares of images; `benchmark.leaderboard.masking` says how many are too many.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.attacks.model import Model, is_right, logits_of

RANDOMISED = 1e-4  # the package's own: how far logits of length 1 may move from one pass to the next


@dataclass(frozen=True)
class Signs:
    """What a model shows without being attacked.

    Attributes:
        randomised: share of all images whose logits, or whose verdicts, differ between two forward passes.
        zero_gradients: share of the cleanly right images whose cross-entropy has a gradient of exactly 0.
        nonfinite: share of all images with clean logits that are not finite.
    """

    randomised: float
    zero_gradients: float
    nonfinite: float


def signs(model: Model, x: Tensor, y: Tensor, logits: Tensor, batch_size: int) -> Signs:
    """The signs of a model in evaluation mode, whose clean `logits` [n, classes] are those of x and y."""
    right = is_right(logits, y)
    again = logits_of(model, x, batch_size)
    moved = (F.normalize(logits) - F.normalize(again)).norm(dim=1) > RANDOMISED
    return Signs(
        randomised=share(moved | (is_right(again, y) != right)),
        zero_gradients=_zero_gradients(model, x[right], y[right], batch_size),
        nonfinite=share(~logits.isfinite().all(dim=1)),
    )


def share(marked: Tensor) -> float:
    """The share of True; 0 of nothing."""
    return float(marked.double().mean()) if len(marked) else 0.0


def _zero_gradients(model: Model, x: Tensor, y: Tensor, batch_size: int) -> float:
    """The share of images at which the input gradient of the cross-entropy is exactly zero."""
    zero = []
    for images, labels in zip(x.split(batch_size), y.split(batch_size), strict=True):
        images = images.clone().requires_grad_()
        with torch.enable_grad():
            loss = F.cross_entropy(model(images), labels, reduction="sum")
        zero.append((torch.autograd.grad(loss, images)[0] == 0).flatten(1).all(dim=1))
    return share(torch.cat(zero))
