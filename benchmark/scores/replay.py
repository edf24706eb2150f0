"""A coreset from a file of released scores: no data set, no proxy, no torch.

The scores take the place of the method's function in `FunctionMethod`, so that policies, ties and draws are the very
ones of a run: the same generator gives the same picks.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark.scores.release import LABEL, POSITION, PROBABILITY, WEIGHT, Entry, Release, read_release
from benchmark.select import Picked, parsed
from benchmark.wording import counted, listed, percent
from methods.api import Budget, Context, Coreset, Floats, MethodInfo, Scalar, Signals
from methods.errors import UsageError, unknown
from methods.functions import FunctionMethod, under
from methods.policies import NEEDS, way_of
from methods.registry import run


def select_from(path: Path, method: str, fraction: float, seed: int, params: Sequence[str] = ()) -> Picked:
    """The coreset that a run of the suite trains on at that fraction, in the replicate `seed`.

    `method` names a row of the suite, or METHOD or METHOD@POLICY of a method that the file has; `params` are KEY=VALUE.

    Raises:
        UsageError: the file has no such method, parameter, replicate or budget, or lacks what the policy reads.
        CoresetBenchError: the file is damaged.
    """
    release = read_release(path)
    about = release.about
    if seed not in about.seeds:
        held = listed([str(number) for number in about.seeds], limit=20)
        raise UsageError(f"{path} has no replicate {seed}; pass --seed {held.replace(' and ', ' or ')}.")
    entry, policy, fixed = _named(release, path, method)
    bound = bind(release, entry, seed, policy)
    given = parsed(method, {**entry.params, **bound.info.params}, params)
    own = {**entry.params, **{name: value for name, value in given.items() if name not in bound.info.params}}
    if own != entry.params:
        entry = _with_params(release, path, entry, own)
        bound = bind(release, entry, seed, policy)
    bound = bound.with_params({**fixed, **{name: value for name, value in given.items() if name in bound.info.params}})
    coreset = choose(release, bound, seed, Budget.of(fraction, about.pool))
    proxy = {"name": entry.proxy, **about.proxies[entry.proxy].canonical()} if entry.proxy else None
    return Picked(
        release.columns[POSITION].astype(np.int64)[coreset.indices],
        coreset.weights,
        about.pool,
        {
            "dataset": about.dataset.canonical(),
            "checksum": about.checksum,
            "suite": about.suite,
            "proxy": proxy,
            "method": entry.method + (f"@{policy}" if policy else ""),
            "params": {**bound.values, **entry.params},
            "fraction": fraction,
            "seed": seed,
            "scores": release.checksum,
        },
    )


def _named(release: Release, path: Path, name: str) -> tuple[Entry, str | None, dict[str, Scalar]]:
    """The entry that a name stands for, and the policy and its parameters: those of a row, or as the name has them."""
    entries = {entry.name: entry for entry in release.about.entries}
    rows = {row.name: row for row in release.about.rows}
    if name in rows:
        return entries[rows[name].entry], rows[name].policy, rows[name].params
    base, at, policy = name.rpartition("@")
    base = base if at else name
    if base not in entries:
        raise unknown(f"method in {path}:", base, {*entries, *rows})
    return entries[base], policy if at else None, {}


def _with_params(release: Release, path: Path, like: Entry, params: dict[str, Scalar]) -> Entry:
    """The entry of the same method and proxy with other parameters of its own."""
    same = [e for e in release.about.entries if (e.method, e.proxy) == (like.method, like.proxy)]
    for entry in same:
        if entry.params == params:
            return entry
    held = listed([f"'{entry.name}'" for entry in same])
    raise UsageError(f"{path} has '{like.method}' as {held} only; select with --dataset in place of --from.")


def bind(release: Release, entry: Entry, replicate: int, policy: str | None) -> FunctionMethod:
    """What a file holds of a method in one replicate, as a method: its function returns what was computed.

    Raises:
        UsageError: a policy that the method cannot have, or one that reads what the file does not hold.
    """
    info = MethodInfo(
        entry.name,
        "set" if entry.keep is None else "score",
        keep=entry.keep,
        direction=entry.direction,
        needs=(PROBABILITY,) if entry.seen is not None else (),
    )
    if entry.keep is None:
        return _under(FunctionMethod(info, _picks(release, entry, replicate)), policy)
    info = under(entry.keep, info, {})
    bound = _under(FunctionMethod(info, _scores(release, entry, replicate), values=info.params), policy)
    reads = NEEDS.get(way_of(bound.rule or "") or "", ())
    if reads and entry.seen is None:
        having = listed([f"'{e.name}'" for e in release.about.entries if e.seen is not None])
        raise UsageError(
            f"The policy '{way_of(bound.rule or '')}' reads {listed(list(reads))}, which these scores bring along for "
            f"{having or 'no method'}; select with --dataset in place of --from."
        )
    return bound


def _under(method: FunctionMethod, policy: str | None) -> FunctionMethod:
    return method.with_policy(policy) if policy else method


def choose(release: Release, bound: FunctionMethod, replicate: int, budget: Budget) -> Coreset:
    """The picks of a bound method, as places in the pool.

    Raises:
        UsageError: a budget that the file cannot serve, or a share `seen` that it was not made with.
    """
    about, signals = release.about, {}
    entry = next(entry for entry in about.entries if entry.name == bound.info.name)
    if way_of(bound.rule or "") == "beta":
        if bound.values["seen"] != entry.seen:
            raise UsageError(f"The scores of '{entry.name}' are released for seen={entry.seen:g} alone; drop 'seen'.")
        signals[PROBABILITY] = _column(release, entry.column(replicate, part=PROBABILITY))[None]
    context = Context(
        release.columns[LABEL].astype(np.int64),
        about.num_classes,
        Signals(signals, epochs=1, asked_by=entry.name),  # a mean over epochs is one epoch
        np.random.default_rng(about.seeds[replicate]),
    )
    return run(bound, context, budget)


def _scores(release: Release, entry: Entry, replicate: int) -> Callable[..., Floats]:
    def released(budget: Budget, rng: np.random.Generator) -> Floats:
        name = entry.column(replicate, _fraction(release, entry, budget) if entry.fractions else None)
        if name in release.about.generators:  # the score has drawn, and what draws after it goes on from there
            rng.bit_generator.state = release.about.generators[name]
        return _column(release, name)

    return released


def _picks(release: Release, entry: Entry, replicate: int) -> Callable[..., Coreset]:
    def released(context: Context, budget: Budget) -> Coreset:
        fraction = _fraction(release, entry, budget)
        order = _column(release, entry.column(replicate, fraction))
        picks = np.argsort(order, kind="stable")[np.count_nonzero(order < 0) :][: budget.k]
        if not entry.weighted:
            return Coreset(picks)
        return Coreset(picks, _column(release, entry.column(replicate, fraction, WEIGHT))[picks].astype(np.float64))

    return released


def _fraction(release: Release, entry: Entry, budget: Budget) -> float:
    """The released fraction that serves a budget: of the same size, or a larger one whose picks begin with it."""
    sizes = {Budget.of(fraction, budget.n).k: fraction for fraction in entry.fractions}
    if budget.k in sizes:
        return sizes[budget.k]
    if entry.nested and budget.k < max(sizes):
        return sizes[max(sizes)]
    held = listed([percent(fraction) for fraction in entry.fractions], limit=20)
    upto = "up to " if entry.nested else ""
    raise UsageError(
        f"'{entry.name}' is released for {upto}{held} of the pool, and {counted(budget.k, 'image')} of "
        f"{budget.n:,} is none of these; select with --dataset in place of --from."
    )


def _column(release: Release, name: str) -> NDArray[Any]:
    if name not in release.columns:
        reason = release.about.missing.get(name, "It was not written.")
        raise UsageError(f"The release of suite '{release.about.suite}' lacks '{name}': {reason}")
    return release.columns[name]
