"""The authors' TRADES loop (Zhang et al. 2019), as its structure is: the yardstick of training's speed.

The clean output is computed in every inner step, and again for the loss; networks and images keep their plain layout;
everything is float32. The image's gradient alone is asked for, as there.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmark.spec import Recipe


def trades_step(
    model: nn.Module, x: Tensor, y: Tensor, noise: Tensor, optimiser: torch.optim.Optimizer, recipe: Recipe
) -> None:
    """One batch."""
    criterion = nn.KLDivLoss(reduction="sum")
    model.eval()
    adversarial = x.detach() + 0.001 * noise
    for _ in range(recipe.inner_steps):
        adversarial.requires_grad_()
        with torch.enable_grad():
            loss = criterion(F.log_softmax(model(adversarial), dim=1), F.softmax(model(x), dim=1))
        (gradient,) = torch.autograd.grad(loss, [adversarial])
        adversarial = adversarial.detach() + recipe.inner_step_size * torch.sign(gradient.detach())
        adversarial = torch.min(torch.max(adversarial, x - recipe.epsilon), x + recipe.epsilon)
        adversarial = torch.clamp(adversarial, 0.0, 1.0)
    model.train()
    optimiser.zero_grad()
    logits = model(x)
    natural = F.cross_entropy(logits, y)
    robust = criterion(F.log_softmax(model(adversarial), dim=1), F.softmax(model(x), dim=1)) / len(x)
    (natural + recipe.beta * robust).backward()
    optimiser.step()


def train_trades(model: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], recipe: Recipe) -> nn.Module:
    """One epoch with the optimiser of the recipe, at its peak rate."""
    optimiser = torch.optim.SGD(
        model.parameters(), recipe.lr, recipe.momentum, nesterov=recipe.nesterov, weight_decay=recipe.weight_decay
    )
    for x, y in batches:
        trades_step(model, x, y, torch.randn(x.shape), optimiser, recipe)
    return model.eval()
