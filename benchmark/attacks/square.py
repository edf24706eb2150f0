"""Square attack (Andriushchenko et al. 2020, arXiv:1912.00049) at the cost of its forward passes.

The package moves whole images some ten times a query although a query changes one square of each. Here only the
square is computed, and images that have fallen leave. The draws, their order and every image are the package's, bit
for bit.
"""

import math
from typing import Any

import torch
from pyautoattack.square import SquareAttack
from torch import Tensor


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

    def margin(self, x: Tensor, y: Tensor) -> Tensor:
        """The label's logit minus the largest other one [n]: the loss as well, and all that a query reads."""
        logits = self.predict(x)
        label = y[:, None]
        others = logits.scatter(1, label, -torch.inf).amax(dim=1)
        return logits.gather(1, label).squeeze(1) - others

    def _queried(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        channels, height, width = x.shape[1:]
        best = torch.clamp(x + self.eps * self.random_choice([len(x), channels, 1, width]), 0.0, 1.0)
        margin = self.margin(best, y)
        queries, last = torch.ones(len(x), device=x.device), best.clone()
        alive = torch.arange(len(x), device=x.device)
        lower, upper = x - self.eps, x + self.eps
        for query in range(self.n_queries):
            standing = margin > 0
            if not standing.all():
                last[alive[~standing]] = best[~standing]
                alive, y, margin = alive[standing], y[standing], margin[standing]
                best, lower, upper = best[standing], lower[standing], upper[standing]
            if not len(alive):
                break
            side = min(max(round(math.sqrt(self.p_selection(query) * height * width)), 1), height, width)
            top, left = int(self.random_int(0, height - side)), int(self.random_int(0, width - side))
            window = (..., slice(top, top + side), slice(left, left + side))
            step = 2.0 * self.eps * self.random_choice([channels, 1, 1])
            before = best[window].clone()
            after = torch.clamp(torch.min(torch.max(before + step, lower[window]), upper[window]), 0.0, 1.0)
            best[window] = after
            new = self.margin(best, y)
            better = (new < margin) | (new <= 0)
            margin = torch.where(better, new, margin)
            best[window] = torch.where(better[:, None, None, None], after, before)
            queries[alive] += 1
        last[alive] = best
        return queries, last
