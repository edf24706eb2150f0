"""A method under test, and what the checks ask it to do."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from methods.api import Budget, Coreset, Floats, Integers, Method, MethodInfo, Scalar
from methods.contract.planted import world_for
from methods.contract.world import World
from methods.errors import CoresetBenchError
from methods.registry import run


class ContractViolation(CoresetBenchError):
    """A method breaks its contract: one sentence that says how, and the mend."""


@dataclass(frozen=True)
class Subject:
    """A method bound to its policy and parameters, with the planted worlds that hold the signals it declares.

    `written` is what its author wrote and the registry takes in: the same, or a class of it.
    """

    method: Method
    written: Any = None

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
        except CoresetBenchError:
            raise
        except (Exception, SystemExit) as error:  # third-party code may fail in any way
            raise ContractViolation(f"'{self.name}' failed: {type(error).__name__}: {error}.") from error
        if not isinstance(answer, Coreset):
            raise self.refuse(f"returned a {type(answer).__name__}; return a methods.api.Coreset.")
        return answer

    def picks(self, world: World, k: int, seed: int = 0) -> Integers:
        """The picks as the harness takes them, int64 [k].

        Raises:
            CoresetBenchError: the method raised, or its answer is not exactly k valid picks.
        """
        return run(self.method, world.context(seed, self.name), Budget(k, world.n)).indices

    def frequencies(self, world: Callable[[int], tuple[World, Integers]], k: int, runs: int) -> Floats:
        """How often each sample is picked over `runs` generators, [N].

        `world(seed)` gives what the method sees and, for each row of it, the sample that it stands for.
        """
        counts = np.zeros(0)
        for seed in range(runs):
            shown, samples = world(seed)
            counts = counts if len(counts) else np.zeros(shown.n)
            counts[samples[self.picks(shown, k, seed)]] += 1
        return counts

    @property
    def runs(self) -> int:
        """Enough generators to see a distribution, where there is one."""
        return 240 if self.info.stochastic else 60

    def refuse(self, sentence: str) -> ContractViolation:
        return ContractViolation(f"'{self.name}' {sentence}")
