"""Random signals for oracles, and how an answer is compared where ties allow several."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from methods import registry
from methods.api import Budget, Context, Scalar, Signals

SEEDS = range(4)


def context(
    labels: Any, arrays: Mapping[str, Any] | None = None, *others: Mapping[str, Any], epochs: int = 0, seed: int = 0
) -> Context:
    """A context with these signals, and with those of further proxies."""
    more = tuple(Signals({k: np.asarray(v) for k, v in o.items()}, epochs) for o in others)
    own = Signals({k: np.asarray(v) for k, v in (arrays or {}).items()}, epochs, others=more)
    labels = np.asarray(labels)
    return Context(labels, int(labels.max()) + 1, own, np.random.default_rng(seed))


def chosen(name: str, given: Context, k: int, params: Mapping[str, Scalar] | None = None) -> list[int]:
    """The picks of a registered method, in their order."""
    return registry.run(registry.get(name, params or {}), given, Budget(k, given.n)).indices.tolist()


def assert_lowest(picks: list[int], scores: list[float]) -> None:
    """The picks are k samples of lowest score, in ascending order, whichever of equal ones were taken."""
    wanted = sorted(scores)[: len(picks)]
    np.testing.assert_allclose([scores[i] for i in picks], wanted, rtol=1e-6, atol=1e-9)


def assert_highest(picks: list[int], scores: list[float]) -> None:
    """As `assert_lowest`, from the other end."""
    assert_lowest(picks, [-s for s in scores])
