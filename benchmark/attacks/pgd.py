"""Projected gradient descent in the L-infinity ball (Madry et al., ICLR 2018, arXiv:1706.06083)."""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.attacks.model import Model, attack_mode, check_images, is_right, logits_of
from benchmark.randomness import derive_seed, uniform_images
from benchmark.spec import PGD, MarginPGD

Objective = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def unit_noise(key: int, ids: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Uniform float32 noise in (-1, 1), shape [n, *shape], the draws of each image its own."""
    return uniform_images(key, ids, shape).mul_(2).sub_(1)


def pgd_images(
    model: Model,
    x: Tensor,
    y: Tensor,
    epsilon: float | Tensor,
    steps: int,
    step_ratio: float,
    start: Tensor,
    objective: Objective | None = None,
) -> Tensor:
    """The last iterates of PGD, one per image, on the summed cross-entropy unless another objective is given.

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
        objective: what is maximised: a function of logits [n, classes], y and None that sums over the images.

    Returns:
        float32, shape of x, in [0, 1] and within epsilon of x up to float32 rounding.
    """
    adversarial, lower, upper, step = _prepared(x, epsilon, step_ratio, start)
    for _ in range(steps):
        _, direction = _direction(model, adversarial, y, objective or cross_entropy, None)
        adversarial = torch.clamp(adversarial.detach() + step * direction, lower, upper)
    return adversarial


def resisting(
    model: Model,
    x: Tensor,
    y: Tensor,
    epsilon: float | Tensor,
    steps: int,
    step_ratio: float,
    start: Tensor,
    objective: Objective,
    aims: Tensor | None = None,
) -> Tensor:
    """Which images are classified right at every iterate of `pgd_images`, the start among them: bool [n].

    An image that falls leaves the batch, which changes nothing for the others. `aims` [n] is handed to the
    objective, image by image; the other arguments are those of `pgd_images`.
    """
    right, rows = torch.ones(len(x), dtype=torch.bool, device=x.device), torch.arange(len(x), device=x.device)
    adversarial, lower, upper, step = _prepared(x, epsilon, step_ratio, start)
    for _ in range(steps):
        logits, direction = _direction(model, adversarial, y, objective, aims)
        standing = is_right(logits, y)
        adversarial = torch.clamp(adversarial.detach() + step * direction, lower, upper)
        if not standing.all():
            right[rows[~standing]] = False
            rows, y, adversarial = rows[standing], y[standing], adversarial[standing]
            lower, upper = lower[standing], upper[standing]
            step = step[standing] if isinstance(step, Tensor) else step
            aims = None if aims is None else aims[standing]
    right[rows] = is_right(logits_of(model, adversarial, max(len(rows), 1)), y)
    return right


def _prepared(
    x: Tensor, epsilon: float | Tensor, step_ratio: float, start: Tensor
) -> tuple[Tensor, Tensor, Tensor, float | Tensor]:
    """The first iterate, the bounds of all, and the length of a step."""
    radius = epsilon.view(-1, 1, 1, 1) if isinstance(epsilon, Tensor) else epsilon
    lower, upper = (x - radius).clamp_(min=0), (x + radius).clamp_(max=1)
    return torch.clamp(x + radius * start, lower, upper), lower, upper, step_ratio * radius


def _direction(
    model: Model, adversarial: Tensor, y: Tensor, objective: Objective, aims: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Logits, and the signs of the gradient with respect to the images alone: 0 where it is not a number."""
    adversarial.requires_grad_()
    with torch.enable_grad():
        logits = model(adversarial)
        loss = objective(logits, y, aims)
    return logits.detach(), torch.autograd.grad(loss, adversarial)[0].sign_()


def pgd(model: Model, x: Tensor, y: Tensor, epsilons: Sequence[float], spec: PGD, key: int, ids: Tensor) -> Tensor:
    """Which images stay classified right under PGD on the cross-entropy, at several radii in one call.

    An image is robust if it is right when clean and at every iterate. Only images still right are attacked: one
    that falls leaves its run, a later restart skips those that an earlier one fooled, and, radii being taken in
    ascending order, a larger radius skips those fooled at a smaller one, whose example lies in the larger ball
    too. So robustness never rises with epsilon, and a verdict may use the smaller radii of the same call.

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
    with attack_mode(model, x.device):
        right = is_right(logits_of(model, x, spec.batch_size), y)
        return _survivors(
            model, x, y, epsilons, spec, ("pgd start", key), ids, right, cross_entropy, [None] * spec.restarts
        )


def margin_pgd(
    model: Model, x: Tensor, y: Tensor, epsilons: Sequence[float], spec: MarginPGD, key: int, ids: Tensor
) -> Tensor:
    """The same, on the margin z_c - z_y to one wrong class c after another, the nearest of the clean image first.

    Each image is aimed at min(spec.targets, classes - 1) classes. The margin has a gradient where the cross-entropy
    of a flat or a saturated softmax has almost none (Carlini and Wagner 2017, arXiv:1608.04644; Gowal et al. 2019,
    arXiv:1910.09338). Arguments, result and errors are those of `pgd`.
    """
    check_images(x, y, ids)
    with attack_mode(model, x.device):
        logits = logits_of(model, x, spec.batch_size)
        right = is_right(logits, y)
        aims = nearest_wrong(logits, y, spec.targets)
        return _survivors(model, x, y, epsilons, spec, ("margin pgd start", key), ids, right, margin, aims)


def nearest_wrong(logits: Tensor, y: Tensor, count: int) -> list[Tensor]:
    """The wrong classes of the largest logits, nearest first: int64 [n], for each of `count` or of all there are."""
    wrong = logits.scatter(1, y[:, None], float("-inf")).argsort(dim=1, descending=True, stable=True)
    return list(wrong[:, : min(count, logits.shape[1] - 1)].T)


def cross_entropy(logits: Tensor, y: Tensor, aims: Tensor | None) -> Tensor:
    """Summed over the images."""
    return F.cross_entropy(logits, y, reduction="sum")


def nearest_margin(logits: Tensor, y: Tensor, aims: Tensor | None) -> Tensor:
    """The largest wrong logit minus the label's, summed over the images (Carlini and Wagner 2017)."""
    largest = logits.scatter(1, y[:, None], float("-inf")).amax(dim=1)
    return (largest - logits.gather(1, y[:, None]).squeeze(1)).sum()


def margin(logits: Tensor, y: Tensor, aims: Tensor | None) -> Tensor:
    """The logit of the class aimed at minus the label's, summed over the images."""
    assert aims is not None
    return (logits.gather(1, aims[:, None]) - logits.gather(1, y[:, None])).sum()


def _survivors(
    model: Model,
    x: Tensor,
    y: Tensor,
    epsilons: Sequence[float],
    spec: PGD | MarginPGD,
    draws: tuple[str, int],
    ids: Tensor,
    right: Tensor,
    objective: Objective,
    aims: Sequence[Tensor | None],
) -> Tensor:
    """bool [len(epsilons), n]: right after one run of PGD for each of `aims`, each on the images still right.

    `draws` is the purpose and key of the random starts.
    """
    ids, shape = ids.to(x.device), tuple(x.shape[1:])
    robust, alive = torch.empty(len(epsilons), len(x), dtype=torch.bool, device=x.device), right
    for row in sorted(range(len(epsilons)), key=epsilons.__getitem__):
        epsilon = float(epsilons[row])
        for run, aim in enumerate(aims):
            stream = derive_seed(*draws, repr(epsilon), run)
            for some in alive.nonzero().squeeze(1).split(spec.batch_size):
                start, aimed = unit_noise(stream, ids[some], shape), None if aim is None else aim[some]
                alive[some] = resisting(
                    model, x[some], y[some], epsilon, spec.steps, spec.step_ratio, start, objective, aimed
                )
        robust[row] = alive
    return robust
