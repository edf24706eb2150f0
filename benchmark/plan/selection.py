"""Proxy runs, and what is chosen by what they show: before a training, or in each of its epochs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from benchmark.charges import Charge, proxy_run
from benchmark.plan.stage import Data, Stage
from benchmark.randomness import derive_seed
from benchmark.spec import NULL, Row, Suite, Training
from benchmark.store import Store
from methods.api import HELD_OUT, Method, Scalar, check_params, epoch_index
from methods.errors import UsageError
from methods.registry import get, source_hash
from methods.signals import get_signal, read_share


@dataclass(frozen=True)
class Trace:
    """One proxy run of `until` epochs, and the signals that are read from it ("select." marks the held-out part)."""

    proxy: Stage
    training: Training
    seed: int
    until: int
    signals: Mapping[str, Stage]

    def done(self, store: Store) -> bool:
        return all(stage.done(store) for stage in self.signals.values())


def make_trace(data: Data, training: Training, seed: int, until: int, needs: tuple[str, ...]) -> Trace:
    spec = {**data.canonical(), **training.canonical(), "seed": seed, "until": until}
    proxy = Stage("proxy", spec)
    signals = {}
    for need in needs:
        held_out = need.startswith(HELD_OUT)
        signal = get_signal(need.removeprefix(HELD_OUT))
        if signal.view == "training":
            raise UsageError(f"The signal '{need}' is of a model in training; dynamic methods alone may need it.")
        if held_out and signal.view == "online":
            raise UsageError(f"The signal '{need}' is recorded while training; the held-out part has snapshots only.")
        signal_spec = {"signal": signal.name, "source": signal.source_hash, "part": "select" if held_out else "train"}
        signals[need] = Stage("signal", signal_spec, {"proxy": proxy.key})
    return Trace(proxy, training, seed, until, signals)


@dataclass(frozen=True)
class Selection:
    """One method's choice at one fraction in one replicate; with `like`, random picks of that choice's class counts."""

    row: Row
    method: Method
    params: Mapping[str, Scalar]
    fraction: float
    seed: int
    traces: tuple[Trace, ...]
    coreset: Stage
    like: "Selection | None" = None

    @property
    def reads(self) -> tuple[Trace, ...]:
        """All proxy runs that must be there first, those of the choice that it is like included."""
        return self.traces + (self.like.traces if self.like else ())

    @property
    def proxy_epochs(self) -> int:
        """The proxy epochs that this row would need alone."""
        needs = self.method.info.needs
        return sum(read_until(needs, self.params, trace.training) for trace in self.traces)

    @property
    def charges(self) -> list[Charge]:
        """What this row would need alone of each of its proxies, and of what is recorded on it."""
        needs = self.method.info.needs
        lengths = (read_until(needs, self.params, trace.training) for trace in self.traces)
        return [proxy_run(t.training, until, t.signals) for t, until in zip(self.traces, lengths, strict=True)]


def read_until(needs: Iterable[str], params: Mapping[str, Scalar], training: Training) -> int:
    """The epochs of a proxy that a method reads: up to the share `at` of its schedule, its own or its signals'."""
    return epoch_index(read_share(needs, params), training.recipe.epochs) + 1


def make_selection(
    data: Data, suite: Suite, row: Row, fraction: float, replicate: int, seed: int | None = None
) -> Selection:
    """`seed` is the replicate's own unless given.

    Raises UsageError for an unknown method, policy, parameter or signal.
    """
    method = get(row.spelled, row.params)
    params = check_params(method.info.name, row.params, method.info.params)
    needs = method.info.needs
    traces: list[Trace] = []
    if needs:
        if row.proxy not in suite.proxies:
            raise UsageError(f"Row '{row.name}' reads proxy '{row.proxy}', which [proxies] does not declare.")
        training = suite.proxies[row.proxy]
        count, read = int(params.get("proxies", 1)), read_until(needs, params, training)
        if count < 1:
            raise UsageError(f"Row '{row.name}' averages {count} proxies; it takes one at least.")
        for index in range(count):
            drawn = derive_seed("proxy", row.proxy, suite.proxy_run(row.proxy, replicate), index)
            # The first proxy serves every method and runs to its end; further ones stop where they are read.
            until = read if index else training.recipe.epochs
            traces.append(make_trace(data, training, drawn, until, needs))
    seed = derive_seed("selection", replicate) if seed is None else seed
    spec = {
        "data": data.canonical(),
        "method": method.info.name,
        "version": method.info.version,
        "policy": getattr(method, "rule", None),  # in full, so that one coreset has one key however it is spelled
        "params": dict(params),
        "source": source_hash(method),
        "fraction": fraction,
        "seed": seed,
    }
    parents = {f"{name}/{i}": stage.key for i, trace in enumerate(traces) for name, stage in trace.signals.items()}
    return Selection(row, method, params, fraction, seed, tuple(traces), Stage("coreset", spec, parents))


def make_match(data: Data, like: Selection, seed: int) -> Selection:
    """Picks at random, of each class as many as `like` has."""
    row = Row(method="random", label=f"{NULL}{like.row.name}")
    spec = {"data": data.canonical(), "random": "class counts of the parent", "fraction": like.fraction, "seed": seed}
    coreset = Stage("coreset", spec, {"like": like.coreset.key})
    return Selection(row, get("random"), {}, like.fraction, seed, (), coreset, like)


@dataclass(frozen=True)
class Reselection:
    """A dynamic method that chooses anew in every epoch of one training; `spec` is its part of that model's key."""

    row: Row
    method: Any
    params: Mapping[str, Scalar]
    fraction: float
    seed: int
    spec: Mapping[str, Any]


def make_reselection(row: Row, fraction: float, replicate: int) -> Reselection:
    """Raises UsageError for an unknown method, policy, parameter or signal."""
    method = get(row.spelled, row.params)
    params = check_params(method.info.name, row.params, method.info.params)
    signals = {}
    for need in method.info.needs:
        signal = get_signal(need)
        if signal.view == "online":
            raise UsageError(f"'{row.method}' needs '{need}', which a proxy shows; a dynamic method reads snapshots.")
        signals[need] = signal.source_hash
    seed = derive_seed("selection", replicate)
    spec = {
        "method": method.info.name,
        "version": method.info.version,
        "params": dict(params),
        "source": source_hash(method),
        "signals": signals,
        "fraction": fraction,
        "selection_seed": seed,
        "weights": row.weights,
    }
    return Reselection(row, method, params, fraction, seed, spec)
