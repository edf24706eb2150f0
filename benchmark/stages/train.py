"""Training a classifier on a coreset, standard or TRADES.

A coreset is trained on as a set: every draw (order, augmentation, noise) is a function of the seed, the epoch and the
sample's id, so two equal sets give the same model bit for bit and the order of picks leaves no trace. `train` presents
one coreset in every epoch, `fit` whatever each round brings.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.randomness import derive_seed, normal_images, shuffled
from benchmark.spec import Recipe
from methods.errors import CoresetBenchError

if TYPE_CHECKING:
    from benchmark.data import Batch, Images
    from benchmark.models.classifier import Classifier

WARM_UP = 0.2  # share of a one-cycle schedule in which the rate rises
SECOND = 0.999  # how AdamW's average of squared gradients forgets
NOISE = 0.001  # standard deviation of TRADES' starting point, in pixels


class Observer(Protocol):
    """Watches a training run without touching it: how a proxy is traced."""

    def step(self, epoch: int, ids: Tensor, x: Tensor, y: Tensor, logits: Tensor, features: Tensor) -> None: ...

    def epoch_end(self, epoch: int) -> None: ...


@dataclass
class Passes:
    """Samples sent forward and backward through the network: the cost that does not depend on the machine."""

    forward: int = 0
    backward: int = 0
    steps: int = 0

    def add(self, recipe: Recipe, samples: int) -> None:
        """One optimiser step."""
        forward, backward = recipe.passes
        self.forward += samples * forward
        self.backward += samples * backward
        self.steps += 1


@dataclass(frozen=True)
class Round:
    """What one epoch presents, and its part of the learning-rate schedule.

    ids        int64 [k], in any order
    start, end  where it begins and ends in the schedule, in steps
    weights    float, one for each image of the data set, used as they are; None is 1 each
    per_batch  scale the weights to mean 1 in each batch
    batches    how many of its batches are presented; None is all
    """

    ids: Tensor
    start: float
    end: float
    weights: Tensor | None = None
    per_batch: bool = False
    batches: int | None = None

    def share(self, batch: Tensor) -> Tensor | None:
        """The weights of a batch of ids."""
        if self.weights is None:
            return None
        weights = self.weights[batch]
        if not self.per_batch:
            return weights
        return weights / weights.mean().clamp_min(torch.finfo(weights.dtype).tiny)  # all of them may be 0


def batches_per_epoch(samples: int, batch_size: int) -> int:
    return math.ceil(samples / batch_size)


def total_steps(recipe: Recipe, samples: int, pool: int, presentations: int | None = None) -> int:
    """Optimiser steps on `samples` of a pool of `pool`: equal epochs, or as many as the full pool would take.

    With `presentations`, those that present no more samples than that: one at least.
    """
    if presentations is not None:
        epochs, rest = divmod(presentations, samples)
        batches = batches_per_epoch(samples, recipe.batch_size)
        return max(1, epochs * batches + _whole_batches(rest, samples, batches))
    return recipe.epochs * batches_per_epoch(pool if recipe.clock == "steps" else samples, recipe.batch_size)


def _whole_batches(count: int, samples: int, batches: int) -> int:
    """How many of an epoch's first even batches `count` samples fill."""
    size, larger = divmod(samples, batches)
    within = min(larger, count // (size + 1))
    return within if within < larger else larger + (count - larger * (size + 1)) // size


def rate_factor(step: float, total: int, schedule: str) -> float:
    """The learning rate at a step in [0, total), as a share of its peak.

    "one-cycle" rises linearly over the first fifth and falls along a cosine (Smith and Topin 2017); "cosine" only
    falls (Loshchilov and Hutter 2017).
    """
    if schedule == "constant":
        return 1.0
    rise = WARM_UP * total if schedule == "one-cycle" else 0.0
    if step < rise:
        return (step + 1) / (rise + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / (total - rise)))


