"""Methods that break one promise each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from methods.api import Coreset, MethodInfo
from methods.registry import FunctionMethod


def fake(function: Callable[..., Any], needs: tuple[str, ...] = ("loss",), **info: Any) -> FunctionMethod:
    """An unregistered set method."""
    described = MethodInfo("fake", "set", **{"summary": "For a test.", "needs": needs, "paper": "none", **info})
    return FunctionMethod(described, function)


def fake_score(function: Callable[..., Any], needs: tuple[str, ...] = ("loss",), **info: Any) -> FunctionMethod:
    """An unregistered score method."""
    given = {"summary": "For a test.", "needs": needs, "paper": "none", "keep": "high", **info}
    return FunctionMethod(MethodInfo("fake", "score", **given), function)


def fair(context: Any, k: int) -> Any:
    return context.rng.permutation(context.n)[:k]


def fair_picks(context: Any, budget: Any) -> Any:
    return fair(context, budget.k)


def too_few(context: Any, budget: Any) -> Any:
    return fair(context, budget.k - 1)


def repeated(context: Any, budget: Any) -> Any:
    return np.minimum(np.arange(budget.k), max(0, budget.k - 2))


def out_of_range(context: Any, budget: Any) -> Any:
    return fair(context, budget.k) + 1


def fractions(context: Any, budget: Any) -> Any:
    return fair(context, budget.k).astype(float)


def greedy_for_signals(context: Any, budget: Any) -> Any:
    return np.argsort(context.signals.input_grad_norm.mean(axis=0))[: budget.k]


def scribbler(context: Any, budget: Any) -> Any:
    context.signals.loss[:] = 0
    return fair(context, budget.k)


def lock_picker(context: Any, budget: Any) -> Any:
    labels = context.labels.base
    labels[0] = 1 - labels[0]
    return fair(context, budget.k)


def global_drawer(context: Any, budget: Any) -> Any:
    return np.random.permutation(context.n)[: budget.k]


def global_reseeder(context: Any, budget: Any) -> Any:
    np.random.seed(0)
    return fair(context, budget.k)


def first_of_equals(context: Any, budget: Any) -> Any:
    return np.argsort(context.signals.loss[-1].round(1), kind="stable")[: budget.k]


def early_birds(context: Any, budget: Any) -> Any:
    """Draws, but mostly from the first three quarters of the rows."""
    pool = np.arange(context.n) - np.where(context.rng.random(context.n) < 0.9, 0, context.n / 4)
    return np.lexsort((context.rng.random(context.n), pool > 0.75 * context.n))[: budget.k]


def a_favourite_class(context: Any, budget: Any) -> Any:
    """Draws, and picks from the first class a little oftener."""
    return np.argsort(context.rng.random(context.n) - 0.1 * (context.labels == 0))[: budget.k]


def head_of_the_file(context: Any, budget: Any) -> Any:
    return np.arange(budget.k)


def small_labels_first(context: Any, budget: Any) -> Any:
    return np.lexsort((context.rng.permutation(context.n), context.labels))[: budget.k]


def forgets_its_order(context: Any, budget: Any) -> Any:
    """Sorted ids: the greedy order is lost, as in circulating code."""
    return np.sort(np.lexsort((context.rng.permutation(context.n), context.signals.loss[-1]))[: budget.k])


def other_draws_each_budget(context: Any, budget: Any) -> Any:
    return context.rng.choice(context.n, budget.k, replace=False)


def unpromised_weights(context: Any, budget: Any) -> Any:
    return Coreset(fair(context, budget.k), np.ones(budget.k))


def negative_weights(context: Any, budget: Any) -> Any:
    return Coreset(fair(context, budget.k), np.linspace(-1, 1, budget.k))


def nan_weights(context: Any, budget: Any) -> Any:
    return Coreset(fair(context, budget.k), np.full(budget.k, np.nan))


def one_weight(context: Any, budget: Any) -> Any:
    return Coreset(fair(context, budget.k), np.ones(1))


def needs_every_class(context: Any, budget: Any) -> Any:
    spread = [context.signals.loss[-1][members].min() for members in context.classes()]
    assert len(spread) == context.num_classes
    return fair(context, budget.k)


def divides_by_the_spread(context: Any, budget: Any) -> Any:
    """A score normalised within its class, where no sample of a class may differ."""
    loss, labels = context.signals.loss[-1], context.labels
    for c in np.unique(labels):
        if (labels == c).sum() > 1:
            assert np.ptp(loss[labels == c]) > 0
    return fair(context, budget.k)


def divides_by_the_norm(context: Any, budget: Any) -> Any:
    assert np.linalg.norm(context.signals.features, axis=1).min() > 0
    return fair(context, budget.k)


def asks_to_be_skipped(context: Any, budget: Any) -> Any:
    pytest.skip("not today")


def hides_nan(context: Any, budget: Any) -> Any:
    return np.lexsort((context.rng.permutation(context.n), np.nan_to_num(context.signals.loss[-1], posinf=0)))[
        : budget.k
    ]


def lowest_loss(context: Any, budget: Any) -> Any:
    return np.lexsort((context.rng.permutation(context.n), context.signals.loss[-1]))[: budget.k]


def nearest_first(context: Any, budget: Any) -> Any:
    gaps = np.linalg.norm(context.signals.features - context.signals.features.mean(axis=0), axis=1)
    return np.lexsort((context.rng.permutation(context.n), gaps))[: budget.k]


def raises(context: Any, budget: Any) -> Any:
    return 1 / 0


def nan_score(signals: Any) -> Any:
    return np.where(signals.loss[-1] > np.median(signals.loss[-1]), np.nan, 0.0)


def matrix_score(signals: Any) -> Any:
    return signals.loss


class ComputedInfo:
    """Made by hand it works, but the registry reads `info` of the class."""

    @property
    def info(self) -> MethodInfo:
        return MethodInfo("computed", "set", summary="For a test.", needs=("loss",), paper="none")

    def select(self, context: Any, budget: Any) -> Coreset:
        return Coreset(lowest_loss(context, budget))


class TakesNoParameter:
    info = MethodInfo("fixed", "set", summary="For a test.", needs=("loss",), paper="none", params={"epoch": 1})
    select = ComputedInfo.select


class Namesake:
    info = MethodInfo("easycore", "set", summary="For a test.", needs=("loss",), paper="none")
    select = ComputedInfo.select
