"""The promises that every method keeps, each a function of a `Subject` that raises `ContractViolation`.

The order is from plain to subtle, so that the first failure printed is the one to mend first.
"""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from methods.api import HELD_OUT, Budget, Integers, MethodInfo, MissingSignal
from methods.contract.ambient import elsewhere, states
from methods.contract.direction import stated_direction
from methods.contract.subject import ContractViolation, DoesNotApply, Subject, equal
from methods.contract.world import World
from methods.errors import CoresetBenchError
from methods.policies import check_policy
from methods.registry import bind, compat_names, get, method_names, source_file
from methods.signals import get_signal

NAME = re.compile(r"([a-z0-9]+:)?[a-z0-9]+(-[a-z0-9]+)*")
SIGMAS = 5.5  # over 240 samples a fair method exceeds this about once in 10,000 methods
RUNS = 60  # generators, where a distribution has to be seen
FEW = 12  # generators that settle it where nothing varies: a tie of two decided by position escapes once in 2,000


def info_complete(subject: Subject) -> None:
    """`info` says everything that a reader of the leaderboard needs, in values that exist."""
    info, choices = subject.info, get_type_hints(MethodInfo)
    if not NAME.fullmatch(info.name):
        raise subject.refuse("is no name for a method; use lower-case words and digits joined by hyphens.")
    for name in ("kind", "direction"):
        if getattr(info, name) not in get_args(choices[name]):
            raise subject.refuse(
                f"has the {name} {getattr(info, name)!r}; choose one of {', '.join(get_args(choices[name]))}."
            )
    for name in ("summary", "paper"):
        text = getattr(info, name)
        if not isinstance(text, str) or not text.strip() or "\n" in text.strip():
            raise subject.refuse(f"has no {name}; give one line of text (for paper, 'none' where there is none).")
    if not isinstance(info.needs, tuple):
        raise subject.refuse(f"has the needs {info.needs!r}; write a tuple of signals' names, such as ('loss',).")
    for need in info.needs:
        if get_signal(need.removeprefix(HELD_OUT)).view == "online" and need.startswith(HELD_OUT):
            raise subject.refuse(f"needs '{need}', which training never shows; declare a snapshot signal.")
    for name, default in info.params.items():
        if not isinstance(default, int | float | str | bool):
            raise subject.refuse(f"has a parameter '{name}' with the default {default!r}; use a number, text or bool.")
    if (info.kind == "score") != (info.keep is not None):
        raise subject.refuse("must name the end it keeps (keep) if it is a score, and none if it is a set method.")
    if info.keep is not None:
        check_policy(info.keep)


def registrable(subject: Subject) -> None:
    """The registry can take it in as it is written, and make it with its parameters; its name is free."""
    written, name = subject.written, subject.info.name
    if not isinstance(getattr(written, "info", None), MethodInfo):
        raise subject.refuse(
            "has an info that only its instances have; write `info = MethodInfo(...)` in the class body, "
            "where the registry reads it."
        )
    if inspect.isclass(written):
        try:
            bind(written, None, {})
        except Exception as error:  # a constructor may fail in any way
            raise subject.refuse(
                f"cannot be made with the parameters that its info names ({type(error).__name__}: {error}); "
                "let the constructor take each of them by name."
            ) from None
    if name in (*method_names(), *compat_names()) and _place(get(name)) != _place(written):
        raise subject.refuse(f"has the name of another method ({_place(get(name))}); choose a name of its own.")


def _place(method: Any) -> Path | None:
    path = source_file(method)
    return path.resolve() if path else None


