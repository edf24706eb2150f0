"""Projected gradient descent in the L-infinity ball (Madry et al., ICLR 2018, arXiv:1706.06083)."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.attacks.model import Model, attack_mode, check_images, is_right, logits_of
from benchmark.randomness import derive_seed, uniform_images
from benchmark.spec import PGD


def unit_noise(key: int, ids: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Uniform float32 noise in (-1, 1), shape [n, *shape], the draws of each image its own."""
    return uniform_images(key, ids, shape).mul_(2).sub_(1)


def pgd_images(
    model: Model, x: Tensor, y: Tensor, epsilon: float | Tensor, steps: int, step_ratio: float, start: Tensor
) -> Tensor:
    """The last iterates of PGD on the summed cross-entropy, one per image.

    The convention is that of torchattacks and foolbox: clipped start, signed steps, projection to the ball
    and to the box after each. A pixel whose gradient is not a number stays where it is.

    Args:
        model: a callable from images to logits [n, classes], in evaluation mode.
        x: float32 [n, C, H, W] in [0, 1].
        y: int64 [n], the labels to leave.
        epsilon: the radius in pixels, one for all images or float32 [n].
        steps: gradient steps.
        step_ratio: length of a step in units of epsilon.
        start: float32, shape of x, in [-1, 1]: where in its ball each image starts, in units of epsilon.

    Returns:
        float32, shape of x, in [0, 1] and within epsilon of x up to float32 rounding.
    """
    radius = epsilon.view(-1, 1, 1, 1) if isinstance(epsilon, Tensor) else epsilon
    lower, upper, step = (x - radius).clamp_(min=0), (x + radius).clamp_(max=1), step_ratio * radius
    adversarial = torch.clamp(x + radius * start, lower, upper)
    for _ in range(steps):
        adversarial.requires_grad_()
        with torch.enable_grad():
            loss = F.cross_entropy(model(adversarial), y, reduction="sum")
        # with respect to the images alone: parameters collect no gradients; the sign of NaN is 0
        direction = torch.autograd.grad(loss, adversarial)[0].sign_()
        adversarial = torch.clamp(adversarial.detach() + step * direction, lower, upper)
    return adversarial


def pgd(model: Model, x: Tensor, y: Tensor, epsilons: Sequence[float], spec: PGD, key: int, ids: Tensor) -> Tensor:
    """Which images stay classified right under PGD, at several radii in one call.

    The verdict is taken at the last iterate. Images that are wrong when clean are not robust. Only images
    still right are attacked: a later restart skips those that an earlier one fooled, and, radii being taken
    in ascending order, a larger radius skips those fooled at a smaller one, whose example lies in the larger
    ball too. So robustness never rises with epsilon, and a verdict may use the smaller radii of the same call.

    Args:
        model: a callable from images to logits [n, classes].
        x: float32 [n, C, H, W] in [0, 1].
        y: int64 [n].
        epsilons: radii in pixels, in any order.
        spec: steps, step length, restarts and batch size.
        key: what the random starts are drawn from; each radius and restart has a stream of its own.
        ids: int64 [n], one per image: its start depends on key and id, not on the batch it is in.

    Returns:
        bool [len(epsilons), n], True where the image stays right.

    Raises:
        ValueError: images, labels or ids of a wrong shape, type or range.
    """
    check_images(x, y, ids)
    ids, shape = ids.to(x.device), tuple(x.shape[1:])
    robust = torch.empty(len(epsilons), len(x), dtype=torch.bool, device=x.device)
    with attack_mode(model, x.device):
        alive = is_right(logits_of(model, x, spec.batch_size), y)
        for row in sorted(range(len(epsilons)), key=epsilons.__getitem__):
            epsilon = float(epsilons[row])
            for restart in range(spec.restarts):
                stream = derive_seed("pgd start", key, repr(epsilon), restart)
                for some in alive.nonzero().squeeze(1).split(spec.batch_size):
                    start = unit_noise(stream, ids[some], shape)
                    images = pgd_images(model, x[some], y[some], epsilon, spec.steps, spec.step_ratio, start)
                    alive[some] = is_right(logits_of(model, images, spec.batch_size), y[some])
            robust[row] = alive
    return robust
