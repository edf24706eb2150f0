"""Networks by name. Importing this package imports no torch; building a model does."""

from importlib import import_module
from typing import TYPE_CHECKING

from methods.errors import UsageError, unknown

if TYPE_CHECKING:
    from benchmark.models.classifier import Classifier

__all__ = ["build", "model_names"]

# The module whose `body(name, shape)` gives the network below the linear layer, and the smallest side it takes.
_MODELS = {
    "cnn-small": ("small", 8),
    "cnn-tiny": ("small", 2),
    "mlp": ("small", 1),
    "resnet18": ("large", 8),
    "resnet50": ("large", 8),
    "vgg16": ("large", 32),
    "wrn-16-4": ("wide_resnet", 8),
    "wrn-28-10": ("wide_resnet", 8),
}


def model_names() -> list[str]:
    """The names that `build` knows."""
    return sorted(_MODELS)


def build(
    name: str,
    num_classes: int,
    shape: tuple[int, int, int],
    mean: tuple[float, ...],
    std: tuple[float, ...],
    seed: int,
) -> "Classifier":
    """A freshly initialised network, on the CPU.

    Args:
        name: one of `model_names()`.
        num_classes: the number of logits.
        shape: channels, height and width of the images. Up to 64 pixels a side, ResNets and VGG get CIFAR stems.
        mean: of each channel, in units of pixels in [0, 1].
        std: of each channel, likewise.
        seed: determines the initial weights; torch's global generators are neither read nor changed.

    Raises:
        UsageError: unknown model, or images too small for it.
    """
    if name not in _MODELS:
        raise unknown("model", name, _MODELS)
    module, least = _MODELS[name]
    if min(shape[1:]) < least:
        raise UsageError(
            f"The model '{name}' needs images of at least {least}x{least} pixels and gets {shape[1]}x{shape[2]}; "
            f"choose a smaller model, such as 'mlp'."
        )
    import torch

    from benchmark.models.classifier import Classifier

    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed GPUs as well
        body, width = import_module(f"benchmark.models.{module}").body(name, shape)
        return Classifier(body, width, num_classes, mean, std)