def train(
    model: "Classifier",
    images: "Images",
    ids: Tensor,
    recipe: Recipe,
    seed: int,
    *,
    weights: Tensor | None = None,
    observer: Observer | None = None,
    until: int | None = None,
    presentations: int | None = None,
) -> Passes:
    """Trains the model in place on the samples `ids` of `images`, and leaves it in evaluation mode.

    ids            int64 [k], in any order
    weights        float [k] beside `ids`, non-negative; scaled here to mean 1
    until          stop after this many epochs of the recipe's schedule (None: all of it)
    presentations  how many samples may be presented, for the clock "cost"; the schedule spans just these

    Raises:
        CoresetBenchError: the loss is no longer finite.
    """
    ids, order = torch.sort(ids)
    scaled = None
    if weights is not None:
        scaled = torch.zeros(len(images), device=weights.device)
        scaled[ids] = (weights[order] / weights.mean()).float()
    total = total_steps(recipe, len(ids), len(images), presentations)
    batches = batches_per_epoch(len(ids), recipe.batch_size)
    epochs = math.ceil(total / batches) if until is None else until
    rounds = (
        Round(ids, epoch * batches, (epoch + 1) * batches, scaled, batches=min(batches, total - epoch * batches))
        for epoch in range(epochs)
    )
    return fit(model, images, rounds, recipe, seed, total, epochs, observer=observer)


def fit(
    model: "Classifier",
    images: "Images",
    rounds: Iterable[Round],
    recipe: Recipe,
    seed: int,
    total: int,
    epochs: int,
    *,
    observer: Observer | None = None,
    last_loss: Tensor | None = None,
) -> Passes:
    """Trains the model in place on one round after another, and leaves it in evaluation mode.

    rounds     each is asked for when the one before it has been trained on
    total      the length of the learning-rate schedule in steps
    epochs     how many rounds there are, as messages say it
    last_loss  float, one for each image: filled with the unweighted objective of its last presentation

    Raises:
        CoresetBenchError: the loss is no longer finite.
    """
    optimiser = make_optimiser(model, recipe)
    if recipe.channels_last:
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if recipe.compile:
        model.features = partial(_compiled_features(), model)  # type: ignore[method-assign]
    rounding = TF32(recipe.precision == "tf32")
    passes = Passes()
    model.train()
    for epoch, now in enumerate(rounds):
        key = derive_seed("epoch", seed, epoch)
        batches = batches_per_epoch(len(now.ids), recipe.batch_size)
        chosen = even_batches(images, shuffled(key, now.ids), batches, key, recipe)
        loss_sum = torch.zeros((), device=next(model.parameters()).device)
        for index, (x, y, batch) in zip(range(batches if now.batches is None else now.batches), chosen, strict=False):
            step = now.start + (now.end - now.start) * index / batches
            for group in optimiser.param_groups:
                group["lr"] = recipe.lr * rate_factor(step, total, recipe.schedule)
            if recipe.channels_last:
                x = x.contiguous(memory_format=torch.channels_last)
            with rounding, torch.autocast(x.device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
                if recipe.objective == "trades":
                    adversarial = trades_images(model, x, recipe, normal_images(key, batch, x.shape[1:]))
                    logits, features = model.logits_and_features(x)
                    losses = trades_losses(logits.float(), model(adversarial).float(), y, recipe.beta)
                    with torch.no_grad():
                        model(x)  # the authors' second clean pass: the same value, but batch norm sees x again
                else:
                    logits, features = model.logits_and_features(x)
                    losses = F.cross_entropy(logits.float(), y, reduction="none")
                loss = weighted_mean(losses, now.share(batch))
            optimiser.zero_grad(set_to_none=True)
            with rounding:
                loss.backward()
            if recipe.max_norm is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.max_norm)
            optimiser.step()
            loss_sum += loss.detach()
            passes.add(recipe, len(batch))
            if last_loss is not None:
                last_loss[batch] = losses.detach()
            if observer is not None:
                observer.step(epoch, batch, x, y, logits.detach().float(), features.detach().float())
        if not torch.isfinite(loss_sum):
            raise CoresetBenchError(
                f"Training diverged in epoch {epoch + 1} of {epochs} (the loss is not finite); "
                f"lower the learning rate ({recipe.lr}) or the weights of the coreset."
            )
        if observer is not None:
            observer.epoch_end(epoch)
    if not all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters()):
        raise CoresetBenchError(f"Training diverged in its last step; lower the learning rate ({recipe.lr}).")
    model.eval()
    vars(model).pop("features", None)  # what follows training is not compiled
    return passes


