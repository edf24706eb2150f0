"""Three clocks and what cells cost, from records alone: equal epochs, equal optimiser steps, equal total cost.

A regime on a further clock is a regime of its own, named REGIME@CLOCK, so every table knows it already. Here its ranks
are held against those of the regime that it belongs to, and the work of a cell is counted: by what its row would need
alone, and by its part where all rows and fractions share their proxies.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

import numpy as np

from benchmark import wording
from benchmark.leaderboard.family import rank_intervals
from benchmark.leaderboard.names import BASELINE
from benchmark.leaderboard.outcomes import of_rows
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.leaderboard.tables import A, Column, Grid, Labels, places
from benchmark.records import Factors, Record, Work
from benchmark.spec import FULL

AT_LEAST = "≥ "
SECONDS = ("proxy", "select", "train")


def groups(regimes: Iterable[RegimeStandings]) -> list[list[RegimeStandings]]:
    """Each regime with those that are the same on other clocks, where there are any; its own clock comes first."""
    found: dict[str, list[RegimeStandings]] = {}
    for regime in regimes:
        found.setdefault(regime.setting.regime.partition("@")[0], []).append(regime)
    return [sorted(same, key=lambda r: "@" in r.setting.regime) for same in found.values() if len(same) > 1]


def rank_changes(regimes: Iterable[RegimeStandings]) -> list[str]:
    """One sentence for each regime on a further clock: whose rank surely changes, or else whose mean moves by most.

    Ranks are among the rows that are ranked on both clocks. Comparisons are those of the leaderboard's one family, so
    that intervals hold on all clocks at once.
    """
    return [_changes(own, other) for own, *others in groups(regimes) for other in others]


def _changes(own: RegimeStandings, other: RegimeStandings) -> str:
    clocks = [wording.clock(regime.setting.recipe) for regime in (own, other)]
    regime = wording.regime(wording.plain(own.setting.regime))
    opening = f"{regime}, {clocks[1]} in place of {clocks[0]}"
    rows = [row for row in own.rows if all(_comparable(each, row) for each in (own, other))]
    if len(rows) < 2:
        return f"{opening}: fewer than two rows have every cell on both, so no rank can change."
    before, after = (rank_intervals(rows, each.surely_better()) for each in (own, other))
    ranked = own.has_intervals and not own.beside_baseline
    moved = [row for row in rows if after[row][0] > before[row][1] or after[row][1] < before[row][0]]
    of = f"(ranks among the {len(rows)} rows that have one on both)"
    if moved and ranked:
        parts = [
            f"{wording.plain(row)} {'falls' if after[row] > before[row] else 'rises'} from rank "
            f"{wording.ranks(before[row])} to {wording.ranks(after[row])}"
            for row in sorted(moved, key=lambda row: (after[row], before[row], row))
        ]
        return f"{opening}: {wording.listed(parts, limit=20)} {of}."
    first, second = (_places(each, rows) for each in (own, other))
    farthest = max(abs(second[row] - first[row]) for row in rows)
    if farthest == 0:
        return f"{opening}: no row changes its place by the mean {of}."
    parts = [
        f"{wording.plain(row)} ({first[row]} to {second[row]})"
        for row in rows
        if abs(second[row] - first[row]) == farthest
    ]
    sure = "no rank surely changes, and " if ranked else ""
    return f"{opening}: {sure}the farthest move by the mean is that of {wording.listed(parts)} {of}."


def _comparable(regime: RegimeStandings, row: str) -> bool:
    return row not in regime.masked and regime.means("robust", row) is not None


def _places(regime: RegimeStandings, rows: Sequence[str]) -> dict[str, int]:
    """The place of each row by its mean; equal means share one."""
    found = {row: regime.summary("robust", row) for row in rows}
    means = {row: round(summary.mean, 9) for row, summary in found.items() if summary}
    return {row: 1 + sum(mean > means[row] for mean in means.values()) for row in rows}


def comparison(regimes: Iterable[RegimeStandings], label: Labels) -> list[Grid]:
    """A table for each regime that stands on several clocks: rank, mean robust accuracy and gain on each of them."""
    return [_beside(same, label) for same in groups(regimes)]


def _beside(same: Sequence[RegimeStandings], label: Labels) -> Grid:
    own, texts = same[0], {"method": cast(Column, label)}
    for regime in same:
        clock = wording.clock(regime.setting.recipe)
        texts |= {f"{clock}: {name}": place for name, place in places(regime).items()}
        texts[f"{clock}: robust"] = partial(_robust, regime)
        texts[f"{clock}: − {BASELINE}"] = partial(_gain, regime)
    name = wording.regime(wording.plain(own.setting.regime))
    title = f"{name} on each clock: robust accuracy in %, mean over fractions ({_measured(same)}; {A})"
    rows = tuple(tuple(text(standing.row) for text in texts.values()) for standing in own.order)
    reference = tuple(text(FULL) for text in texts.values()) if own.reference else None
    return Grid(title, tuple(texts), rows, reference)


def _measured(same: Sequence[RegimeStandings]) -> str:
    """ "ε = 0.1, PGD-20", said once where it is the same on all clocks."""
    settings = [regime.setting for regime in same]
    found = (f"ε = {wording.radius(s.primary)}, {wording.attacks(s.attacks)}" for s in settings)
    return "; ".join(dict.fromkeys(found))


def _robust(regime: RegimeStandings, row: str) -> str:
    return wording.share(regime.summary("robust", row))


def _gain(regime: RegimeStandings, row: str) -> str:
    return wording.points(None if row == BASELINE else regime.difference("robust", row, BASELINE))


@dataclass(frozen=True)
class Spent:
    """What a row's cells take, as shares of one training on the whole pool for equal epochs; means over its cells.

    `training` is None where one of them failed. `alone` is a lower limit where `complete` is false: older records do
    not say what recording signals took, and none what a method trains for itself.
    """

    alone: float
    shared: float | None
    training: float | None
    seconds: Mapping[str, float]
    complete: bool = True


def spent(records: Iterable[Record], regime: str) -> dict[str, Spent]:
    """What the rows of a regime take, the full pool's too."""
    cells: dict[str, list[Record]] = {}
    for record in of_rows(records):
        if record.factors.regime == regime:
            cells.setdefault(record.factors.row, []).append(record)
    return {row: _spent(found) for row, found in cells.items()}


