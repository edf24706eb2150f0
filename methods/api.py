"""The one interface: a method sees a `Context` and a `Budget` and answers with a `Coreset`.

A *score* method is a function from signals to one number a sample, turned into a set by a policy (`policies.py`).
A *set* method chooses the picks itself. Both are written as decorated functions (`registry.score`,
`registry.subset`) or as a class with `info` and `select`; keyword-only arguments with defaults are its parameters.

Two parameter names mean something to the harness: `proxies` is the number of proxies whose signals are averaged,
and `at` the share of the proxy's schedule that is read (further proxies are trained no longer than that).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from methods.errors import CoresetBenchError, UsageError, unknown

Floats: TypeAlias = NDArray[np.floating]
Integers: TypeAlias = NDArray[np.int64]
Scalar: TypeAlias = int | float | str | bool

Direction: TypeAlias = Literal["easy", "hard", "middle", "cover", "any"]

HELD_OUT = "select."  # the prefix of a need that is read on the held-out part: "select.features"


@dataclass(frozen=True)
class MethodInfo:
    """What a method is, needs and promises; the contract tests hold it to each promise.

    name        in the registry; lower case with hyphens
    kind        "score" (one number a sample, a policy chooses), "set" (it chooses itself), or "dynamic" (it
                chooses anew in every epoch: `dynamics.py`)
    summary     one line: what it keeps
    needs       the signals it reads; anything else raises. "select.features" is that signal of the held-out part
    params      parameters with their defaults
    keep        for a score: the default policy
    direction   the end of easy-to-hard that it keeps: "easy", "hard", "middle", "cover" (of feature space), or "any"
    stochastic  its answer depends on the generator beyond the breaking of ties
    nested      its coreset at k is the first k picks of its coreset at any larger budget
    per_class   it treats each class apart
    weighted    its coreset has weights
    paper       arXiv number or full citation
    repeats     for a method of `compat`, which repeats a known fault: the method as it should be
    trains      it trains networks of its own while it selects, which no count of passes sees
    """

    name: str
    kind: Literal["score", "set", "dynamic"]
    summary: str = ""
    needs: tuple[str, ...] = ()
    params: Mapping[str, Scalar] = field(default_factory=dict)
    keep: str | None = None
    direction: Direction = "any"
    stochastic: bool = False
    nested: bool = False
    per_class: bool = False
    weighted: bool = False
    paper: str = ""
    version: int = 1
    repeats: str = ""
    trains: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))


@dataclass(frozen=True)
class Budget:
    """How many samples to keep: exactly `k` of `n`, 1 <= k <= n."""

    k: int
    n: int

    def __post_init__(self) -> None:
        if not 1 <= self.k <= self.n:
            raise UsageError(f"A budget of {self.k} of {self.n} samples is impossible; ask for 1 to {self.n}.")

    @classmethod
    def of(cls, fraction: float, n: int) -> "Budget":
        """The nearest whole number of samples to a fraction in (0, 1], at least one."""
        if not 0 < fraction <= 1:
            raise UsageError(f"The fraction {fraction} is outside (0, 1]; 0.3 keeps 30 %.")
        return cls(max(1, math.floor(fraction * n + 0.5)), n)

    @property
    def fraction(self) -> float:
        return self.k / self.n


class Signals:
    """Read-only access to what one or more proxy runs recorded, by attribute: `signals.input_grad_norm`.

    Arrays are float32 (bool for events), `[T, N]` for one number a sample and epoch, `[N, ...]` for the last
    epoch alone. `epochs` is the proxy's scheduled number of epochs T, also where a short run recorded fewer.
    `proxies` has the same access for each of the proxies that the method averages; this object is the first.
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[np.generic]],
        epochs: int,
        *,
        asked_by: str = "this method",
        others: "tuple[Signals, ...]" = (),
    ) -> None:
        frozen = {}
        for name, array in arrays.items():
            frozen[name] = array.view()
            frozen[name].flags.writeable = False
        self._arrays = frozen
        self._asked_by = asked_by
        self.epochs = epochs
        self.proxies: tuple[Signals, ...] = (self, *others)

    def __getattr__(self, name: str) -> NDArray[np.generic]:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self._arrays[name]
        except KeyError:
            raise MissingSignal(
                f"'{self._asked_by}' reads the signal '{name}', which it does not declare; "
                f'add "{name}" to its needs (declared: {", ".join(self.names) or "none"}).'
            ) from None

    @property
    def names(self) -> tuple[str, ...]:
        """The signals that may be read."""
        return tuple(sorted(self._arrays))

    def epoch(self, at: float) -> int:
        """The index of the epoch that ends a share `at` in (0, 1] of the schedule."""
        return epoch_index(at, self.epochs)


