"""One proxy training, watched: what every method reads comes from here.

Signals are recorded by `methods.signals.recorder`; recording changes nothing in the training, so a signal that is
asked for later is recorded by training the same proxy again, bit for bit.
"""

from collections.abc import Callable
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data import Dataset
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.randomness import derive_seed
from benchmark.spec import Training
from benchmark.train import Passes, train
from methods.api import HELD_OUT
from methods.signals import get_signal
from methods.signals.recorder import Recorder

SNAPSHOT_BATCH = 1024


Report = Callable[[float], None]  # takes work done, in forward-equivalents


def unreported(work: float) -> None:
    """The report of whoever has no one to tell."""


class Reporter:
    """An observer that reports the work of each epoch, and looks at nothing."""

    def __init__(self, report: Report, work: float) -> None:
        self.report, self.work = report, work

    def step(self, epoch: int, ids: Tensor, x: Tensor, y: Tensor, logits: Tensor, features: Tensor) -> None:
        pass

    def epoch_end(self, epoch: int) -> None:
        self.report(self.work)


class Tracer(Reporter):
    """Records signals of the pool, and of the held-out part where a need starts with "select."."""

    def __init__(
        self,
        needs: list[str],
        data: Dataset,
        model: Classifier,
        epochs: int,
        seed: int,
        report: Report = unreported,
        work: float = 0,
        schedule: int | None = None,
    ) -> None:
        super().__init__(report, work)
        own = [get_signal(need) for need in needs if not need.startswith(HELD_OUT)]
        held_out = [get_signal(need.removeprefix(HELD_OUT)) for need in needs if need.startswith(HELD_OUT)]
        self.model = model
        seeds = derive_seed("signals", seed), derive_seed("signals", seed, 1)
        self.parts = [
            ("", data.train, Recorder(own, len(data.train), epochs, seeds[0], schedule)),
            (HELD_OUT, data.select, Recorder(held_out, len(data.select), epochs, seeds[1], schedule)),
        ]
        self.passes = Passes()

    def step(self, epoch: int, ids: Tensor, x: Tensor, y: Tensor, logits: Tensor, features: Tensor) -> None:
        recorder = self.parts[0][2]
        if recorder.wants_online:
            recorder.online(epoch, ids, x, y, logits, features, self.model)

    def epoch_end(self, epoch: int) -> None:
        for _, images, recorder in self.parts:
            if recorder.wants_snapshot(epoch):
                recorder.snapshot(epoch, images.batches(torch.arange(len(images)), SNAPSHOT_BATCH), self.model)
                forward, backward = recorder.snapshot_passes(epoch)
                self.passes.forward += len(images) * forward
                self.passes.backward += len(images) * backward
        super().epoch_end(epoch)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What was recorded, by need."""
        return {prefix + name: a for prefix, _, recorder in self.parts for name, a in recorder.arrays().items()}


def trace(
    data: Dataset,
    training: Training,
    seed: int,
    until: int,
    needs: list[str],
    device: str,
    report: Report = unreported,
) -> tuple[dict[str, NDArray[Any]], Classifier, Passes, Passes]:
    """Trains a proxy on the whole pool for `until` epochs of its schedule and records `needs`.

    Returns the arrays by need, the proxy, and the passes of training and of recording.
    """
    model = build(training.model, data.num_classes, data.shape, data.mean, data.std, seed=derive_seed("init", seed)).to(
        device
    )
    work = len(data.train) * training.recipe.work
    tracer = Tracer(needs, data, model, until, seed, report, work, training.recipe.epochs)
    passes = train(
        model, data.train, torch.arange(len(data.train)), training.recipe, seed, observer=tracer, until=until
    )
    return tracer.arrays(), model, passes, tracer.passes
