"""Trainings of a dynamic method on given signals, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from methods import registry
from methods.api import Coreset, Scalar, Signals
from methods.dynamics import Presentations, TrainingContext, present


def generator(seed: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng([seed, epoch])


def selected(
    name: str,
    labels: Any,
    k: int,
    epochs: int,
    signals: Sequence[Mapping[str, Any]] = (),
    seed: int = 0,
    params: Mapping[str, Scalar] | None = None,
    own_budget: bool = False,
) -> list[Coreset]:
    """What each epoch presents; `signals` are those before each epoch, the last ones from then on."""
    labels, method = np.asarray(labels), registry.get(name, params or {})
    left, memory, rounds = epochs * k, {}, list[Coreset]()
    while left > 0 and not (own_budget and len(rounds) == epochs):
        epoch = len(rounds)
        arrays = signals[min(epoch, len(signals) - 1)] if signals else {}
        shown = Signals({need: np.asarray(array) for need, array in arrays.items()}, epochs)
        classes = int(labels.max()) + 1
        context = TrainingContext(labels, classes, shown, generator(seed, epoch), None, "cpu", memory)
        rounds.append(present(method, context, Presentations(len(labels), k, epochs, epochs * k - left), epoch))
        left -= len(rounds[-1].indices)
    return rounds
