"""What a proxy run can record: registered functions from one batch to one row of values for each sample.

    @signal("loss", view="snapshot", shape="[T, N]")
    def loss(logits, y):
        return cross_entropy(logits, y, reduction="none")

Two views, never mixed. *online*: the training step's own outputs (training mode, augmented), at each presentation.
*snapshot*: evaluation mode, un-augmented images, after each epoch. `[T, N]` is recorded at every epoch, `[N, ...]`
once: after the last one, or at the end of a share `at` of the proxy's schedule.

A function asks by name for what it needs: `logits` [B, C], `features` [B, D] (penultimate), `input_grad`
[B, C, H, W] (gradient of the *summed* cross-entropy with respect to pixels in [0, 1]; snapshot only), `y` int64 [B],
`x` [B, C, H, W] in [0, 1], `model`, `rng` (a torch generator of its own, which starts alike at every batch of an epoch:
what is drawn for one sample's shape and shared by all depends on no batch), and `memory` (what it kept of these
samples at earlier epochs: `recorder.Memory`). Whoever asks for the same thing shares one pass; a function that sends
the samples through `model` itself says how often by `passes`: on average, or at most, where that differs from image to
image. It returns a tensor [B] or [B, ...].
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from methods.api import HELD_OUT, Scalar, epoch_index
from methods.errors import CoresetBenchError, UsageError, unknown
from methods.sources import source_hash

GROUP = "coreset_bench.signals"
INPUTS = {
    "online": ("logits", "features", "y", "x", "model", "rng", "memory"),
    "snapshot": ("logits", "features", "input_grad", "y", "x", "model", "rng", "memory"),
    "training": ("last_loss", "clean_error", "attacked_error", "attacked_features", "y"),
}


@dataclass(frozen=True)
class Signal:
    """A registered signal.

    name      how methods ask for it
    view      "online", "snapshot", or "training" (for dynamic methods alone)
    shape     "[T, N]" (every epoch) or "[N, ...]" (once), with any further axes last
    function  from a batch to a tensor whose first axis is the batch
    inputs    what the function asks for
    dtype     how it is stored; read as float32, except bool
    summary   first line of the docstring
    at        where "[N, ...]" is recorded: at the end of this share of the proxy's schedule
    passes    how often the function itself sends a sample forward and backward through the network
    """

    name: str
    view: Literal["online", "snapshot", "training"]
    shape: str
    function: Callable[..., Any]
    inputs: tuple[str, ...]
    dtype: Literal["float32", "bool"]
    summary: str
    at: float = 1.0
    passes: tuple[int, int] = (0, 0)

    @property
    def every_epoch(self) -> bool:
        return self.shape.startswith("[T")

    def due(self, epoch: int, epochs: int, schedule: int) -> bool:
        """Whether it is recorded in this epoch of a run of `epochs`, which may stop before its schedule ends."""
        return self.every_epoch or epoch == min(epochs - 1, epoch_index(self.at, schedule))

    @property
    def source_hash(self) -> str:
        """A hash of the file that defines the signal and of what it builds on: part of its content address."""
        return source_hash(Path(inspect.getfile(self.function)))


_signals: dict[str, Signal] = {}
_failures: dict[str, str] = {}
_loaded = False


def signal(
    name: str,
    *,
    view: Literal["online", "snapshot", "training"],
    shape: str,
    dtype: Literal["float32", "bool"] = "float32",
    at: float = 1.0,
    passes: tuple[int, int] = (0, 0),
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Registers a function as a signal.

    Raises:
        UsageError: an argument that the view does not offer, a shape of neither kind or that does not go with
            `at` or `memory`, or a name that is taken.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        inputs = tuple(inspect.signature(function).parameters)
        for argument in inputs:
            if argument not in INPUTS[view]:
                raise unknown(f"input of the {view} signal '{name}'", argument, INPUTS[view])
        if not shape.startswith(("[T, N", "[N")):
            raise UsageError(
                f"The signal '{name}' has shape {shape}; write [T, N] (every epoch) or [N, ...] (the last)."
            )
        summary = (inspect.getdoc(function) or "").split("\n")[0]
        made = Signal(name, view, shape, function, inputs, dtype, summary, at, passes)
        if not 0 < at <= 1:
            raise UsageError(f"The signal '{name}' is recorded at {at} of the schedule; 'at' must lie in (0, 1].")
        if made.every_epoch and at < 1:
            raise UsageError(f"The signal '{name}' is recorded at every epoch; drop 'at', or write [N, ...].")
        if "memory" in inputs and not made.every_epoch:
            raise UsageError(f"The signal '{name}' is recorded once and has nothing to recall; write [T, N].")
        if name in _signals and inspect.getfile(_signals[name].function) != inspect.getfile(function):
            raise UsageError(f"Two signals are called '{name}'; rename one of them.")
        _signals[name] = made
        return function

    return decorate


def get_signal(name: str) -> Signal:
    """The signal of that name.

    Raises:
        UsageError: there is none.
    """
    _load()
    if name not in _signals:
        lost = "; ".join(f"the plugin '{point}' failed ({reason})" for point, reason in _failures.items())
        error = unknown("signal", name, _signals)
        raise UsageError(f"{error} {lost}") if lost else error
    return _signals[name]


def signal_names() -> list[str]:
    """The registered signals, in alphabetical order."""
    _load()
    return sorted(_signals)


def read_share(needs: Iterable[str], params: Mapping[str, Scalar]) -> float:
    """The share of a proxy's schedule that a method reads: what is recorded early sets its own, `at` all other."""
    signals = [get_signal(need.removeprefix(HELD_OUT)) for need in needs]
    return max((s.at if s.at < 1 else float(params.get("at", 1.0)) for s in signals), default=1.0)


def _load() -> None:
    global _loaded
    if _loaded:
        return
    _loaded = True
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:  # a plugin may fail in any way, and must not take the others with it
            known = isinstance(error, CoresetBenchError)
            _failures[point.name] = str(error) if known else f"{type(error).__name__}: {error}"