@cache
def _compiled_features() -> Callable[..., Tensor]:
    """The network below its last layer, compiled: once for all networks of one shape that train in this process."""
    from benchmark.models.classifier import Classifier

    return torch.compile(Classifier.features)


class TF32:
    """Whether a GPU may round the factors of float32 products to TF32 meanwhile; what was allowed before returns."""

    def __init__(self, allowed: bool) -> None:
        self.allowed = allowed

    def __enter__(self) -> None:
        self.before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
        self._allow("high" if self.allowed else "highest", self.allowed)

    def __exit__(self, *_: object) -> None:
        self._allow(*self.before)

    def _allow(self, matmul: str, convolution: bool) -> None:
        torch.set_float32_matmul_precision(matmul)
        torch.backends.cudnn.allow_tf32 = convolution


def make_optimiser(model: "Classifier", recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's, at its peak learning rate."""
    shared: dict[str, Any] = {"lr": recipe.lr, "weight_decay": recipe.weight_decay, "fused": True}
    if recipe.optimiser == "adamw":
        return torch.optim.AdamW(model.parameters(), betas=(recipe.momentum, SECOND), **shared)
    nesterov = recipe.nesterov and recipe.momentum > 0
    return torch.optim.SGD(model.parameters(), momentum=recipe.momentum, nesterov=nesterov, **shared)


def even_batches(images: "Images", ids: Tensor, batches: int, key: int, recipe: Recipe) -> Iterator["Batch"]:
    """Augmented batches whose sizes differ by one at most: a last one of a sample or two would upset batch norm."""
    size, larger = divmod(len(ids), batches)
    cut = larger * (size + 1)
    yield from images.batches(ids[:cut], size + 1, key, recipe.augment)
    yield from images.batches(ids[cut:], size, key, recipe.augment)


def weighted_mean(losses: Tensor, weights: Tensor | None) -> Tensor:
    """The batch mean of [B] losses, each times its weight (mean 1 over the coreset, not over the batch)."""
    return losses.mean() if weights is None else (losses * weights).mean()


def trades_loss(logits: Tensor, adversarial: Tensor, y: Tensor, beta: float, weights: Tensor | None = None) -> Tensor:
    """Cross-entropy plus beta times KL(p(x) || p(x')), summed over classes and averaged over the batch.

    Zhang et al. 2019 (arXiv:1901.08573), equation 5, as in the authors' code: the clean target is not detached.
    logits, adversarial: float [B, C]. Weights apply to both terms.
    """
    return weighted_mean(trades_losses(logits, adversarial, y, beta), weights)


def trades_losses(logits: Tensor, adversarial: Tensor, y: Tensor, beta: float) -> Tensor:
    """The same for each sample, [B]."""
    natural = F.cross_entropy(logits, y, reduction="none")
    robust = F.kl_div(F.log_softmax(adversarial, dim=1), F.softmax(logits, dim=1), reduction="none").sum(dim=1)
    return natural + beta * robust


def trades_images(model: "Classifier", x: Tensor, recipe: Recipe, noise: Tensor) -> Tensor:
    """The inner maximisation of TRADES: images within epsilon of x that maximise the KL to the clean output.

    In evaluation mode, from x + 0.001 * noise (not clamped), `inner_steps` signed steps, projected to the ball and
    to [0, 1]; the KL is summed over the batch. The clean output is computed once: the authors' code computes it in
    every step, to the same value. Only input gradients are taken. Leaves the model in training mode.
    """
    model.eval()
    with torch.no_grad():
        target = F.softmax(model(x).float(), dim=1)  # autocast would keep bfloat16 on a CPU: too coarse for a KL near 0
    low, high = (x - recipe.epsilon).clamp_(min=0), (x + recipe.epsilon).clamp_(max=1)
    adversarial = x + NOISE * noise
    for _ in range(recipe.inner_steps):
        adversarial.requires_grad_()
        divergence = F.kl_div(F.log_softmax(model(adversarial).float(), dim=1), target, reduction="sum")
        (gradient,) = torch.autograd.grad(divergence, adversarial)
        adversarial = adversarial.detach() + recipe.inner_step_size * gradient.sign()
        adversarial = torch.clamp(adversarial, low, high)
    model.train()
    return adversarial