def declared_signals(subject: Subject) -> None:
    """It runs with the signals that it declares, and reads no others."""
    world = subject.world()
    try:
        subject.picks(world, world.n // 10)
    except MissingSignal as error:
        raise ContractViolation(str(error)) from None
    except CoresetBenchError as error:
        if isinstance(error.__cause__, MissingSignal):
            raise ContractViolation(str(error.__cause__)) from None
        raise


def exact_budget(subject: Subject) -> None:
    """Exactly k picks for k asked, from one sample to all of them."""
    world = subject.world()
    for k in budgets(world):
        found = len(subject.remembered(world, k).indices)
        if found != k:
            raise subject.refuse(f"returned {found} picks for a budget of {k} of {world.n}; return exactly k.")


def valid_indices(subject: Subject) -> None:
    """Whole numbers from 0 to N - 1, none twice."""
    world = subject.world()
    for k in budgets(world):
        picks = np.asarray(subject.remembered(world, k).indices)
        if picks.ndim != 1 or picks.dtype.kind not in "iu":
            raise subject.refuse(f"returned indices of type {picks.dtype} and shape {picks.shape}; return int64 [k].")
        outside = picks[(picks < 0) | (picks >= world.n)]
        if len(outside):
            raise subject.refuse(f"picked sample {outside[0]}, outside 0 to {world.n - 1}; return row numbers.")
        if len(np.unique(picks)) < len(picks):
            raise subject.refuse(f"picked a sample more than once at k = {k}; draw without replacement.")


def usable_weights(subject: Subject) -> None:
    """Weights, where `info` promises them, are one finite number a pick, none negative, not all zero."""
    world, promised = subject.world(), subject.info.weighted
    for k in budgets(world):
        weights = subject.remembered(world, k).weights
        if weights is None and promised:
            raise subject.refuse("promises weights and returns none; set weighted=False.")
        if weights is None:
            continue
        weights = np.asarray(weights, dtype=np.float64)
        if weights.shape != (k,):
            raise subject.refuse(f"returned weights of shape {weights.shape} for {k} picks; return one a pick.")
        if not np.isfinite(weights).all() or (weights < 0).any() or weights.sum() <= 0:
            raise subject.refuse("returned weights that are negative, not finite or all zero; clip or project them.")
        if not promised:
            raise subject.refuse("returns weights that its info does not promise; set weighted=True.")
    if not promised:
        raise DoesNotApply("it gives no weights")


def same_generator_same_answer(subject: Subject) -> None:
    """The generator in the context is the only source of randomness."""
    world = subject.world()
    first = subject.remembered(world, world.n // 10, seed=7)
    with elsewhere():
        second = subject.answer(world.copied(), world.n // 10, seed=7)
    if not equal(first, second):
        raise subject.refuse("gave two answers for the same generator; draw from context.rng alone and keep no state.")


def inputs_untouched(subject: Subject) -> None:
    """Labels and signals are read, never written."""
    world = subject.world().copied()
    before = world.copied()
    try:
        subject.answer(world, world.n // 10)
    except ContractViolation as error:
        if isinstance(error.__cause__, ValueError) and "read-only" in str(error.__cause__):
            raise subject.refuse("writes into its inputs, which are read-only; work on a copy.") from None
        raise
    for part in ("labels", "held_out_labels"):
        if not np.array_equal(getattr(world, part), getattr(before, part)):
            raise subject.refuse("changed the labels it was given; work on a copy.")
    for arrays, kept in zip(world.proxies, before.proxies, strict=True):
        for name, array in arrays.items():
            if not np.array_equal(array, kept[name]):
                raise subject.refuse(f"changed the signal '{name}' it was given; work on a copy.")


def global_randomness_untouched(subject: Subject) -> None:
    """The global generators of Python, NumPy and torch stay as they are."""
    world = subject.world()
    with elsewhere():  # from a state of our own: whoever seeds alike each time would leave its own state as it was
        before = states()
        subject.answer(world, world.n // 10)
        after = states()
    for library, state in after.items():
        if state != before[library]:
            raise subject.refuse(f"draws from, or seeds, the global generator of {library}; draw from context.rng.")


def order_of_samples(subject: Subject) -> None:
    """Permuting the samples permutes the answer, up to ties and draws: the same samples are as likely as before."""
    world = subject.world()
    orders = [np.random.default_rng([seed, 1]).permutation(world.n) for seed in range(RUNS)]
    for k in (max(2, world.n // 20), world.n // 4 + 1):
        before, after = _drawn(subject, k, lambda seed: (world.at(orders[seed]), orders[seed]))
        # After random permutations every position is as likely, however the picks hang together.
        at_positions = np.stack([picked[order] for picked, order in zip(after, orders, strict=False)])
        if _differ(before, after) or not _even(at_positions):
            raise subject.refuse(
                "picks other samples when their order changes; never let a position decide, break ties by context.rng."
            )


def names_of_labels(subject: Subject) -> None:
    """Renaming the classes changes nothing: a class is no number."""
    world = subject.world()
    everyone = np.arange(world.n)
    renamed = world.renamed(np.roll(np.arange(world.num_classes), 1))
    before, after = _drawn(subject, world.n // 4 + 1, lambda _: (renamed, everyone))
    members = np.eye(world.num_classes)[world.labels]
    if _differ(before, after) or _differ(before @ members, after @ members):
        raise subject.refuse(
            "picks other samples when the classes are renamed; treat labels as names, and break ties by context.rng."
        )


def nested_budgets(subject: Subject) -> None:
    """If `info.nested`: the coreset at k is the first k picks of every larger one."""
    if not subject.info.nested:
        raise DoesNotApply("it does not promise nested coresets")
    world = subject.world()
    for seed in range(3):
        smaller = np.zeros(0, dtype=np.int64)
        for k in budgets(world):
            picks = subject.picks(world, k, seed)
            if not np.array_equal(picks[: len(smaller)], smaller):
                raise subject.refuse(
                    f"promises nested coresets, but its {len(smaller)} picks are not the first of its {k}; "
                    "keep the order of picks and draw alike for every budget, or set nested=False."
                )
            smaller = picks


def ties_by_generator(subject: Subject) -> None:
    """Where samples cannot be told apart, the generator decides between them and not their position."""
    world = subject.world().levelled()
    everyone = np.arange(world.n)
    picked = subject.draws(lambda _: (world, everyone), world.n // 5, range(RUNS))
    for c in range(world.num_classes):
        if not _even(picked[:, world.labels == c]):
            raise subject.refuse("prefers some of several equal samples; break ties by context.rng, never by position.")


def awkward_classes(subject: Subject) -> None:
    """A class of one sample, an empty class, and two classes in all are served like any other set."""
    world = subject.world()
    firsts = np.array([np.flatnonzero(world.labels == c)[0] for c in range(world.num_classes)])
    lonely = np.flatnonzero(world.labels == 0)[1:]
    worlds = {
        "a class has one sample": world.at(np.delete(np.arange(world.n), lonely)),
        "every class has one sample": world.at(firsts),
        "a class is empty": world.at(np.flatnonzero(world.labels != 1)),
        "there are two classes": subject.world(num_classes=2),
    }
    _serves(subject, worlds)


def equal_signals(subject: Subject) -> None:
    """Signals that tell nothing are served: a class of identical samples, all alike, no epoch unlike another."""
    if not subject.info.needs:
        raise DoesNotApply("it reads no signals")
    world = subject.world()
    worlds = {
        "all samples of a class are identical": world.levelled(np.flatnonzero(world.labels == 0)),
        "all samples are identical": world.levelled(),
        "no signal changes from epoch to epoch": world.stilled(),
    }
    _serves(subject, worlds)


def zero_features(subject: Subject) -> None:
    """Features of zero norm are served: of some samples, and of all."""
    if not any(need.removeprefix(HELD_OUT) == "features" for need in subject.info.needs):
        raise DoesNotApply("it reads no features")
    world = subject.world()
    worlds = {
        "every third sample has features of zero norm": world.faded(every=3),
        "all features are zero": world.faded(every=1),
    }
    _serves(subject, worlds)


def _serves(subject: Subject, worlds: dict[str, World]) -> None:
    """Exactly k valid picks in each world, at every budget."""
    for case, shown in worlds.items():
        for k in budgets(shown):
            try:
                subject.picks(shown, k)
            except CoresetBenchError as error:
                raise subject.refuse(f"fails where {case}, at k = {k}: {error}") from None


def non_finite_signals(subject: Subject) -> None:
    """A signal that is NaN or infinite is refused in words, never turned into picks."""
    world = subject.world()
    subject.picks(world, world.n // 10)  # whoever refuses everything refuses nothing in particular
    needs = [need for need, array in world.proxies[0].items() if array.dtype.kind == "f"]
    read = [need for need in needs if _refuses(subject, world.without(need))]  # parameters may choose between needs
    if not read:
        raise DoesNotApply("it reads no signals that could be NaN")
    for need in read:
        for value in (np.nan, np.inf, -np.inf):
            if not _refuses(subject, world.spoiled(need, 3, value)):
                raise subject.refuse(
                    f"accepts a sample whose '{need}' is {value}; "
                    "let it reach the score, or raise, but never pick from it."
                )


def _refuses(subject: Subject, world: World) -> bool:
    with np.errstate(all="ignore"):
        try:
            subject.picks(world, world.n // 10)
        except CoresetBenchError:
            return True
    return False


def budgets(world: World) -> list[int]:
    """1, C, 1 %, 10 %, 50 % and all, ascending."""
    shares = {Budget.of(fraction, world.n).k for fraction in (0.01, 0.1, 0.5, 1.0)}
    return sorted({1, min(world.num_classes, world.n), *shares})


def _drawn(
    subject: Subject, k: int, changed: Callable[[int], tuple[World, Integers]]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What each generator picks in the planted world and in a changed one, [runs, N]: a few where nothing varies."""
    world = subject.world()
    everyone = np.arange(world.n)
    before = subject.draws(lambda _: (world, everyone), k, range(FEW))
    after = subject.draws(changed, k, range(FEW))
    if (before == before[0]).all() and (after == after[0]).all():
        return before, after
    rest = range(FEW, RUNS)
    return (
        np.concatenate([before, subject.draws(lambda _: (world, everyone), k, rest)]),
        np.concatenate([after, subject.draws(changed, k, rest)]),
    )


def _differ(first: NDArray[Any], second: NDArray[Any]) -> bool:
    """Whether two tables [runs, what] differ in the mean of a column by more than chance; no spread allows nothing."""
    gap = np.abs(first.mean(axis=0) - second.mean(axis=0))
    pooled = np.concatenate([first, second])
    return bool((gap > SIGMAS * pooled.std(axis=0) * np.sqrt(2 / len(first)) + 1e-9).any())


def _even(picked: NDArray[np.bool_]) -> bool:
    """Whether all columns [runs, what] are picked equally often, by the chi-square of draws without replacement."""
    share = picked.mean(axis=1)
    variance = float((share * (1 - share)).sum())
    squares = float(((picked.sum(axis=0) - share.sum()) ** 2).sum())
    n = picked.shape[1]
    return squares <= variance * (n + SIGMAS * np.sqrt(2 * n)) + 1e-9


CHECKS: tuple[Callable[[Subject], None], ...] = (
    info_complete,
    registrable,
    declared_signals,
    exact_budget,
    valid_indices,
    usable_weights,
    same_generator_same_answer,
    inputs_untouched,
    global_randomness_untouched,
    order_of_samples,
    names_of_labels,
    nested_budgets,
    ties_by_generator,
    awkward_classes,
    equal_signals,
    zero_features,
    non_finite_signals,
    stated_direction,
)
