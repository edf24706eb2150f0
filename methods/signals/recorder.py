"""Fills the arrays of several signals from one proxy run, with one shared pass a batch."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from methods.errors import CoresetBenchError
from methods.signals import Signal

if TYPE_CHECKING:
    from torch import Tensor


class Memory:
    """What one signal kept of each sample at earlier epochs; it speaks of the rows of the batch at hand.

    Each name is one float32 array [N, ...] on the device of its values, for the length of the run.
    """

    def __init__(self, name: str, n: int) -> None:
        self.epoch = 0  # the index of the epoch being recorded
        self._name, self._n = name, n
        self._kept: dict[str, Tensor] = {}
        self._since: dict[str, int] = {}

    def recall(self, name: str) -> "Tensor | None":
        """What was kept under this name, [B, ...]; None in the epoch that first keeps it, and before."""
        if self._since.get(name, self.epoch) == self.epoch:
            return None
        return self._kept[name][self._ids.to(self._kept[name].device)]

    def keep(self, name: str, values: "Tensor") -> None:
        """Keeps values [B, ...] in place of what is there."""
        import torch

        if len(values) != len(self._ids):
            raise CoresetBenchError(
                f"The signal '{self._name}' keeps {len(values)} rows of '{name}' for {len(self._ids)} samples."
            )
        if name not in self._kept:
            shape = (self._n, *values.shape[1:])
            self._kept[name] = torch.full(shape, torch.nan, dtype=torch.float32, device=values.device)
            self._since[name] = self.epoch
        self._kept[name][self._ids.to(values.device)] = values.detach().float()

    def turn_to(self, epoch: int, ids: "Tensor") -> None:
        """The recorder names the batch at hand."""
        self.epoch, self._ids = epoch, ids


class Recorder:
    """Arrays `[T, N, ...]` or `[N, ...]` for each signal, in the order of sample ids 0..N-1.

    The model gives logits when called on x in [0, 1], and has `features(x)` [B, D] and a linear `head`. It is trained
    for `epochs` of its `schedule` (None: all of it).
    """

    def __init__(self, signals: Sequence[Signal], n: int, epochs: int, seed: int, schedule: int | None = None) -> None:
        self.n, self.epochs, self.seed = n, epochs, seed
        self.schedule = epochs if schedule is None else schedule
        self._online = [s for s in signals if s.view == "online"]
        self._snapshot = [s for s in signals if s.view == "snapshot"]
        self._arrays: dict[str, NDArray[Any]] = {}
        self._memories = {s.name: Memory(s.name, n) for s in signals if "memory" in s.inputs}

    @property
    def wants_online(self) -> bool:
        return bool(self._online)

    @property
    def wants_step(self) -> bool:
        """Whether online signals read more of a step than its outputs, and so cannot wait for other steps."""
        return any({"x", "model"} & set(signal.inputs) for signal in self._online)

    def wants_snapshot(self, epoch: int) -> bool:
        """Whether any signal reads the snapshot after this epoch."""
        return bool(self._due(self._snapshot, epoch))

    def snapshot_passes(self, epoch: int) -> tuple[int, int]:
        """How often the snapshot after this epoch sends each sample forward and backward."""
        due = self._due(self._snapshot, epoch)
        forward, backward = (sum(signal.passes[way] for signal in due) for way in (0, 1))
        return forward + bool(due), backward + _wants_gradient(due)

    def online(
        self,
        epoch: int,
        ids: "Tensor",
        x: "Tensor | None",
        y: "Tensor",
        logits: "Tensor",
        features: "Tensor",
        model: Any,
    ) -> None:
        """Records the outputs of a training step, or of several of one epoch (then without x, see `wants_step`).

        They may carry a graph; it is not extended. No sample is presented twice in an epoch.
        """
        given = {"x": x, "y": y, "logits": logits.detach(), "features": features.detach(), "model": model}
        self._record(self._due(self._online, epoch), epoch, ids, given)

    def snapshot(
        self, epoch: int, batches: "Iterable[tuple[Tensor, Tensor, Tensor]]", model: Any, twin: Any = None
    ) -> None:
        """Records the model as it stands, over batches of (x, y, ids) un-augmented. Leaves model and mode as found.

        twin: the same function as the model's in evaluation mode, faster, for the pass that signals share.
        """
        import torch
        from torch.nn.functional import cross_entropy

        signals = self._due(self._snapshot, epoch)
        wants_gradient = _wants_gradient(signals)
        training = model.training
        model.eval()
        twin = model if twin is None else twin
        try:
            for x, y, ids in batches:
                with torch.set_grad_enabled(wants_gradient):
                    x = x.detach().requires_grad_(wants_gradient)
                    features = twin.features(x)
                    logits = twin.head(features)
                given = {
                    "y": y,
                    "logits": logits.detach().float(),
                    "features": features.detach().float(),
                    "model": model,
                }
                if wants_gradient:
                    # Summed, so that each row is the gradient of its own sample's loss, whatever the batch.
                    loss = cross_entropy(logits.float(), y, reduction="sum")
                    (given["input_grad"],) = torch.autograd.grad(loss, x)
                self._record(signals, epoch, ids, {**given, "x": x.detach()})
        finally:
            model.train(training)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What was recorded, by signal."""
        return self._arrays

    def _due(self, signals: list[Signal], epoch: int) -> list[Signal]:
        return [s for s in signals if s.due(epoch, self.epochs, self.schedule)]

    def _record(self, signals: list[Signal], epoch: int, ids: "Tensor", given: dict[str, Any]) -> None:
        rows = ids.cpu().numpy()
        for signal in signals:
            if "rng" in signal.inputs:
                given["rng"] = self._generator(signal, epoch, given["y"].device)
            if "memory" in signal.inputs:
                given["memory"] = self._memories[signal.name]
                given["memory"].turn_to(epoch, ids)
            values = signal.function(**{name: given[name] for name in signal.inputs}).detach().cpu().numpy()
            if len(values) != len(rows):
                raise CoresetBenchError(
                    f"The signal '{signal.name}' returned {len(values)} rows for {len(rows)} samples."
                )
            array = self._arrays.get(signal.name)
            if array is None:
                lead = (self.epochs, self.n) if signal.every_epoch else (self.n,)
                array = self._arrays[signal.name] = np.zeros((*lead, *values.shape[1:]), dtype=signal.dtype)
            (array[epoch] if signal.every_epoch else array)[rows] = values

    def _generator(self, signal: Signal, epoch: int, device: Any) -> Any:
        import torch

        text = f"{self.seed} {signal.name} {epoch}".encode()
        seed = int.from_bytes(hashlib.sha256(text).digest()[:8], "big") >> 1
        return torch.Generator(device=device).manual_seed(seed)


def _wants_gradient(signals: Sequence[Signal]) -> bool:
    """Whether any of them needs the input gradient of the loss: a backward pass as well."""
    return any("input_grad" in signal.inputs for signal in signals)
