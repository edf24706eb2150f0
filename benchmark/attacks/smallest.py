"""The smallest epsilon at which PGD on the margin fools each image, by bounded bisection."""

import torch
from torch import Tensor

from benchmark.attacks.model import Model, attack_mode, check_images, is_right, logits_of
from benchmark.attacks.pgd import nearest_margin, resisting, unit_noise
from benchmark.randomness import derive_seed
from benchmark.spec import SmallestEpsilon


def smallest_epsilon(
    model: Model,
    x: Tensor,
    y: Tensor,
    bound: float,
    spec: SmallestEpsilon,
    key: int,
    ids: Tensor,
    batch_size: int = 512,
) -> Tensor:
    """The smallest level of the grid `j * bound / levels` at which PGD was seen to fool each image.

    All images of a batch bisect together, each at a radius of its own, in ceil(log2(levels + 1)) runs of PGD
    from one start per image. Every level reported as fooled was attacked and was fooled. That no smaller
    level would have been is assumed (success rises with epsilon): the level bounds the true smallest epsilon
    from above.

    Args:
        model: a callable from images to logits [n, classes].
        x: float32 [n, C, H, W] in [0, 1].
        y: int64 [n].
        bound: the largest radius tried, in pixels.
        spec: levels, steps and step length; its own `bound`, a multiple, is for the caller to apply.
        key: what the random starts are drawn from.
        ids: int64 [n], one per image: its start depends on key and id, not on the batch it is in.
        batch_size: images a pass; moves results by rounding at most.

    Returns:
        int64 [n]: 0 where the image is wrong when clean, 1 to levels for a level that fooled it, and
        levels + 1 where none did that was tried, the bound itself among them.

    Raises:
        ValueError: images, labels or ids of a wrong shape, type or range.
    """
    check_images(x, y, ids)
    ids, shape = ids.to(x.device), tuple(x.shape[1:])
    stream = derive_seed("smallest epsilon start", key)
    with attack_mode(model, x.device):
        right = is_right(logits_of(model, x, batch_size), y)
        level = torch.where(right, spec.levels + 1, 0)
        for some in right.nonzero().squeeze(1).split(batch_size):
            images, labels, start = x[some], y[some], unit_noise(stream, ids[some], shape)
            resisted, fooled = torch.zeros_like(some), level[some]
            # the gap, levels + 1 at first, halves for every image until it is one
            for _ in range(spec.levels.bit_length()):
                middle = (resisted + fooled) // 2
                radius = middle * (bound / spec.levels)
                robust = resisting(model, images, labels, radius, spec.steps, spec.step_ratio, start, nearest_margin)
                resisted, fooled = torch.where(robust, middle, resisted), torch.where(robust, fooled, middle)
            level[some] = fooled
    return level
