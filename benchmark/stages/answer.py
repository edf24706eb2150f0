"""What a row's method says of the pool, apart from what a run stores of it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from benchmark.plan import Selection
from methods.api import Budget, Floats, Integers, Method
from methods.functions import FunctionMethod
from methods.policies import way_of

if TYPE_CHECKING:
    from benchmark.stages.compute import Workshop


@dataclass(frozen=True)
class Answer:
    """What a method says of the pool at one budget.

    scores       one number an image, [N], or None where the method chooses its set itself
    picks        int64 [k], in the order of selection
    weights      float64 [k], or None
    generator    the generator's state after the score, where that draws
    probability  float64 [N], the mean probability of the label that the policy `beta` reads, where it is in force
    """

    scores: Floats | None
    picks: Integers
    weights: Floats | None = None
    generator: dict[str, Any] | None = None
    probability: Floats | None = None


def ask(workshop: "Workshop", selection: Selection) -> Answer:
    """Raises CoresetBenchError where the selection of a run would."""
    chosen, method = workshop.coreset(selection).arrays, selection.method
    if not ranks(method):
        return Answer(None, chosen["indices"], chosen.get("weights"))
    context = workshop.context(selection)
    context.rng.permutation(context.n)  # by which `select` breaks ties
    before = context.rng.bit_generator.state
    scores = method.score(context, Budget.of(selection.fraction, context.n)).astype(np.float64)
    after = dict(context.rng.bit_generator.state)
    seen, probability = seen_by(selection), None
    if seen is not None:
        read = context.signals.label_probability[: context.signals.epoch(seen) + 1]
        probability = read.mean(axis=0, dtype=np.float64)
    return Answer(scores, chosen["indices"], None, None if after == before else after, probability)


def ranks(method: Method) -> TypeGuard[FunctionMethod]:
    """Whether it scores every sample, and a policy chooses."""
    return isinstance(method, FunctionMethod) and method.rule is not None


def seen_by(selection: Selection) -> float | None:
    """The share of the schedule that the policy `beta` reads beside the score; None where it is not in force."""
    method = selection.method
    return float(method.values["seen"]) if ranks(method) and way_of(method.rule or "") == "beta" else None
