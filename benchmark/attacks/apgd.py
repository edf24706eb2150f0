"""APGD (Croce and Hein, ICML 2020, arXiv:2003.01690) without the images that have fallen.

The package takes all steps with every image, and of one that fell it reads no more than one example that fools. Here an
image leaves with the first that does. Draws, steps and losses of the others are the package's.
"""

from dataclasses import dataclass, fields
from typing import Any

import torch
import torch.nn.functional as F
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted
from torch import Tensor


@dataclass
class _Run:
    """The images still right, n of them: where they are, and what decides on their next step."""

    rows: Tensor  # int64 [n], which images they are
    y: Tensor
    lower: Tensor  # with `upper`, what is both in the ball and in the box
    upper: Tensor
    points: Tensor
    before: Tensor  # the points one step ago
    gradient: Tensor
    length: Tensor  # of a step, [n, 1, 1, 1]
    best: Tensor  # the points of the largest loss, and their gradient and loss
    best_gradient: Tensor
    best_loss: Tensor
    judged_loss: Tensor  # the largest loss when steps were judged last
    halved: Tensor  # 1 where the step was halved then, else 0
    losses: Tensor  # after each step, [n, steps]

    def keep(self, standing: Tensor) -> None:
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name)[standing])


class SparingAPGD(APGDAttack):
    """The package's attack in the maximum norm, on the cross-entropy; `perturb` is its own."""

    y_target: Tensor | None

    @classmethod
    def of(cls, attack: APGDAttack) -> "SparingAPGD":
        """With the settings of the package's own."""
        made = cls.__new__(cls)
        made.__dict__.update(attack.__dict__)
        return made

    @torch.no_grad()
    def attack_single_run(self, x: Tensor, y: Tensor, x_init: None = None) -> Any:
        """Second of four: right at every iterate, bool [n]. Last: where not, an example that fools [n, C, H, W].

        The package's other two results, which `perturb` does not read, are left out.
        """
        noise = 2 * torch.rand(x.shape).to(x.device) - 1
        points = (x + self.eps * self.normalize(noise)).clamp_(0, 1)
        right, loss, gradient = self._climbed(points, y)
        robust, fooling = right.clone(), points.clone()
        run = _Run(
            rows=torch.arange(len(x), device=x.device),
            y=y,
            lower=(x - self.eps).clamp_(min=0),
            upper=(x + self.eps).clamp_(max=1),
            points=points,
            before=points,
            gradient=gradient,
            length=torch.full_like(x[:, :1, :1, :1], 2 * self.eps),
            best=points,
            best_gradient=gradient,
            best_loss=loss,
            judged_loss=loss,
            halved=torch.ones_like(loss),
            losses=loss.new_zeros(len(x), self.n_iter),
        )
        period, since = self.n_iter_2, 0
        for i in range(self.n_iter):
            if not right.all():
                run.keep(right)
                if self.y_target is not None:
                    self.y_target = self.y_target[right]
            if not len(run.rows):
                break
            self._step(run, 0.75 if i > 0 else 1.0)
            right, loss, run.gradient = self._climbed(run.points, run.y)
            fallen = run.rows[~right]
            robust[fallen], fooling[fallen] = False, run.points[~right]
            run.losses[:, i] = loss
            improved = loss > run.best_loss
            run.best_loss = torch.where(improved, loss, run.best_loss)
            improved = improved[:, None, None, None]
            run.best = torch.where(improved, run.points, run.best)
            run.best_gradient = torch.where(improved, run.gradient, run.best_gradient)
            since += 1
            if since == period:
                self._judge(run, i, period)
                period, since = max(period - self.size_decr, self.n_iter_min), 0
        return None, robust, None, fooling

    def _climbed(self, points: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Right [n], loss [n] and its gradient [n, C, H, W]."""
        points = points.detach().requires_grad_()
        with torch.enable_grad():
            logits = self.model(points)
            loss = self._loss(logits, y)
            (gradient,) = torch.autograd.grad(loss.sum(), points)
        return logits.detach().max(1).indices == y, loss.detach(), gradient

    def _loss(self, logits: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(logits, y, reduction="none")

    def _step(self, run: _Run, share: float) -> None:
        """One step along the gradient's signs, and `share` of it with what is left of the step before."""
        aim = torch.clamp(run.points + run.length * run.gradient.sign(), run.lower, run.upper)
        moved = run.points + (aim - run.points) * share + (run.points - run.before) * (1 - share)
        run.before, run.points = run.points, torch.clamp(moved, run.lower, run.upper)

    def _judge(self, run: _Run, i: int, period: int) -> None:
        """Halves the step, and goes back to the best points, where the last steps rose too seldom or to no new best."""
        seldom = self.check_oscillation(run.losses.T, i, period, run.best_loss, k3=self.thr_decr)
        stuck = (1 - run.halved) * (run.judged_loss >= run.best_loss)
        run.halved, run.judged_loss = torch.max(seldom, stuck), run.best_loss
        back = (run.halved > 0)[:, None, None, None]
        run.length = torch.where(back, run.length / 2, run.length)
        run.points = torch.where(back, run.best, run.points)
        run.gradient = torch.where(back, run.best_gradient, run.gradient)


class SparingTargetedAPGD(SparingAPGD, APGDAttack_targeted):
    """The package's attack on the targeted difference of logits ratio, one class after another."""

    def _loss(self, logits: Tensor, y: Tensor) -> Tensor:
        loss: Tensor = self.dlr_loss_targeted(logits, y)
        return loss
