"""Methods that re-select while the model trains: what they are shown, asked and held to.

    @dynamic("rs2", paper="arXiv:2305.18424")
    def rs2(context, budget, epoch):
        return context.rng.permutation(context.n)[: budget.k]

A dynamic method is asked before every epoch what the epoch presents. Its budget is sample presentations: `epochs`
rounds of `k` of N samples, spent in rounds of any size until nothing is left; a last round that would spend more
is cut to its first picks. Dynamic rows have a suite, tables and a baseline (`rs2`) of their own: a static coreset
of k samples is chosen once, before any of this is known.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import numpy as np

from methods.api import Budget, Context, Coreset, MethodInfo, validated
from methods.errors import CoresetBenchError, UsageError
from methods.functions import FunctionMethod

Weighting: TypeAlias = Literal["round", "batch", "raw"]


@dataclass(frozen=True)
class DynamicInfo(MethodInfo):
    """What a dynamic method is, needs and promises, beyond `MethodInfo`.

    needs       signals of the model in training: snapshots of it as it stands, and those of `signals/training.py`
    weighting   weights are scaled to mean 1 over a "round" or in each "batch", or used as they are ("raw")
    own_budget  it presents what it must and not a given share: one row a regime, at its measured presentations
    """

    weighting: Weighting = "round"
    own_budget: bool = False


@dataclass(frozen=True)
class Presentations:
    """How often a training may present a sample.

    n       N, the number of samples to choose from
    k       a round's share of them: `epochs` rounds of k are the budget
    epochs  of training on all N
    spent   presentations that are gone
    """

    n: int
    k: int
    epochs: int
    spent: int = 0

    def __post_init__(self) -> None:
        Budget(self.k, self.n)
        if self.epochs < 1 or not 0 <= self.spent <= self.total:
            raise UsageError(f"{self.spent} presentations of {self.total} in {self.epochs} epochs are no budget.")

    @property
    def total(self) -> int:
        return self.epochs * self.k

    @property
    def left(self) -> int:
        return self.total - self.spent

    @property
    def fraction(self) -> float:
        return self.k / self.n

    def after(self, presented: int) -> "Presentations":
        """The budget once so many more are spent."""
        return replace(self, spent=self.spent + presented)


@dataclass(frozen=True)
class TrainingContext(Context):
    """A context in the course of a training.

    signals  of the model as it stands before this epoch; recorded when first read, which costs passes that are counted
    rng      a generator of this epoch's own
    memory   whatever the method keeps for later epochs of this training; empty before the first
    """

    memory: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class DynamicMethod(Protocol):
    """A class with these two members can be registered; `registry.dynamic` makes one out of a function."""

    @property
    def info(self) -> MethodInfo: ...

    def epoch(self, context: TrainingContext, budget: Presentations, epoch: int) -> Coreset:
        """What epoch `epoch` (0 is the first) presents: at least one sample, none twice."""


@dataclass(frozen=True)
class DynamicFunction(FunctionMethod):
    """A decorated function of (context, budget, epoch) as a `DynamicMethod`."""

    info: DynamicInfo

    def epoch(self, context: TrainingContext, budget: Presentations, epoch: int) -> Coreset:
        answer = self.function(context, budget, epoch, **self.values)
        return answer if isinstance(answer, Coreset) else Coreset(np.asarray(answer))

    def select(self, context: Context, budget: Budget) -> Coreset:
        """Refused: there is no one coreset."""
        raise no_coreset(self.info.name)


def no_coreset(name: str) -> UsageError:
    """What a dynamic method answers where one coreset is asked of it."""
    return UsageError(
        f"'{name}' selects anew while a model trains, and has no coreset to give; "
        "put it in a suite of dynamic rows, such as digits-dynamic."
    )


def described(method: Any) -> DynamicInfo:
    """A dynamic method's info; a plain `MethodInfo` has the defaults."""
    info = method.info
    if isinstance(info, DynamicInfo):
        return info
    return DynamicInfo(**{name: getattr(info, name) for name in MethodInfo.__dataclass_fields__})


def present(method: Any, context: TrainingContext, budget: Presentations, epoch: int) -> Coreset:
    """What an epoch presents, held to the contract and cut to what the budget has left.

    Raises:
        CoresetBenchError: the method failed, or its answer is empty, repeats a sample or has unusable weights.
    """
    name = method.info.name
    try:
        answer = method.epoch(context, budget, epoch)
    except CoresetBenchError:
        raise
    except Exception as error:  # third-party code may fail in any way
        raise CoresetBenchError(f"'{name}' failed in epoch {epoch + 1}: {type(error).__name__}: {error}") from error
    count = np.size(answer.indices) if isinstance(answer, Coreset) else 0
    if isinstance(answer, Coreset) and not 1 <= count <= budget.n:
        raise CoresetBenchError(
            f"'{name}' presents {count} samples in epoch {epoch + 1}; present 1 to {budget.n}, none twice."
        )
    coreset = validated(answer, Budget(max(count, 1), budget.n), name)
    if count <= budget.left:
        return coreset
    weights = None if coreset.weights is None else coreset.weights[: budget.left]
    if weights is not None and not weights.any():
        weights = None  # what is left has no weight at all: each counts alike
    return Coreset(coreset.indices[: budget.left], weights, coreset.diagnostics)


def rounds_between(every: float, budget: Presentations) -> int:
    """How many epochs a share `every` of the schedule is: one at least."""
    if not 0 < every <= 1:
        raise UsageError(f"The share of the schedule 'every' is {every:g}; it must lie in (0, 1].")
    return max(1, round(every * budget.epochs))
