"""A method under test, and what the checks ask it to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from methods.api import Budget, Coreset, Integers, Method, MethodInfo, Scalar, validated
from methods.contract.planted import world_for
from methods.contract.world import World
from methods.errors import CoresetBenchError


def equal(first: Coreset, second: Coreset) -> bool:
    """Whether two answers are the same picks in the same order with the same weights."""
    if not np.array_equal(first.indices, second.indices):
        return False
    if first.weights is None or second.weights is None:
        return first.weights is second.weights
    return np.array_equal(first.weights, second.weights)


class ContractViolation(CoresetBenchError):
    """A method breaks its contract: one sentence that says how, and the mend."""


class DoesNotApply(Exception):
    """A check has nothing to hold this method to; the message says why. Raised by checks alone."""


@dataclass(frozen=True)
class Subject:
    """A method bound to its policy and parameters, with the planted worlds that hold the signals it declares.

    `written` is what its author wrote and the registry takes in: the same, or a class of it.
    """

    method: Method
    written: Any = None
    _answers: dict[tuple[int, int, int], tuple[World, Coreset]] = field(default_factory=dict, repr=False)

    @property
    def info(self) -> MethodInfo:
        return self.method.info

    @property
    def name(self) -> str:
        """What messages call the method: `el2n@low` under another policy than its own."""
        policy = getattr(self.method, "policy", None)
        return f"{self.info.name}@{policy}" if policy else self.info.name

    @property
    def params(self) -> dict[str, Scalar]:
        return dict(getattr(self.method, "values", self.info.params))

    def world(self, num_classes: int = 3, also: tuple[str, ...] = ()) -> World:
        """The planted world with this method's signals, and with those that the check itself reads."""
        return world_for((*self.info.needs, *also), self.params, num_classes)

    def answer(self, world: World, k: int, seed: int = 0) -> Coreset:
        """The raw answer, before the harness looks at it.

        Raises:
            CoresetBenchError: the method raised, or answered with something else.
        """
        try:
            answer: object = self.method.select(world.context(seed, self.name), Budget(k, world.n))
        except (CoresetBenchError, KeyboardInterrupt):
            raise
        except BaseException as error:  # third-party code may fail in any way, or ask a test runner to skip it
            raise ContractViolation(f"'{self.name}' failed: {type(error).__name__}: {error}.") from error
        if not isinstance(answer, Coreset):
            raise self.refuse(f"returned a {type(answer).__name__}; return a methods.api.Coreset.")
        return answer

    def remembered(self, world: World, k: int, seed: int = 0) -> Coreset:
        """The same for a world that several checks ask about, computed once."""
        key = (id(world), k, seed)
        if key not in self._answers:
            self._answers[key] = world, self.answer(world, k, seed)  # the world is held, so that its id stays its own
        return self._answers[key][1]

    def picks(self, world: World, k: int, seed: int = 0) -> Integers:
        """The picks as the harness takes them, int64 [k].

        Raises:
            CoresetBenchError: the method raised, or its answer is not exactly k valid picks.
        """
        answer = self.remembered if world is self.world() else self.answer
        return validated(answer(world, k, seed), Budget(k, world.n), self.name).indices

    def draws(self, world: Callable[[int], tuple[World, Integers]], k: int, seeds: Sequence[int]) -> NDArray[np.bool_]:
        """Whether each sample is picked by each of these generators, [runs, N].

        `world(seed)` gives what the method sees and, for each row of it, the sample that it stands for.
        """
        picked = np.zeros((len(seeds), self.world().n), dtype=bool)
        for run, seed in enumerate(seeds):
            shown, samples = world(seed)
            picked[run, samples[self.picks(shown, k, seed)]] = True
        return picked

    def refuse(self, sentence: str) -> ContractViolation:
        return ContractViolation(f"'{self.name}' {sentence}")
