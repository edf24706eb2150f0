"""Training by a dynamic method: before every epoch it is asked what the epoch presents.

The driver keeps the account of presentations, gives the method a generator of each epoch's own and the signals that it
declares, of the model as it stands, and moves the learning-rate schedule with what has been presented: a share of the
budget is that share of the schedule, however many rounds it took. A method with a budget of its own has `epochs` rounds
of equal length in the schedule instead. Training's own draws (order, augmentation, noise) are those of every other
training: functions of seed, epoch and sample id.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from benchmark.data import Dataset
from benchmark.randomness import derive_seed, normal_images
from benchmark.spec import Recipe
from benchmark.stages.stopwatch import stopwatch
from benchmark.stages.trace import SNAPSHOT_BATCH, Report, Reporter, unreported
from benchmark.stages.train import Passes, Round, batches_per_epoch, fit, trades_images, trades_losses
from methods.api import Signals
from methods.dynamics import DynamicMethod, Presentations, TrainingContext, described, present
from methods.signals import Signal, get_signal
from methods.signals.recorder import Recorder

if TYPE_CHECKING:
    from benchmark.models.classifier import Classifier

Arrays = dict[str, NDArray[Any]]

DERIVED = {"clean_error", "attacked_error", "attacked_features"}  # what takes a pass over the pool to know


@dataclass
class Course:
    """What a training by a dynamic method came to.

    passes       of training
    selecting    of what the method read, beside training
    seconds      that choosing took, reading included
    seen         bool [N]: presented at least once, with a positive weight
    rounds       epochs that presented anything
    """

    seen: Tensor
    passes: Passes = field(default_factory=Passes)
    selecting: Passes = field(default_factory=Passes)
    seconds: float = 0.0
    presentations: int = 0
    rounds: int = 0


def train_by(
    method: DynamicMethod,
    model: "Classifier",
    data: Dataset,
    recipe: Recipe,
    k: int,
    seed: int,
    selection_seed: int,
    *,
    weighted: bool = True,
    device: str = "cpu",
    report: Report = unreported,
) -> Course:
    """Trains the model in place on what the method presents, `recipe.epochs` times `k` samples in all.

    Raises:
        CoresetBenchError: the method failed, or the loss is no longer finite.
    """
    driver = _Driver(method, model, data, recipe, k, selection_seed, weighted, device)
    watch = _Watch(driver, report)
    driver.course.passes = fit(
        model,
        data.train,
        driver.rounds(),
        recipe,
        seed,
        driver.schedule,
        recipe.epochs,
        observer=watch,
        last_loss=driver.last_loss,
    )
    return driver.course


class _Driver:
    """One training's account, and the rounds that come of it."""

    def __init__(
        self,
        method: DynamicMethod,
        model: "Classifier",
        data: Dataset,
        recipe: Recipe,
        k: int,
        seed: int,
        weighted: bool,
        device: str,
    ) -> None:
        self.method, self.model, self.data, self.recipe, self.seed = method, model, data, recipe, seed
        self.weighted, self.device = weighted, device
        self.info = described(method)
        pool = len(data.train)
        self.budget = Presentations(pool, pool if self.info.own_budget else k, recipe.epochs)
        self.schedule = recipe.epochs * batches_per_epoch(self.budget.k, recipe.batch_size)
        place = next(model.parameters()).device
        self.last_loss = torch.full((pool,), math.log(data.num_classes), device=place)
        self.course = Course(torch.zeros(pool, dtype=torch.bool))
        self.labels = data.train.labels.numpy()
        self.presented = 0  # in the round at hand

    def rounds(self) -> Iterator[Round]:
        """Each epoch's round, chosen when training asks for it, until the budget is spent."""
        memory: dict[str, Any] = {}
        budget, epoch = self.budget, 0
        while budget.left > 0 and not (self.info.own_budget and epoch == budget.epochs):
            seconds = stopwatch(self.device)
            rng = np.random.default_rng(derive_seed("round", self.seed, epoch))
            context = TrainingContext(
                self.labels, self.data.num_classes, self._signals(epoch), rng, None, self.device, memory
            )
            chosen = present(self.method, context, budget, epoch)
            ids, weights = torch.from_numpy(chosen.indices), None
            if chosen.weights is not None and self.weighted:
                weights = self._scaled(ids, torch.from_numpy(chosen.weights))
            start, end = self._place(budget, epoch, len(ids))
            self._note(ids if chosen.weights is None else ids[torch.from_numpy(chosen.weights) > 0], len(ids))
            self.course.seconds += seconds()
            yield Round(ids, start, end, weights, per_batch=self.info.weighting == "batch")
            budget, epoch = budget.after(len(ids)), epoch + 1

    def _place(self, budget: Presentations, epoch: int, count: int) -> tuple[float, float]:
        """Where a round of so many samples begins and ends in the schedule."""
        if self.info.own_budget:
            length = self.schedule / budget.epochs
            return epoch * length, (epoch + 1) * length
        spent = budget.spent, budget.spent + count
        return self.schedule * spent[0] / budget.total, self.schedule * spent[1] / budget.total

    def _scaled(self, ids: Tensor, weights: Tensor) -> Tensor:
        """Weights by sample id, of mean 1 over the round if that is how the method means them."""
        if self.info.weighting == "round":
            weights = weights / weights.mean()
        by_id = torch.zeros(len(self.last_loss), device=self.last_loss.device)
        by_id[ids.to(by_id.device)] = weights.to(by_id.device, torch.float32)
        return by_id

    def _note(self, counted: Tensor, presented: int) -> None:
        self.course.seen[counted] = True
        self.course.presentations += presented
        self.course.rounds += 1
        self.presented = presented

    def _signals(self, epoch: int) -> "Live":
        return Live(
            {name: get_signal(name) for name in self.info.needs},
            lambda view: self._recorded(view, epoch),
            self.budget.epochs,
            self.info.name,
        )

    def _recorded(self, view: str, epoch: int) -> Arrays:
        """All declared signals of a view, of the model as it stands."""
        signals = [s for s in map(get_signal, self.info.needs) if s.view == view]
        images, count = self.data.train, len(self.data.train)
        batches = images.batches(torch.arange(count), SNAPSHOT_BATCH)
        if view == "snapshot":
            recorder = Recorder(signals, count, 1, derive_seed("signals", self.seed, epoch))
            recorder.snapshot(0, batches, self.model)
            forward, backward = recorder.snapshot_passes(0)
            self._paid(forward, backward)
            return recorder.arrays()
        if not any(DERIVED & set(signal.inputs) for signal in signals):
            given = {"last_loss": self.last_loss, "y": images.labels.to(self.last_loss.device)}
            return _filled(signals, count, [(np.arange(count), given)])
        steps = self.recipe.inner_steps if self.recipe.objective == "trades" else 0
        self._paid(steps + 3 if steps else 1, steps)  # an attack, its target, and both images
        return _filled(signals, count, self._objective(batches, derive_seed("attack", self.seed, epoch)))

    def _objective(self, batches: Any, key: int) -> Iterator[tuple[NDArray[Any], Mapping[str, Tensor]]]:
        """The objective's derivatives for each batch of samples, in evaluation mode on un-augmented images."""
        training = self.model.training
        self.model.eval()
        try:
            for x, y, ids in batches:
                given = derivatives(self.model, x, y, self.recipe, normal_images(key, ids, x.shape[1:]))
                yield ids.cpu().numpy(), {**given, "last_loss": self.last_loss[ids], "y": y}
        finally:
            self.model.train(training)

    def _paid(self, forward: int, backward: int) -> None:
        self.course.selecting.forward += len(self.data.train) * forward
        self.course.selecting.backward += len(self.data.train) * backward


