"""From a run's store to released scores: what the store lacks is traced and selected first, as in a run."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from benchmark.execution import workers
from benchmark.execution.agenda import Facts
from benchmark.execution.progress import tracked
from benchmark.execution.run import Settings, trace_proxies
from benchmark.plan import Plan, Selection, is_dynamic, make_plan
from benchmark.scores.asking import Asked
from benchmark.scores.release import LABEL, POSITION, PROBABILITY, WEIGHT, About, Columns, Entry, ProxyRun, Release
from benchmark.scores.replay import bind, choose
from benchmark.scores.rounding import in_single
from benchmark.spec import Suite
from benchmark.stages.answer import Answer
from benchmark.store import Artifact, Store, require_writable
from benchmark.wording import counted
from methods.api import Budget, Coreset, Floats
from methods.errors import CoresetBenchError, UsageError

Reasons = dict[str, str]  # why there is no coreset, by its key


class Place(NamedTuple):
    """Where an answer belongs; without a fraction it serves all budgets."""

    entry: Entry
    replicate: int
    fraction: float | None

    def column(self, part: str = "") -> str:
        return self.entry.column(self.replicate, self.fraction, part)


def collect(suite: Suite, settings: Settings, console: Console) -> Release:
    """What the methods of a suite say of each image, held to the coresets that a run of it trains on.

    A method that fails is left out, with its reason in `About.missing`.

    Raises:
        UsageError: a dynamic suite, whose rows rank nothing beforehand, or a folder that cannot be written.
        CoresetBenchError: data that are not there, or scores that do not give a row's coreset again.
    """
    if any(is_dynamic(row) for row in suite.rows):
        raise UsageError(f"The rows of suite '{suite.name}' re-select while a model trains; they have no scores.")
    require_writable(settings.store)
    plan = make_plan(suite.model_copy(update={"nulls": None}), settings.data)
    asked, store = Asked(plan), Store(settings.store)
    answers: dict[str, Answer] = {}
    with settings.pool(plan) as pool:
        facts: Facts = pool.ask(workers.facts)
        reasons = _reasons(plan, store, pool, facts, settings, console)
        behind: list[tuple[Place, str]] = []
        for place, selections in _places(asked):
            alive = [selection.coreset.key for selection in selections if selection.coreset.key not in reasons]
            behind += [(place, key) for key in alive[:1]]
        keys = list(dict.fromkeys(key for _, key in behind))
        work = [1.0] * len(keys)
        lost = tracked(pool, console, "Reading scores", workers.score, keys, work, answered=answers.__setitem__)
        for each in lost.values():
            raise each.error()
        positions, labels, origin = (pool.ask(task) for task in (workers.positions, workers.labels, workers.origin))
    about = _about(asked, facts, reasons, store, origin)
    columns: Columns = {POSITION: positions.astype(np.int32), LABEL: labels.astype(np.int32)}
    exact: Columns = {}
    for place, key in behind:
        answer = answers[key]
        columns |= _columns(place, answer, about.pool)
        if answer.scores is not None:
            exact[place.column()] = answer.scores
        if answer.generator:
            about.generators[place.column()] = answer.generator
    _hold(columns, about, exact, asked, reasons, store)
    return Release(about, columns)


def _reasons(
    plan: Plan, store: Store, pool: workers.Pool, facts: Facts, settings: Settings, console: Console
) -> Reasons:
    """Traces and selects what the store lacks; why there is no coreset, by its key."""
    lost = trace_proxies(plan, pool, facts, settings, console)
    reasons = {
        selection.coreset.key: lost[trace.proxy.key].failure.message
        for selection in plan.selections()
        for trace in selection.traces
        if trace.proxy.key in lost and not trace.done(store)
    }
    keys = [s.coreset.key for s in plan.selections() if s.coreset.key not in reasons and not s.coreset.done(store)]
    title = f"Selecting {counted(len(keys), 'coreset')}"
    failed = tracked(pool, console, title, workers.select, keys, [1.0] * len(keys))
    return reasons | {key: each.failure.message for key, each in failed.items()}


def _places(asked: Asked) -> Iterator[tuple[Place, list[Selection]]]:
    """The places of all columns, each with the selections whose methods can fill it."""
    for entry in asked.entries:
        for replicate in asked.plan.replicates:
            for fraction in entry.fractions or (None,):
                yield Place(entry, replicate, fraction), asked.behind(entry, replicate, fraction)


def _columns(place: Place, answer: Answer, pool: int) -> Iterator[tuple[str, NDArray[Any]]]:
    """The columns of one answer: a score, or an order of picks and perhaps weights."""
    if answer.scores is not None:
        yield place.column(), in_single(answer.scores)
        if answer.probability is not None:
            yield place._replace(fraction=None).column(PROBABILITY), answer.probability
        return
    order = np.full(pool, -1, dtype=np.int32)
    order[answer.picks] = np.arange(len(answer.picks))
    yield place.column(), order
    if answer.weights is not None:
        weights = np.zeros(pool)
        weights[answer.picks] = answer.weights
        yield place.column(WEIGHT), _losslessly(weights)


def _losslessly(values: Floats) -> Floats:
    """In float32 where that changes none of them."""
    with np.errstate(over="ignore"):
        single = values.astype(np.float32)
    return single if np.array_equal(single, values) else values


def _hold(columns: Columns, about: About, exact: Columns, asked: Asked, reasons: Reasons, store: Store) -> None:
    """Selects every coreset of the suite from the columns; a score that float32 is too coarse for becomes exact.

    Raises:
        CoresetBenchError: a coreset comes out otherwise than in the run.
    """
    rows, entries = {row.name: row for row in about.rows}, {entry.name: entry for entry in about.entries}
    found = Release(about, columns)
    for (name, fraction, replicate), selection in asked.chosen.items():
        if selection.coreset.key in reasons:
            continue
        entry, row, budget = entries[rows[name].entry], rows[name], Budget.of(fraction, about.pool)
        column = entry.column(replicate, fraction if fraction in entry.fractions else None)
        wanted = store.read(selection.coreset.kind, selection.coreset.key)
        method = bind(found, entry, replicate, row.policy).with_params(row.params)
        if _alike(choose(found, method, replicate, budget), wanted):
            continue
        columns[column] = exact.get(column, columns[column])
        if not _alike(choose(found, method, replicate, budget), wanted):
            raise CoresetBenchError(
                f"The scores of row '{name}' do not give the coreset of the store at {fraction:g} in replicate "
                f"{replicate}, as where another machine selected it; name an empty folder with --store."
            )


def _alike(given: Coreset, wanted: Artifact | None) -> bool:
    if wanted is None or not np.array_equal(given.indices, wanted.arrays["indices"]):
        return False
    weights = wanted.arrays.get("weights")
    if weights is None or given.weights is None:
        return weights is given.weights
    return np.array_equal(given.weights, weights)


def _about(asked: Asked, facts: Facts, reasons: Reasons, store: Store, origin: dict[str, Any]) -> About:
    suite = asked.plan.suite
    runs: dict[str, ProxyRun] = {}
    for (_, _, replicate), selection in asked.chosen.items():
        for trace in selection.traces:
            run = ProxyRun(
                proxy=selection.row.proxy,
                replicate=replicate,
                seed=trace.seed,
                epochs=trace.until,
                key=trace.proxy.key,
            )
            runs.setdefault(run.key, run)
    stored = [store.read("proxy", key) for key in runs]
    origins = [proxy.meta["provenance"] for proxy in stored if proxy and "provenance" in proxy.meta]
    missing = {
        place.column(): reasons[selections[0].coreset.key]
        for place, selections in _places(asked)
        if all(selection.coreset.key in reasons for selection in selections)
    }
    return About(
        suite=suite.name,
        version=suite.version,
        description=suite.description,
        dataset=suite.dataset,
        checksum=facts["checksum"],
        num_classes=facts["num_classes"],
        pool=facts["pool"],
        fractions=suite.fractions,
        seeds={replicate: selection.seed for (_, _, replicate), selection in asked.chosen.items()},
        proxies={name: suite.proxies[name] for name in dict.fromkeys(run.proxy for run in runs.values())},
        runs=tuple(runs.values()),
        entries=asked.entries,
        rows=tuple(asked.rows),
        generators={},
        missing=missing,
        provenance={"scores": origin, "proxies": [o for i, o in enumerate(origins) if o not in origins[:i]]},
    )
