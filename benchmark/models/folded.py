"""Networks for evaluation alone."""

import torch
from torch import nn


def normalised(model: nn.Module) -> bool:
    """Whether there is batch norm to fold."""
    return any(isinstance(module, nn.BatchNorm2d) for module in model.modules())


def folded(model: nn.Module) -> nn.Module:
    """The same function in evaluation mode with fewer passes: batch norm folded into convolutions, channels last.

    Logits move by rounding (1e-6 or so). A model without batch norm, or one that torch.fx cannot read, is returned as
    it is.
    """
    if not normalised(model):
        return model
    from torch.fx.experimental.optimization import fuse

    try:
        fused: nn.Module = fuse(model.eval())
    except Exception:  # torch.fx refuses in many ways what it cannot trace
        return model
    return fused.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
