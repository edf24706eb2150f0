"""Square attack (Andriushchenko et al. 2020, arXiv:1912.00049) at the cost of what its squares reach.

A query changes one square of each image, and the package moves whole images some ten times for it. Here only the
square is computed, in the network too as far as it reaches there (`windowed.py`), and images that have fallen leave.
The draws, their order and every image are the package's.
"""

import math
from typing import Any

import torch
from pyautoattack.square import SquareAttack
from torch import Tensor

from benchmark.attacks.windowed import Box, WindowedModel


class WindowedSquare(SquareAttack):
    """The package's attack in the maximum norm; `perturb` is its own."""

    @classmethod
    def of(cls, attack: SquareAttack) -> "WindowedSquare":
        """With the settings of the package's own."""
        made = cls.__new__(cls)
        made.__dict__.update(attack.__dict__)
        return made

    def attack_single_run(self, x: Tensor, y: Tensor) -> Any:
        """Queries used [n] and the last images [n, C, H, W], as the package returns them."""
        with torch.no_grad():
            return self._queried(x, y)

    def _queried(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        channels, height, width = x.shape[1:]
        first = torch.clamp(x + self.eps * self.random_choice([len(x), channels, 1, width]), 0.0, 1.0)
        model = WindowedModel(self.predict, first)
        margin = _margin(model.logits, y)
        queries, last = torch.ones(len(x), device=x.device), first
        alive = torch.arange(len(x), device=x.device)
        lower, upper = x - self.eps, x + self.eps
        for query in range(self.n_queries):
            standing = margin > 0
            if not standing.all():
                last[alive[~standing]] = model.images[~standing]
                model.keep(standing)
                alive, y, margin = alive[standing], y[standing], margin[standing]
                lower, upper = lower[standing], upper[standing]
            if not len(alive):
                break
            side = min(max(round(math.sqrt(self.p_selection(query) * height * width)), 1), height, width)
            top, left = int(self.random_int(0, height - side)), int(self.random_int(0, width - side))
            window = Box(top, top + side, left, left + side)
            step = 2.0 * self.eps * self.random_choice([channels, 1, 1])
            changed = torch.min(torch.max(window.of(model.images) + step, window.of(lower)), window.of(upper))
            changed = torch.clamp(changed, 0.0, 1.0)
            new = _margin(model.query(window, changed), y)
            better = (new < margin) | (new <= 0)
            margin = torch.where(better, new, margin)
            model.accept(better)
            queries[alive] += 1
        last[alive] = model.images
        return queries, last


def _margin(logits: Tensor, y: Tensor) -> Tensor:
    """The label's logit minus the largest other one [n]: the loss as well, and all that a query reads."""
    label = y[:, None]
    others = logits.scatter(1, label, -torch.inf).amax(dim=1)
    return logits.gather(1, label).squeeze(1) - others
