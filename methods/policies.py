"""How a score becomes a set of exactly k samples.

`low` and `high` are absolute ends of the score, `middle` the band around the median rank. `balanced` applies the
policy before it within each class (`low+balanced`). Ties of every score are broken by one permutation of all N
samples drawn first from the generator, so that budgets nest and array order never decides.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.errors import CoresetBenchError, UsageError, unknown

Order: TypeAlias = Callable[[Integers, int], Integers]


def _low(ascending: Integers, k: int) -> Integers:
    return ascending[:k]


def _high(ascending: Integers, k: int) -> Integers:
    return ascending[::-1][:k]


def _middle(ascending: Integers, k: int) -> Integers:
    """The k ranks nearest to the median rank, nearest first: the band [1/2 - f/2, 1/2 + f/2] of Xia et al. 2023.

    Where the band's ends are no whole ranks the lower one is taken, so that bands nest.
    """
    centre = (len(ascending) - 1) / 2
    ranks = np.arange(len(ascending))
    return ascending[np.lexsort((ranks, np.abs(ranks - centre)))[:k]]


ENDS: dict[str, Order] = {"low": _low, "high": _high, "middle": _middle}
NAMES = (*ENDS, "balanced")


def check_policy(policy: str) -> str:
    """The policy, spelled as given, if each of its parts joined by '+' exists and the combination means something."""
    parts = policy.split("+")
    for part in parts:
        if part not in NAMES:
            raise unknown("policy", part, NAMES)
    if len([part for part in parts if part in ENDS]) > 1 or len(set(parts)) < len(parts):
        raise UsageError(f"The policy '{policy}' contradicts itself; join one of {', '.join(ENDS)} with '+balanced'.")
    return policy


def combine(default: str, policy: str | None) -> str:
    """What a method's default policy becomes under a named one: `balanced` alone keeps the default's end."""
    if policy is None:
        return default
    check_policy(policy)
    if policy == "balanced":
        return default if "balanced" in default.split("+") else f"{default}+balanced"
    return policy


def class_budgets(counts: Integers, k: int, rng: np.random.Generator) -> Integers:
    """How many of k each class gets: in proportion to its size, exact in total by largest remainder. int64 [C].

    Ties of remainders are broken by the generator. With k below the number of non-empty classes, k of these,
    drawn by the generator, get one each.
    """
    order = rng.permutation(len(counts))
    present = order[counts[order] > 0]
    budgets = np.zeros(len(counts), dtype=np.int64)
    if k < len(present):
        budgets[present[:k]] = 1
        return budgets
    # Integer arithmetic: a remainder is compared exactly, so that ties are ties.
    budgets, remainders = np.divmod(k * counts.astype(np.int64), counts.sum())
    largest = order[np.argsort(-remainders[order], kind="stable")]
    budgets[largest[: k - budgets.sum()]] += 1
    return budgets


def choose(scores: Floats, ties: Integers, context: Context, budget: Budget, policy: str, name: str) -> Integers:
    """The k picks of a score under a policy, best first. int64 [k]. `ties` ranks samples of equal score.

    Raises:
        CoresetBenchError: the scores are not one finite number a sample.
    """
    scores = np.asarray(scores)
    if scores.shape != (context.n,):
        raise CoresetBenchError(
            f"'{name}' scored with shape {scores.shape}; return one number a sample, [{context.n}]."
        )
    if not np.isfinite(scores).all():
        bad = np.flatnonzero(~np.isfinite(scores))
        raise CoresetBenchError(
            f"'{name}' scored {len(bad)} samples as NaN or infinite (first: sample {bad[0]}); "
            "return finite numbers, a large one for 'infinitely hard'."
        )
    parts = policy.split("+")
    order = ENDS[next(part for part in parts if part in ENDS)]
    ascending = np.lexsort((ties, scores))
    if "balanced" not in parts:
        return order(ascending, budget.k)
    classes = context.labels[ascending]
    counts = np.bincount(context.labels, minlength=context.num_classes)
    budgets = class_budgets(counts, budget.k, context.rng)
    picks = np.empty(budget.k, dtype=np.int64)
    turns = class_turns(budgets, budget.k, context.rng)
    for c in range(context.num_classes):
        picks[turns == c] = order(ascending[classes == c], budgets[c])
    return picks


def class_turns(counts: Integers, k: int, rng: np.random.Generator) -> Integers:
    """Whose turn it is at each of k picks, in proportion to class sizes, int64 [k].

    The j-th pick of a class of n stands at (j + 1/2) / n of the sequence: at every k the shares are those of the
    Sainte-Lague method, so that greedy picks within classes nest over budgets. Ties are broken by the generator.
    """
    order = rng.permutation(len(counts))
    turns = np.repeat(order, counts[order])
    place = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts[order]])
    return turns[np.argsort(place, kind="stable")[:k]]
