"""The memory of every method grows with N and not with its square."""

import tracemalloc
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from methods import registry
from methods.api import HELD_OUT, Budget, Context, Coreset, HeldOut, MethodInfo, Signals
from methods.functions import FunctionMethod
from methods.signals import get_signal

N, WIDTH, CLASSES, PICKS = 2000, 64, 40, 200
EPOCHS, ASIDE = 10, 500
MORE = 2.5  # times the memory for twice the samples: twice, and some slack
SMALL = 2**18  # bytes that no one counts
STATIC = [name for name in registry.method_names() if registry.get(name).info.kind != "dynamic"]


@lru_cache(maxsize=16)
def array(name: str, n: int, width: int, classes: int) -> NDArray[Any]:
    """Random values of a signal, in its shape and range."""
    signal, rng = get_signal(name), np.random.default_rng(len(name))
    sizes = {"T": (EPOCHS,), "N": (n,), "C": (classes,), "D": (width,), "...": (1, 8, 8)}
    axes = signal.shape.strip("[]").replace(" ", "").split(",")
    shape = tuple(size for axis in axes for size in sizes.get(axis, (int(axis),) if axis.isdigit() else ()))
    values = rng.standard_normal(shape, dtype=np.float32)
    if signal.dtype == "bool":
        return values > 0
    if axes[-1] == "C" and "probability" in name:
        values = np.exp(values)
        return values / values.sum(axis=-1, keepdims=True)
    if name.endswith(("probability", "margin")):
        return 1 / (1 + np.exp(-values))
    return values if name == "logits" else np.abs(values)


def random_context(info: MethodInfo, n: int, width: int, classes: int) -> Context:
    """Random signals, and classes of equal size."""

    def signals(part: str, count: int) -> Signals:
        names = [need.removeprefix(part) for need in info.needs if need.startswith(HELD_OUT) == bool(part)]
        return Signals({name: array(name, count, width, classes) for name in names}, EPOCHS)

    aside = HeldOut(np.arange(ASIDE) % classes, signals(HELD_OUT, ASIDE))
    held_out = aside if aside.signals.names else None
    return Context(np.arange(n) % classes, classes, signals("", n), np.random.default_rng(0), held_out)


def growth(method: Any) -> tuple[int, int]:
    """The most bytes that NumPy and Python hold at once while it selects from N samples, and from twice as many."""
    contexts = [random_context(method.info, n, WIDTH, CLASSES) for n in (N // 10, N, 2 * N)]
    method.select(contexts[0], Budget(PICKS, N // 10))  # imports what it needs
    peaks = []
    for context in contexts[1:]:
        tracemalloc.start()
        method.select(context, Budget(PICKS, context.n))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    return peaks[0], peaks[1]


@pytest.mark.parametrize("name", STATIC)
def test_memory_grows_with_the_number_of_samples(name: str) -> None:
    once, twice = growth(registry.get(name))
    assert twice <= MORE * once + SMALL, f"{once:,} bytes for {N:,} samples, {twice:,} for twice as many"


def all_pairs(context: Context, budget: Budget) -> Coreset:
    features = context.signals.features
    distances = (features**2).sum(axis=1)[:, None] - 2 * features @ features.T
    return Coreset(np.argsort(distances.sum(axis=1), kind="stable")[: budget.k])


def test_all_pairs_are_noticed() -> None:
    once, twice = growth(FunctionMethod(MethodInfo("pairs", "set", needs=("features",)), all_pairs))
    assert twice > MORE * once + SMALL
