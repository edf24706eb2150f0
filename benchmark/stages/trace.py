"""One proxy training, watched: what every method reads comes from here.

Signals are recorded by `methods.signals.recorder`; recording changes nothing in the training, so a signal that is
asked for later is recorded by training the same proxy again, bit for bit. A step's outputs wait for others, so that
signals are computed for thousands of presentations at once; a snapshot goes through a folded copy of the network.
"""

from collections.abc import Callable
from copy import deepcopy
from math import prod
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data import Dataset
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.models.folded import folded, normalised
from benchmark.randomness import derive_seed
from benchmark.spec import Training
from benchmark.stages.train import TF32, Passes, train
from methods.api import HELD_OUT
from methods.signals import get_signal
from methods.signals.recorder import Recorder

SNAPSHOT_BATCH = 1024
SNAPSHOT_FLOATS = 3 * 2**16  # of a batch's images on a CPU: memory of larger ones goes back to the system every time
WAITING = 8192  # presentations whose outputs are kept until signals are computed for all of them

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
        self.model, self.size = model, snapshot_size(data, next(model.parameters()).device)
        seeds = derive_seed("signals", seed), derive_seed("signals", seed, 1)
        self.parts = [
            ("", data.train, Recorder(own, len(data.train), epochs, seeds[0], schedule)),
            (HELD_OUT, data.select, Recorder(held_out, len(data.select), epochs, seeds[1], schedule)),
        ]
        self.waiting: list[tuple[Tensor, ...]] = []
        self.passes = Passes()

    def step(self, epoch: int, ids: Tensor, x: Tensor, y: Tensor, logits: Tensor, features: Tensor) -> None:
        recorder = self.parts[0][2]
        if recorder.wants_step:
            recorder.online(epoch, ids, x, y, logits, features, self.model)
        elif recorder.wants_online:
            self.waiting.append((ids, y, logits, features))
            if sum(len(batch[0]) for batch in self.waiting) >= WAITING:
                self._record_waiting(epoch)

    def _record_waiting(self, epoch: int) -> None:
        if self.waiting:
            ids, y, logits, features = (torch.cat(column) for column in zip(*self.waiting, strict=True))
            self.waiting.clear()
            self.parts[0][2].online(epoch, ids, None, y, logits, features, self.model)

    def epoch_end(self, epoch: int) -> None:
        self._record_waiting(epoch)
        twin = None
        for _, images, recorder in self.parts:
            if recorder.wants_snapshot(epoch):
                twin = twin or snapshot_twin(self.model)
                with TF32(False):
                    recorder.snapshot(epoch, images.batches(torch.arange(len(images)), self.size), self.model, twin)
                forward, backward = recorder.snapshot_passes(epoch)
                self.passes.forward += len(images) * forward
                self.passes.backward += len(images) * backward
        super().epoch_end(epoch)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What was recorded, by need."""
        return {prefix + name: a for prefix, _, recorder in self.parts for name, a in recorder.arrays().items()}


def snapshot_twin(model: Classifier) -> Classifier:
    """The same function in evaluation mode with batch norm folded; the model itself where there is none."""
    if not normalised(model):
        return model
    twin = deepcopy(model).eval().requires_grad_(False)
    vars(twin).pop("features", None)  # a compiled one would be compiled again for every snapshot
    twin.body = folded(twin.body)
    return twin


def snapshot_size(data: Dataset, device: torch.device) -> int:
    """Images in a batch of a snapshot."""
    return SNAPSHOT_BATCH if device.type != "cpu" else min(SNAPSHOT_BATCH, max(16, SNAPSHOT_FLOATS // prod(data.shape)))


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
