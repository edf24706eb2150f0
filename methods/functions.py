"""A function as a method: what `registry.score` and `registry.subset` make of what they decorate."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from methods.api import Budget, Context, Coreset, Direction, Floats, MethodInfo, Scalar, check_params
from methods.errors import UsageError
from methods.policies import ENDS, check_policy, choose, combine


def positional(function: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments, without the keyword-only ones, which are a method's parameters."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]


@dataclass(frozen=True)
class FunctionMethod:
    """A decorated function as a `Method`. Calling it calls the function."""

    info: MethodInfo
    function: Callable[..., Any]
    values: Mapping[str, Scalar] = field(default_factory=dict)
    policy: str | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def with_params(self, given: Mapping[str, Scalar]) -> "FunctionMethod":
        """The same method with other parameters.

        Raises:
            UsageError: an unknown parameter or a value of the wrong type.
        """
        return replace(self, values=check_params(self.info.name, given, self.info.params))

    def with_policy(self, policy: str) -> "FunctionMethod":
        """The same score under another policy.

        Raises:
            UsageError: an unknown policy, or a set method, which takes none.
        """
        if self.info.keep is None:
            raise UsageError(f"'{self.info.name}' chooses its set itself and takes no policy; drop '@{policy}'.")
        redirected = replace(self, policy=check_policy(policy))
        return replace(redirected, info=_redirected(self.info, redirected.rule or ""))

    @property
    def rule(self) -> str | None:
        """The policy in force, in full: `easycore@balanced` keeps `low+balanced`."""
        return combine(self.info.keep, self.policy) if self.info.keep else None

    def score(self, context: Context) -> Floats:
        """One number a sample, [N]; score methods only."""
        offered = {
            "signals": context.signals,
            "labels": context.labels,
            "num_classes": context.num_classes,
            "rng": context.rng,
        }
        wanted = {name: offered[name] for name in positional(self.function)}
        return np.asarray(self.function(**wanted, **self.values))

    def select(self, context: Context, budget: Budget) -> Coreset:
        if self.rule is None:
            answer = self.function(context, budget, **self.values)
            return answer if isinstance(answer, Coreset) else Coreset(np.asarray(answer))
        ties = context.rng.permutation(context.n)  # drawn first, so that every budget sees the same one
        return Coreset(choose(self.score(context), ties, context, budget, self.rule, self.info.name))


def _redirected(info: MethodInfo, rule: str) -> MethodInfo:
    """What a score promises under another policy: which end it keeps, and whether its budgets nest."""
    opposite: dict[Direction, Direction] = {"easy": "hard", "hard": "easy"}
    default, end = (next(part for part in r.split("+") if part in ENDS) for r in (info.keep or "low", rule))
    direction: Direction = info.direction
    if end == "middle" != default:
        direction = "middle"
    elif end != default:
        direction = opposite.get(direction, "any")
    # Largest remainders are not monotone in k (the Alabama paradox), so balanced budgets need not nest.
    balanced = "balanced" in rule.split("+")
    return replace(info, direction=direction, nested=info.nested and not balanced, per_class=info.per_class or balanced)
