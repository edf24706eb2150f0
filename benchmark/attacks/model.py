"""The model under attack: the state it is attacked in, what it costs, and whether it is right."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

Model = Callable[[Tensor], Tensor]


class CountedModel(nn.Module):
    """Counts the images that pass through a model, forward and (where an input gradient is asked) backward."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model
        self.forwards = 0
        self.backwards = 0

    def forward(self, x: Tensor) -> Tensor:
        self.forwards += len(x)
        if x.requires_grad and torch.is_grad_enabled():
            self.backwards += len(x)
        return self.model(x)

    def count(self, images: int) -> None:
        """Counts images whose logits were found by another way than `forward`."""
        self.forwards += images
        if isinstance(self.model, CountedModel):
            self.model.count(images)


@contextmanager
def attack_mode(model: Model, device: torch.device) -> Iterator[None]:
    """Evaluation mode, frozen parameters and full float32 while an attack runs; all restored afterwards.

    Attacks verified in reduced precision read up to a few points too robust, so autocast is off, and so is
    TF32. A module's parameters are frozen because some attacks call `backward`, which would fill their
    gradients; parameters behind a callable that is no `nn.Module` are the caller's to guard.
    """
    modules = list(model.modules()) if isinstance(model, nn.Module) else []
    training = [module for module in modules if module.training]
    trainable = [p for p in model.parameters() if p.requires_grad] if isinstance(model, nn.Module) else []
    matmul, convolution = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    try:
        for module in modules:
            module.training = False
        for parameter in trainable:
            parameter.requires_grad_(False)
        torch.set_float32_matmul_precision("highest")
        torch.backends.cudnn.allow_tf32 = False
        with torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.backends.cudnn.allow_tf32 = convolution
        torch.set_float32_matmul_precision(matmul)
        for parameter in trainable:
            parameter.requires_grad_(True)
        for module in training:
            module.training = True


def check_images(x: Tensor, y: Tensor, ids: Tensor | None = None) -> None:
    """Holds callers to the shapes, types and range that every attack here assumes.

    Raises:
        ValueError: x is not float32 [n, C, H, W] in [0, 1], or y or ids is not int64 [n].
    """
    if x.ndim != 4 or x.dtype != torch.float32:
        raise ValueError(f"images must be float32 [n, C, H, W], not {x.dtype} {list(x.shape)}")
    for name, values in (("labels", y), ("ids", ids)):
        if values is not None and (values.dtype != torch.int64 or values.shape != x.shape[:1]):
            raise ValueError(f"{name} must be int64 [{len(x)}], not {values.dtype} {list(values.shape)}")
    if len(x) and not bool(((x >= 0) & (x <= 1)).all()):
        raise ValueError("images must lie in [0, 1]; normalisation belongs inside the model")


def is_right(logits: Tensor, y: Tensor) -> Tensor:
    """bool [n]: the first largest logit is the label's. Logits that are not finite are never right."""
    return (logits.max(dim=1).indices == y) & logits.isfinite().all(dim=1)


@torch.no_grad()
def logits_of(model: Model, x: Tensor, batch_size: int) -> Tensor:
    """Logits [n, classes], computed in batches, without gradients."""
    return torch.cat([model(batch) for batch in x.split(batch_size)])


def correct(model: Model, x: Tensor, y: Tensor, batch_size: int) -> Tensor:
    """Which images the model classifies right, in evaluation mode and float32.

    Args:
        model: a callable from images to logits [n, classes].
        x: float32 [n, C, H, W] in [0, 1].
        y: int64 [n].
        batch_size: images a forward pass; moves results by rounding at most.

    Returns:
        bool [n]. An image whose logits are not finite is not classified right.
    """
    check_images(x, y)
    with attack_mode(model, x.device):
        return is_right(logits_of(model, x, batch_size), y)