def _spent(cells: Sequence[Record]) -> Spent:
    whole = min(_whole(record.factors) for record in cells)  # more epochs may be tuned for small fractions
    ran = [record for record in cells if record.results]
    works = [record.factors.work for record in cells]
    known = [work for work in works if work]
    trained = [_training(record.factors) for record in ran]
    seconds = {
        stage: float(np.mean([record.cost.seconds.get(stage, 0.0) for record in ran])) if ran else float("nan")
        for stage in SECONDS
    }
    complete = len(known) == len(works)
    alone = [work.alone for work in known] if complete else [_proxies(record.factors) for record in cells]
    return Spent(
        alone=float(np.mean(alone)) / whole,
        shared=_shared(known, whole) if complete else None if any(alone) else 0.0,
        training=float(np.mean(trained)) / whole if len(ran) == len(cells) else None,
        seconds=seconds,
        complete=complete or not any(alone),
    )


def _shared(works: Iterable[Work], whole: int) -> float:
    return float(np.mean([work.shared for work in works])) / whole


def _whole(factors: Factors) -> int:
    """Forward-equivalents of training on the whole pool for equal epochs."""
    return factors.recipe.work * factors.recipe.epochs * factors.pool


def _training(factors: Factors) -> int:
    """Forward-equivalents of a cell's training; older records do not say how often it presented a sample."""
    if factors.work:
        return factors.work.training
    steps = factors.recipe.clock == "steps"
    presented = factors.presentations or factors.recipe.epochs * (factors.pool if steps else factors.k)
    return presented * factors.recipe.work


