"""A function as a method: what `registry.score` and `registry.subset` make of what they decorate."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from methods.api import Budget, Context, Coreset, Direction, Floats, MethodInfo, Scalar, check_params
from methods.errors import UsageError
from methods.policies import NEEDS, WAYS, choose, combine, draws, end_of, hard_end, nests, way_of

SHARED = ("table",)  # parameters that mean the same to a score and to its policy, and are one


def positional(function: Callable[..., Any]) -> list[str]:
    """The names of a function's arguments, without the keyword-only ones, which are a method's parameters."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind is not inspect.Parameter.KEYWORD_ONLY]


def parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """A function's keyword-only arguments with their defaults, which are a method's parameters."""
    arguments = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in arguments if p.kind is inspect.Parameter.KEYWORD_ONLY}


def under(rule: str | None, info: MethodInfo, own: Mapping[str, Scalar]) -> MethodInfo:
    """What a score declares under a policy: the policy's parameters before its own, and the signals of both.

    Raises:
        UsageError: the score has a parameter of the same name that means something else.
    """
    way = way_of(rule) if rule else None
    added = WAYS[way] if way else {}
    for name in added:
        if name in own and name not in SHARED:
            raise UsageError(
                f"'{info.name}' and its policy '{way}' both have a parameter '{name}'; rename the score's."
            )
    needs = (*info.needs, *(need for need in NEEDS.get(way or "", ()) if need not in info.needs))
    return replace(info, params={**added, **own}, needs=needs)


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
        """The same score under another policy, whose parameters join its own.

        Raises:
            UsageError: an unknown policy, one that this score cannot have, or a set method, which takes none.
        """
        if self.info.keep is None:
            raise UsageError(f"'{self.info.name}' chooses its set itself and takes no policy; drop '@{policy}'.")
        rule, own = combine(self.info.keep, policy, self.info.direction, self.info.name), parameters(self.function)
        info = under(rule, _redirected(self.info, rule), own)
        return replace(self, policy=rule, info=info, values={**info.params, **self.own})

    @property
    def rule(self) -> str | None:
        """The policy in force, in full: `easycore@balanced` keeps `low+balanced`."""
        return combine(self.info.keep, self.policy) if self.info.keep else None

    @property
    def own(self) -> dict[str, Scalar]:
        """The values of the function's own parameters, without the policy's."""
        return {name: self.values[name] for name in parameters(self.function) if name in self.values}

    def score(self, context: Context, budget: Budget | None = None) -> Floats:
        """One number a sample, [N]; score methods only. `budget` is for a score that reads it (None: all samples)."""
        offered = {
            "signals": context.signals,
            "labels": context.labels,
            "num_classes": context.num_classes,
            "budget": budget or Budget(context.n, context.n),
            "held_out": context.held_out,
            "rng": context.rng,
        }
        wanted = {name: offered[name] for name in positional(self.function)}
        return np.asarray(self.function(**wanted, **self.own))

    def select(self, context: Context, budget: Budget) -> Coreset:
        if self.rule is None:
            answer = self.function(context, budget, **self.values)
            return answer if isinstance(answer, Coreset) else Coreset(np.asarray(answer))
        ties = context.rng.permutation(context.n)  # drawn first, so that every budget sees the same one
        scores = self.score(context, budget)
        return Coreset(choose(scores, ties, context, budget, self.rule, self.info.name, self.values))


def _redirected(info: MethodInfo, rule: str) -> MethodInfo:
    """What a score promises under another policy: what it keeps, whether it draws, and whether its budgets nest."""
    default = info.keep or "low"
    stochastic = draws(rule) or (info.stochastic and not draws(default))
    nested = nests(rule) and (info.nested or not nests(default))
    per_class = info.per_class or "balanced" in rule.split("+")
    direction = _direction(info, default, rule)
    return replace(info, direction=direction, stochastic=stochastic, nested=nested, per_class=per_class)


def _direction(info: MethodInfo, default: str, rule: str) -> Direction:
    """Which samples another policy keeps, as far as the default policy and its direction say."""
    end, hard = end_of(rule), hard_end(default, info.direction)
    if (end, way_of(rule)) == (end_of(default), way_of(default)):
        return info.direction
    if end == "middle":
        return "middle"
    if draws(rule) or hard is None or info.direction == "any":
        return "any"
    return "hard" if end == hard else "easy"
