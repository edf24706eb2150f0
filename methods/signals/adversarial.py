"""Signals of a model under attack: how far, how soon and how surely an image can be made to change its class.

All three move pixels in [0, 1], with normalisation inside the model, and treat each image apart, so that the batch
changes nothing. They start at the image itself and draw nothing.

How strong PGD is cannot depend on the data set's name. Its radius is an eighth of the standard deviation by which the
model normalises its pixels, averaged over channels: 0.031 on CIFAR-10, the usual 8/255. A model without a `std` is
attacked at 8/255. Ten steps of a quarter of the radius, as in GAIRAT (0.007) and MAIL.
"""

from typing import TYPE_CHECKING, Any

from methods.signals import signal
from methods.signals.online import label_minus_largest_other

if TYPE_CHECKING:  # torch is imported by whoever trains; listing the signals stays light
    from torch import Tensor

ITERATIONS, OVERSHOOT, MARGIN, RIVALS = 50, 0.02, 1e-4, 9  # of DeepFool
DEEPFOOL_PASSES = 3, 14  # on average, as seen with a small CNN on CIFAR-10; 2 and 10 with an MLP on digits
STEPS, STEP_RATIO, STDS, EPSILON = 10, 1 / 4, 1 / 8, 8 / 255  # of PGD


@signal("deepfool_norm", view="snapshot", shape="[N]", passes=DEEPFOOL_PASSES)
def deepfool_norm(model: Any, x: "Tensor", logits: "Tensor") -> "Tensor":
    """L2 norm of the DeepFool perturbation, in pixels (Moosavi-Dezfooli et al. 2016, arXiv:1511.04599, algorithm 2).

    Each iteration steps to the nearest of the linearised boundaries between the predicted class and its rivals, the 9
    next classes of the clean image; 2 % of overshoot and 1e-4 a step carry it across, as in the authors' code. At most
    50 iterations, most images need two or three, of up to 9 backward passes each. What is still not across gets the
    diameter of the pixel cube, sqrt(number of pixels), and nothing gets more.
    """
    import torch

    predicted = logits.argmax(dim=1)
    others = logits.scatter(1, predicted[:, None], -torch.inf)
    rivals = others.topk(min(RIVALS, logits.shape[1] - 1), dim=1).indices
    diameter = x[0].numel() ** 0.5
    norms, moved = x.new_full((len(x),), diameter), torch.zeros_like(x)
    active = torch.arange(len(x), device=x.device)
    for _ in range(ITERATIONS):
        if not len(active):
            break
        here = x[active] + moved[active]
        moved[active] += (1 + OVERSHOOT) * _to_nearest_boundary(model, here, predicted[active], rivals[active])
        with torch.no_grad():
            across = model(x[active] + moved[active]).argmax(dim=1) != predicted[active]
        norms[active[across]] = moved[active[across]].flatten(1).norm(dim=1)
        active = active[~across]
    return _unless_diverged(norms.clamp(max=diameter), logits)


@signal("pgd_steps", view="snapshot", shape="[N]", passes=(STEPS + 1, STEPS + 1))
def pgd_steps(model: Any, x: "Tensor", y: "Tensor", logits: "Tensor") -> "Tensor":
    """Least number of PGD steps that make the image misclassified: 0 to 10, or 11 if none does (GAIRAT)."""
    import torch

    steps = x.new_full((len(x),), STEPS + 1)
    active, attacked = torch.arange(len(x), device=x.device), x
    for step in range(STEPS + 1):
        if not len(active):
            break
        following, values = _ascended(model, attacked, x[active], y[active])
        wrong = values.argmax(dim=1) != y[active]
        steps[active[wrong]] = step
        active, attacked = active[~wrong], following[~wrong]
    return _unless_diverged(steps, logits)


@signal("adversarial_margin", view="snapshot", shape="[N]", passes=(STEPS + 1, STEPS))
def adversarial_margin(model: Any, x: "Tensor", y: "Tensor") -> "Tensor":
    """The label's probability minus the largest other one after ten steps of PGD (MAIL)."""
    import torch

    attacked = x
    for _ in range(STEPS):
        attacked, _ = _ascended(model, attacked, x, y)
    with torch.no_grad():
        return label_minus_largest_other(model(attacked).softmax(dim=1), y)


def radius(model: Any) -> float:
    """The L-infinity radius of PGD on this model, in pixels."""
    std = getattr(model, "std", None)
    return EPSILON if std is None else STDS * float(std.mean())


def _ascended(model: Any, attacked: "Tensor", x: "Tensor", y: "Tensor") -> "tuple[Tensor, Tensor]":
    """The images after one step of PGD on the cross-entropy, in the ball around x, and their logits before it."""
    import torch
    from torch.nn.functional import cross_entropy

    with torch.enable_grad():
        attacked = attacked.detach().requires_grad_()
        values = model(attacked)
        loss = cross_entropy(values, y, reduction="sum")  # summed, so that each image has its own gradient
    (slope,) = torch.autograd.grad(loss, attacked)
    epsilon = radius(model)
    moved = attacked.detach() + STEP_RATIO * epsilon * slope.sign()
    return moved.clamp((x - epsilon).clamp(min=0), (x + epsilon).clamp(max=1)), values.detach()


def _to_nearest_boundary(model: Any, x: "Tensor", predicted: "Tensor", rivals: "Tensor") -> "Tensor":
    """The shortest step, by the slopes at x, that brings one of the rivals level with the predicted class.

    An image without any slope stays where it is.
    """
    import torch

    with torch.enable_grad():
        x = x.detach().requires_grad_()
        values = model(x)
        gaps = values.gather(1, rivals) - values.gather(1, predicted[:, None])
        step, nearest = torch.zeros_like(x), x.new_full((len(x),), torch.inf)
        for rival in range(gaps.shape[1]):
            (slope,) = torch.autograd.grad(gaps[:, rival].sum(), x, retain_graph=True)
            steepness = slope.flatten(1).norm(dim=1)
            distance = gaps[:, rival].detach().abs() / steepness
            nearer = distance < nearest  # never, without a slope
            length = ((distance + MARGIN) / steepness).view(-1, *[1] * (x.ndim - 1))
            step = torch.where(nearer.view_as(length), length * slope, step)
            nearest = torch.where(nearer, distance, nearest)
    return step


def _unless_diverged(values: "Tensor", logits: "Tensor") -> "Tensor":
    """NaN for an image whose clean logits are not finite: an attack on them would find something all the same."""
    return values.where(logits.isfinite().all(dim=1), float("nan"))