def _proxies(factors: Factors) -> float:
    """Forward-equivalents of training the proxies that a row needs alone, without what is recorded on them."""
    return factors.proxy_epochs * factors.pool * factors.proxy_recipe.work if factors.proxy_recipe else 0.0


def costs(records: Sequence[Record], regime: RegimeStandings, label: Labels) -> Grid:
    """What a cell costs, counted, alone and with shared proxies; and the seconds of its parts, as recorded."""
    found, setting = spent(records, regime.setting.regime), regime.setting
    columns: dict[str, Callable[[Spent], str]] = {
        "before training, alone": lambda row: ("" if row.complete else AT_LEAST) + _times(row.alone),
        "before training, shared": lambda row: _times(row.shared),
        "training": lambda row: _times(row.training),
        "in all, alone": lambda row: ("" if row.complete else AT_LEAST) + _times(_sum(row.alone, row.training)),
        "in all, shared": lambda row: _times(_sum(row.shared, row.training)),
        **{f"{stage}, s": partial(_seconds, stage) for stage in SECONDS},
    }

    def line(row: str) -> tuple[str, ...]:
        return (label(row), *(text(found[row]) for text in columns.values()))

    title = (
        "Cost of one cell in trainings on the whole pool, mean over fractions and replicates; seconds of one core or "
        f"accelerator when first computed ({wording.clock(setting.recipe)})"
    )
    rows = tuple(line(standing.row) for standing in regime.order if standing.row in found)
    return Grid(title, ("method", *columns), rows, line(FULL) if FULL in found and regime.reference else None)


def _times(value: float | None) -> str:
    return wording.ABSENT if value is None else wording.fixed(value, 2)


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _seconds(stage: str, row: Spent) -> str:
    return wording.seconds(row.seconds[stage])


def notes(records: Sequence[Record]) -> list[str]:
    """What the columns of `costs` count, and what the clock "cost" holds equal."""
    found = [
        "Cost: samples sent through the network, a backward pass counted as two; 1 is a training on the whole pool for "
        "equal epochs. Before training, alone: the row's own proxies up to the epoch that it reads, and what its own "
        "signals record on them, as if there were no other row. Shared: a proxy run, with all that is recorded on it, "
        "is divided among the coresets that read it, in proportion to what each would need of it alone. Selecting "
        "sends nothing through the network, so its seconds are shown and not counted.",
    ]
    if any(_incomplete(record.factors) for record in of_rows(records)):
        found.append(
            f"{AT_LEAST.strip()} before a cost: its records count proxies alone, and nothing that was recorded on them."
        )
    charged = next((record.factors for record in records if record.factors.work and record.factors.work.budget), None)
    if charged:
        found.append(_budgets(records))
    return found


def _incomplete(factors: Factors) -> bool:
    return factors.work is None and factors.proxy_epochs > 0


def _budgets(records: Iterable[Record]) -> str:
    """How large the allowance is in each regime on the clock "cost"."""
    sizes: dict[str, str] = {}
    for factors in (record.factors for record in records):
        if factors.work and factors.work.budget:
            spare = factors.work.budget - factors.recipe.epochs * factors.recipe.work * factors.k
            sizes[wording.plain(factors.regime.partition("@")[0])] = _times(spare / _whole(factors))
    spelled = wording.listed([f"{size} in {regime}" for regime, size in sizes.items()], limit=20)
    return (
        "Equal total cost: at one fraction all rows may spend the same, equal epochs of the coreset and an allowance "
        f"(in trainings on the whole pool: {spelled}). What a row's proxies and signals, alone, leave of that goes "
        "into training on its coreset; where not one epoch is left, the cell is not affordable and the row not ranked."
    )