class MissingSignal(CoresetBenchError, AttributeError):
    """A method read a signal that it does not declare."""


def epoch_index(at: float, epochs: int) -> int:
    """The index of the epoch that ends a share `at` in (0, 1] of a schedule of `epochs`."""
    if not 0 < at <= 1:
        raise UsageError(f"The share of the schedule 'at' is {at}; it must lie in (0, 1].")
    return min(epochs, max(1, math.ceil(at * epochs - 1e-9))) - 1


@dataclass(frozen=True)
class Context:
    """All that a method may know: training labels, declared signals, its generator, the device to compute on.

    labels       int64 [N], write-protected
    num_classes  C; a class may be empty
    signals      only what the method's `needs` declare
    held_out     labels and signals of the held-out part of train, where `needs` declare any ("select.loss")
    rng          the only source of randomness
    device       a torch device's name, for methods that compute with torch
    """

    labels: Integers
    num_classes: int
    signals: Signals
    rng: np.random.Generator
    held_out: "HeldOut | None" = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _read_only(self.labels))

    @property
    def n(self) -> int:
        """N, the number of samples to choose from."""
        return len(self.labels)

    def classes(self) -> list[Integers]:
        """The ascending sample indices of each class, C arrays, empty ones included."""
        return [np.flatnonzero(self.labels == c) for c in range(self.num_classes)]


@dataclass(frozen=True)
class HeldOut:
    """The part of train that is held out for methods that declare it: labels int64 [M] and signals, M samples."""

    labels: Integers
    signals: Signals

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", _read_only(self.labels))


def _read_only(labels: Integers) -> Integers:
    view = np.asarray(labels, dtype=np.int64).view()
    view.flags.writeable = False
    return view


@dataclass(frozen=True)
class Coreset:
    """A method's answer.

    indices      int64 [k] in the order of selection, unique
    weights      raw weights float [k], finite and not negative, or None; the harness normalises them
    diagnostics  scalars worth printing
    """

    indices: Integers
    weights: Floats | None = None
    diagnostics: Mapping[str, Scalar] = field(default_factory=dict)


@runtime_checkable
class Method(Protocol):
    """A class with these two members can be registered; the decorators make one out of a function."""

    @property
    def info(self) -> MethodInfo: ...

    def select(self, context: Context, budget: Budget) -> Coreset: ...


class InvalidCoreset(CoresetBenchError):
    """A method's answer breaks the contract."""


def validated(coreset: Coreset, budget: Budget, name: str) -> Coreset:
    """The coreset with int64 indices, if it keeps the contract.

    Raises:
        InvalidCoreset: not exactly k indices, repeated or out of range, or unusable weights.
    """
    if not isinstance(coreset, Coreset):
        raise InvalidCoreset(f"'{name}' returned {type(coreset).__name__}; return a Coreset.")
    indices = np.asarray(coreset.indices)
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        raise InvalidCoreset(
            f"'{name}' returned indices of shape {indices.shape} and type {indices.dtype}; return int64 [k]."
        )
    if len(indices) != budget.k:
        raise InvalidCoreset(f"'{name}' returned {len(indices)} indices for a budget of {budget.k}; return exactly k.")
    if len(indices) and not (0 <= indices.min() and indices.max() < budget.n):
        worst = indices[(indices < 0) | (indices >= budget.n)][0]
        raise InvalidCoreset(f"'{name}' returned the index {worst}, outside 0 to {budget.n - 1}.")
    repeated = len(indices) - len(np.unique(indices))
    if repeated:
        raise InvalidCoreset(f"'{name}' returned {repeated} indices more than once; each sample may be picked once.")
    if coreset.weights is None:
        return Coreset(indices.astype(np.int64), None, coreset.diagnostics)
    try:
        weights = np.asarray(coreset.weights, dtype=np.float64)
    except (TypeError, ValueError):
        weights = np.empty(0)  # no numbers: refused below
    if weights.shape != indices.shape or not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
        raise InvalidCoreset(
            f"'{name}' returned unusable weights; return one finite, non-negative weight a pick, not all zero."
        )
    return Coreset(indices.astype(np.int64), weights, coreset.diagnostics)


def check_params(name: str, given: Mapping[str, Scalar], defaults: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The defaults overridden by what was given, of the defaults' types.

    Raises:
        UsageError: an unknown parameter, or a value of another type.
    """
    values = dict(defaults)
    for key, value in given.items():
        if key not in defaults:
            raise unknown(f"parameter of '{name}'", key, defaults)
        default = defaults[key]
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(default):
            raise UsageError(
                f"The parameter '{key}' of '{name}' is {value!r}; it takes {type(default).__name__}, as {default!r}."
            )
        values[key] = value
    return values
