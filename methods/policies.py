"""How a score becomes a set of exactly k samples.

A policy is an end of the score, then perhaps a way of keeping from that end on, then perhaps `balanced`:
`low`, `high+window`, `low+stratified+balanced`.

    low, high    absolute ends of the score, best first
    middle       the band around the median rank
    window       skips the share `skip` at that end and keeps the next ones
    stratified   drops a share `beta` at that end, then draws evenly from strata of the remaining range (`sampling.py`);
                 of any score by its own end, where the authors' code drops by the area under the margin throughout
    beta         draws in proportion to the score, favouring easy samples as more is pruned (`sampling.py`)
    balanced     the same within each class

A way alone starts at the end where the hard samples are: `aum@window` is `aum@low+window`. Ties of every score are
broken by one permutation of all N samples drawn first from the generator, so that budgets nest and array order never
decides.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from methods.api import Budget, Context, Direction, Floats, Integers, Scalar
from methods.errors import CoresetBenchError, UsageError, unknown
from methods.sampling import beta_keys, cut_share, share_of, stratified

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


def _window(from_end: Integers, k: int, skip: float) -> Integers:
    """The k that follow the skipped share, then the nearest of the skipped ones where too few follow: so bands nest."""
    skipped = int(skip * len(from_end) + 1e-9)
    return np.concatenate([from_end[skipped:], from_end[:skipped][::-1]])[:k]


ENDS: dict[str, Order] = {"low": _low, "high": _high, "middle": _middle}
WAYS: Mapping[str, Mapping[str, Scalar]] = MappingProxyType(
    {
        "window": {"skip": 0.1},
        "stratified": {"strata": 50, "beta": -1.0, "table": "default"},
        "beta": {"c": -1.0, "seen": 0.15, "table": "default"},
    }
)
NEEDS = {"beta": ("label_probability",)}
NAMES = (*ENDS, *WAYS, "balanced")


def check_policy(policy: str) -> str:
    """The policy, spelled as given, if each of its parts joined by '+' exists and the combination means something."""
    parts = policy.split("+")
    for part in parts:
        if part not in NAMES:
            raise unknown("policy", part, NAMES)
    ends, ways = [p for p in parts if p in ENDS], [p for p in parts if p in WAYS]
    if len(ends) > 1 or len(ways) > 1 or len(set(parts)) < len(parts):
        raise UsageError(f"The policy '{policy}' contradicts itself; join one of {', '.join(ENDS)} with '+balanced'.")
    if ways and ends == ["middle"]:
        raise UsageError(f"The policy '{policy}' has no end to start from; write 'high+{ways[0]}' or 'low+{ways[0]}'.")
    if ways == ["beta"] and ends == ["low"]:
        raise UsageError(f"'{policy}' draws in proportion to a score whose low end is wanted; use a score kept 'high'.")
    return policy


def check_default(keep: str) -> str:
    """The default policy of a score, which names its end.

    Raises:
        UsageError: it names none, or is no policy.
    """
    if not set(check_policy(keep).split("+")) & set(ENDS):
        raise UsageError(f"The default policy '{keep}' names no end; write one of {', '.join(ENDS)} before it.")
    return keep


def combine(default: str, policy: str | None, direction: Direction = "any", name: str = "this score") -> str:
    """What a method's default policy becomes under a named one, its parts in the order of `NAMES`.

    `balanced` alone keeps the default's end; a way alone starts at the end where the hard samples are.

    Raises:
        UsageError: an unknown policy, or no end is known to be the hard one.
    """
    if policy is None:
        return default
    parts = set(check_policy(policy).split("+"))
    if parts == {"balanced"}:
        parts |= set(default.split("+"))
    elif not parts & set(ENDS):
        hard = hard_end(default, direction)
        if hard is None:
            raise UsageError(
                f"'{name}' does not say which end of its scores is hard; write '@high+{policy}' or '@low+{policy}'."
            )
        parts.add(hard)
    return check_policy("+".join(name for name in NAMES if name in parts))


def end_of(rule: str) -> str:
    """The end that a full rule names."""
    return next(part for part in rule.split("+") if part in ENDS)


def way_of(rule: str) -> str | None:
    """The way of keeping that a full rule names, if any."""
    return next((part for part in rule.split("+") if part in WAYS), None)


def hard_end(default: str, direction: Direction) -> str | None:
    """The end of a score at which the hard samples are, as far as its default policy and its direction say."""
    end = end_of(default)
    if way_of(default):
        return end
    opposite = {"low": "high", "high": "low"}
    return {"hard": end, "easy": opposite.get(end)}.get(direction) if end in opposite else None


def draws(rule: str) -> bool:
    """Whether a rule draws at random beyond the breaking of ties."""
    return way_of(rule) in ("stratified", "beta")


def nests(rule: str) -> bool:
    """Whether the picks of a rule at k are the first k of those at any larger budget.

    Largest remainders are not monotone in k (the Alabama paradox), so balanced budgets need not nest.
    """
    return not draws(rule) and "balanced" not in rule.split("+")


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


def choose(
    scores: Floats,
    ties: Integers,
    context: Context,
    budget: Budget,
    policy: str,
    name: str,
    values: Mapping[str, Scalar] | None = None,
) -> Integers:
    """The k picks of a score under a policy, best first. int64 [k].

    `ties` ranks samples of equal score; `values` are the policy's parameters, its defaults where left out.

    Raises:
        CoresetBenchError: the scores are not one finite number a sample, or not what the policy can draw by.
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
    way = way_of(policy)
    values = {**WAYS.get(way or "", {}), **(values or {})}
    if way == "beta":
        scores = beta_keys(scores, ties, context, budget, name, values)
    ascending = np.lexsort((ties, scores))
    order = _order(policy, scores, context, budget, values)
    if "balanced" not in policy.split("+"):
        return order(ascending, budget.k)
    classes = context.labels[ascending]
    counts = np.bincount(context.labels, minlength=context.num_classes)
    budgets = class_budgets(counts, budget.k, context.rng)
    picks = np.empty(budget.k, dtype=np.int64)
    turns = class_turns(budgets, budget.k, context.rng)
    for c in range(context.num_classes):
        picks[turns == c] = order(ascending[classes == c], budgets[c])
    return picks


def _order(policy: str, scores: Floats, context: Context, budget: Budget, values: Mapping[str, Scalar]) -> Order:
    """How k of some samples, given in ascending order, are kept."""
    end, way = ENDS[end_of(policy)], way_of(policy)
    if way == "window":
        skip = share_of("skip", values["skip"])
        return lambda ascending, k: _window(end(ascending, len(ascending)), k, skip)
    if way == "stratified":
        cut, strata = cut_share(values, context.num_classes, budget.fraction), int(values["strata"])
        return lambda ascending, k: stratified(end(ascending, len(ascending)), k, scores, cut, strata, context.rng)
    return end


def class_turns(counts: Integers, k: int, rng: np.random.Generator) -> Integers:
    """Whose turn it is at each of k picks, in proportion to class sizes, int64 [k].

    The j-th pick of a class of n stands at (j + 1/2) / n of the sequence: at every k the shares are those of the
    Sainte-Lague method, so that greedy picks within classes nest over budgets. Ties are broken by the generator.
    """
    order = rng.permutation(len(counts))
    turns = np.repeat(order, counts[order])
    place = np.concatenate([(np.arange(count) + 0.5) / max(count, 1) for count in counts[order]])
    return turns[np.argsort(place, kind="stable")[:k]]
