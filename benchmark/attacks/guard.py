"""The attack that guards the others: both PGDs, much longer and from many more starts.

What it finds and they did not says how far their verdicts can be trusted.
"""

import torch
from torch import Tensor

from benchmark.attacks.model import Model, attack_mode, check_images, is_right, logits_of
from benchmark.attacks.pgd import Objective, cross_entropy, margin, nearest_wrong, resisting, unit_noise
from benchmark.attacks.signs import Signs, signs
from benchmark.randomness import derive_seed
from benchmark.spec import PGD, MarginPGD


def guard(
    model: Model,
    x: Tensor,
    y: Tensor,
    epsilon: float,
    descent: PGD,
    climb: MarginPGD,
    factor: int,
    key: int,
    ids: Tensor,
) -> tuple[dict[str, Tensor], Signs]:
    """PGD on the cross-entropy, then on the margin, with `factor` times the steps and the restarts.

    All restarts of an image run side by side in one batch, and only images that are still right go on: robust ones
    cost, others hardly anything. The margin to each of its classes, which `margin_pgd` climbs once, is climbed `factor`
    times. Every start is drawn anew.

    Args:
        model: a callable from images to logits [n, classes].
        x: float32 [n, C, H, W] in [0, 1].
        y: int64 [n].
        epsilon: the radius in pixels.
        descent: the PGD on the cross-entropy that is guarded.
        climb: the PGD on the margin that is guarded.
        factor: how many times their steps and restarts.
        key: what the random starts are drawn from.
        ids: int64 [n], one per image: its starts depend on key and id, not on the batch it is in.

    Returns:
        "pgd" and "margin", each bool [n]: still right after it and all before it; and the model's own signs.

    Raises:
        ValueError: images, labels or ids of a wrong shape, type or range.
    """
    check_images(x, y, ids)
    ids, shape = ids.to(x.device), tuple(x.shape[1:])

    def withstood(alive: Tensor, spec: PGD | MarginPGD, starts: list[int], objective: Objective, aim: Tensor) -> Tensor:
        standing = alive.clone()
        for some in alive.nonzero().squeeze(1).split(max(1, spec.batch_size // len(starts))):
            start = torch.cat([unit_noise(stream, ids[some], shape) for stream in starts])
            copies, steps = some.repeat(len(starts)), factor * spec.steps
            right = resisting(
                model, x[copies], y[copies], epsilon, steps, spec.step_ratio, start, objective, aim[copies]
            )
            standing[some] = right.view(len(starts), -1).all(dim=0)
        return standing

    with attack_mode(model, x.device):
        logits = logits_of(model, x, descent.batch_size)
        alive = is_right(logits, y)
        starts = [derive_seed("guard pgd start", key, run) for run in range(factor * descent.restarts)]
        after = alive = withstood(alive, descent, starts, cross_entropy, y)
        for number, aim in enumerate(nearest_wrong(logits, y, climb.targets)):
            starts = [derive_seed("guard margin start", key, number, run) for run in range(factor)]
            alive = withstood(alive, climb, starts, margin, aim)
        return {"pgd": after, "margin": alive}, signs(model, x, y, logits, descent.batch_size)
