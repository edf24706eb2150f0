"""How easily each image can be flipped, and how far it lies from the boundary of one network.

smallest     the smallest L-infinity radius at which PGD on the margin flips the image, in pixels: 0 for one that is
             wrong already, infinite for one that resisted every radius tried. An upper bound of the true one.
margin       the label's logit less the largest other: negative where the image is wrong.
first_order  the margin over the L2 norm of its input gradient: the boundary's distance if the network were linear.
deepfool     the L2 norm of DeepFool's perturbation, which leaves the predicted class; negative where it is wrong.
"""

from typing import TYPE_CHECKING

import numpy as np

from methods.api import Floats

if TYPE_CHECKING:
    from torch import Tensor, nn

DISTANCES = ("margin", "first_order", "deepfool")


def smallest(
    model: "nn.Module", x: "Tensor", y: "Tensor", ids: "Tensor", bound: float, levels: int, steps: int, key: int
) -> Floats:
    """The smallest radius for each image, [n]: a multiple of bound / levels, 0 or infinite.

    Args:
        model: a callable from images to logits.
        x, y, ids: float32 [n, C, H, W] in [0, 1], labels and ids; an image's random start depends on key and id.
        bound: the largest radius that is tried, in pixels.
        levels: how finely the interval up to it is divided.
        steps: of PGD at each radius, twice the radius long in all.
    """
    from benchmark.attacks import smallest_epsilon
    from benchmark.spec import SmallestEpsilon

    spec = SmallestEpsilon(levels=levels, steps=steps, step_ratio=2 / steps)
    found = smallest_epsilon(model, x, y, bound, spec, key, ids).cpu().numpy()
    return np.where(found > levels, np.inf, found * (bound / levels))


def distances(model: "nn.Module", x: "Tensor", y: "Tensor", batch: int = 256) -> dict[str, Floats]:
    """The three distances from the boundary, [n] each."""
    import torch

    from benchmark.attacks.model import attack_mode
    from methods.signals.adversarial import deepfool_norm
    from methods.signals.online import label_minus_largest_other

    parts: dict[str, list[Tensor]] = {name: [] for name in DISTANCES}
    with attack_mode(model, x.device):
        for images, labels in zip(x.split(batch), y.split(batch), strict=True):
            moving = images.detach().requires_grad_()
            logits = model(moving)
            margin = label_minus_largest_other(logits, labels)
            (slope,) = torch.autograd.grad(margin.sum(), moving)
            margin, logits = margin.detach(), logits.detach()
            norm = deepfool_norm(model, images, logits)
            parts["margin"].append(margin)
            parts["first_order"].append(torch.where(margin == 0, margin, margin / slope.flatten(1).norm(dim=1)))
            parts["deepfool"].append(torch.where(logits.argmax(dim=1) == labels, norm, -norm))
    return {name: torch.cat(each).cpu().numpy().astype(np.float64) for name, each in parts.items()}