def derivatives(model: "Classifier", x: Tensor, y: Tensor, recipe: Recipe, noise: Tensor) -> dict[str, Tensor]:
    """Of each sample's objective with respect to its logits, clean and attacked, and the attacked features.

    In the model's present mode, but for the attack, which is that of training.
    """
    mode = model.training
    with torch.no_grad():
        z, h = (part.float() for part in model.logits_and_features(x))
    z.requires_grad_()
    if recipe.objective == "trades":
        adversarial = trades_images(model, x, recipe, noise)
        model.train(mode)
        with torch.no_grad():
            z_attacked, h_attacked = (part.float() for part in model.logits_and_features(adversarial))
        z_attacked.requires_grad_()
        objective = trades_losses(z, z_attacked, y, recipe.beta).sum()
        clean, attacked = torch.autograd.grad(objective, (z, z_attacked))
        return {"clean_error": clean, "attacked_error": attacked, "attacked_features": h_attacked}
    (clean,) = torch.autograd.grad(F.cross_entropy(z, y, reduction="sum"), z)
    return {"clean_error": clean, "attacked_error": torch.zeros_like(clean), "attacked_features": h}


def _filled(signals: list[Signal], count: int, given: Any) -> Arrays:
    """The arrays of signals from batches of (rows, what their functions ask for)."""
    arrays: Arrays = {}
    for rows, offered in given:
        for signal in signals:
            values = signal.function(**{name: offered[name] for name in signal.inputs}).detach().cpu().numpy()
            array = arrays.setdefault(signal.name, np.zeros((count, *values.shape[1:]), dtype=signal.dtype))
            array[rows] = values
    return arrays


class Live(Signals):
    """The declared signals of a model in training. A view is recorded whole when one of its signals is first read."""

    def __init__(
        self, declared: Mapping[str, Signal], record: Callable[[str], Arrays], epochs: int, asked_by: str
    ) -> None:
        super().__init__({}, epochs, asked_by=asked_by)
        self._declared, self._record = declared, record

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._declared))

    def __getattr__(self, name: str) -> NDArray[np.generic]:
        if not name.startswith("_") and name in self._declared and name not in self._arrays:
            for found, array in self._record(self._declared[name].view).items():
                array.flags.writeable = False
                self._arrays[found] = array
        return super().__getattr__(name)


class _Watch(Reporter):
    """Reports the work of each round, which differ in size."""

    def __init__(self, driver: _Driver, report: Report) -> None:
        super().__init__(report, 0)
        self.driver = driver

    def epoch_end(self, epoch: int) -> None:
        self.report(self.driver.presented * self.driver.recipe.work)
