"""The dynamic track in words and tables: what a row reaches at the share of presentations that it spent.

There is no rank and no mean over shares: rows are compared at equal presentations, each with the random of this track,
`rs2`, replicate by replicate. A row with a budget of its own stands at its measured share, and beside no other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmark import wording
from benchmark.leaderboard.names import DYNAMIC_BASELINE as BASELINE
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.leaderboard.tables import SELECT_MARK, A, Grid, Labels, adjustment, interval
from benchmark.records import Record
from benchmark.spec import FULL, Family
from benchmark.stats import Estimate

TRACK = (
    "dynamic, of methods that re-select while the model trains, compared at equal sample presentations; "
    "never with coresets that are chosen once"
)


@dataclass(frozen=True)
class Point:
    """A row at one budget in one regime.

    presented  sample presentations as a share of those of training on the whole pool, mean over replicates
    gain       robust accuracy minus the baseline's at the same budget, paired by replicate
    """

    regime: RegimeStandings
    row: str
    fraction: float
    presented: float
    robust: Estimate
    gain: Estimate | None

    @property
    def alone(self) -> bool:
        """Whether no other row spends what it spends."""
        return self.row in self.regime.alone

    def of(self, metric: str) -> Estimate | None:
        return self.regime.at(metric, self.row, self.fraction)


def is_dynamic(records: Sequence[Record]) -> bool:
    """Whether these are records of the dynamic track."""
    return any(record.factors.track == "dynamic" for record in records)


def points(regime: RegimeStandings) -> list[Point]:
    """Every row at every budget that it has cells of: fewest presentations first, then the most robust."""
    found = []
    for row in regime.rows:
        for fraction in regime.fractions_of(row):
            robust, presented = (regime.at(metric, row, fraction) for metric in ("robust", "presented"))
            if robust and presented:
                found.append(Point(regime, row, fraction, presented.mean, robust, _gain(regime, row, fraction)))
    return sorted(found, key=lambda p: (round(p.presented, 4), -round(p.robust.mean, 9)))


def _gain(regime: RegimeStandings, row: str, fraction: float) -> Estimate | None:
    if row == BASELINE or row in regime.alone or BASELINE not in regime.rows:
        return None
    return regime.difference_at("robust", row, BASELINE, fraction)


def headline(regime: RegimeStandings) -> list[str]:
    """For each budget the most robust row, by how much over `rs2`, and who may be as good; then rows of own budgets."""
    found = points(regime)
    if not found:
        return ["No cell of this regime ran."]
    sentences = []
    for fraction in regime.fractions:
        here = [point for point in found if point.fraction == fraction and not point.alone]
        if here:
            sentences += _first(wording.percent(fraction), here)
    for point in found:
        if point.alone:
            share = wording.percent(round(point.presented, 3))
            robust = wording.share(point.robust)
            sentences.append(f"{wording.plain(point.row)} spends {share} and reaches {robust} %.")
    return sentences


def _first(share: str, here: Sequence[Point]) -> list[str]:
    best, *others = here
    gain = f", {wording.points(best.gain)} points to {BASELINE}" if best.gain else ""
    better = best.regime.surely_better(best.fraction)
    near = [point.row for point in others if (best.row, point.row) not in better]
    said = f"At {share} of the presentations {wording.plain(best.row)} is the most robust: "
    said += f"{wording.share(best.robust)} %{gain}"
    if not best.regime.has_intervals or not others:
        return [f"{said}."]
    if len(near) == len(others):
        return [f"{said}; no other row is distinguishable from it."]
    names = wording.listed(list(map(wording.plain, near)))
    return [f"{said}; {f'not distinguishable: {names}' if near else 'every other row is distinguishable from it'}."]


def main(regime: RegimeStandings, label: Labels) -> Grid:
    """Presentations, robust accuracy, the difference to `rs2` at the same budget, clean accuracy."""
    columns: dict[str, Callable[[Point], str]] = {
        "presented": lambda point: wording.percent(round(point.presented, 3)),
        "method": lambda point: label(point.row),
        "robust": partial(_counted, "robust"),
        f"− {BASELINE}": lambda point: wording.points(point.gain),
        "clean": partial(_counted, "clean"),
        "worst class": partial(_shown, "worst_class"),
    }
    return _grid(regime, f"Robust and clean accuracy in % at equal presentations ({conditions(regime)}; {A})", columns)


def details(regime: RegimeStandings, label: Labels) -> list[Grid]:
    """What lies behind the main table."""
    named: dict[str, Callable[[Point], str]] = {
        "presented": lambda point: wording.percent(round(point.presented, 3)),
        "method": lambda point: label(point.row),
    }
    robustness = {
        f"robust at ε = {wording.radius(epsilon)}": partial(_shown, f"robust@{epsilon}")
        for epsilon in regime.setting.epsilons
        if epsilon != regime.setting.primary
    }
    robustness["robust among cleanly right"] = partial(_shown, "robust_among_right")
    seconds = [name for name in map(str, regime.cells) if name.startswith("seconds:") and regime.cells[name].any()]
    costs: dict[str, Callable[[Point], str]] = {
        "optimiser steps": lambda point: _number(point.of("optimiser_steps")),
        **{f"{wording.stage(name.removeprefix('seconds:'))}, s": partial(_seconds, name) for name in seconds},
    }
    return [
        _grid(
            regime, f"Robustness at other ε and beside clean accuracy ({conditions(regime)}; {A})", named | robustness
        ),
        _grid(regime, "Cost of one cell: optimiser steps, and seconds of one core or accelerator", named | costs),
    ]


def compact(regimes: Sequence[RegimeStandings], label: Labels) -> Grid:
    """All regimes side by side, in the order of the first."""
    by_regime = [{(p.row, p.fraction): p for p in points(regime)} for regime in regimes]
    order = list(dict.fromkeys(key for found in by_regime for key in found))
    names = [wording.plain(regime.setting.regime) for regime in regimes]
    columns = ["budget", "method"]
    for name in names:
        columns += [f"{name}: robust", f"{name}: − {BASELINE}", f"{name}: clean"]

    def line(row: str, fraction: float) -> tuple[str, ...]:
        cells = ["own" if row in regimes[0].alone else wording.percent(fraction), label(row)]
        for found in by_regime:
            point = found.get((row, fraction))
            clean = point.of("clean") if point else None
            cells += [wording.share(point.robust if point else None), wording.points(point.gain if point else None)]
            cells.append(wording.share(clean).split(" ")[0])
        return tuple(cells)

    measured = "; ".join(f"{name}: {conditions(r)}" for name, r in zip(names, regimes, strict=True))
    title = f"Robust and clean accuracy in % at equal presentations ({measured}; {A})"
    return Grid(title, tuple(columns), tuple(line(*key) for key in order))


def conditions(regime: RegimeStandings) -> str:
    """What the robust accuracies of a regime were measured by."""
    setting = regime.setting
    return f"ε = {wording.radius(setting.primary)}, {wording.attacks(setting.attacks)}"


def budget(regime: RegimeStandings, records: Iterable[Record], pool: int) -> str:
    """What is equal between rows, and the optimiser steps that came of it."""
    recipe = regime.setting.recipe
    passes = f"{wording.counted(recipe.epochs, 'pass')} over the whole pool"
    steps: dict[float, set[int]] = {}
    for record in records:
        factors = record.factors
        if record.results and factors.regime == regime.setting.regime and factors.row not in regime.alone:
            steps.setdefault(factors.fraction, set()).add(factors.optimiser_steps)
    spans = [
        f"{min(found):,}{f' to {max(found):,}' if len(found) > 1 else ''} at {wording.percent(fraction)}"
        for fraction, found in sorted(steps.items())
    ]
    return (
        f"equal presentations: the same share of the {recipe.epochs * pool:,} that {passes} take, and a learning-rate "
        f"schedule as long as that; optimiser steps: {wording.listed(spans, limit=20) or 'none'}"
    )


def notes(regimes: Sequence[RegimeStandings], reads_select: bool, family: Family) -> list[str]:
    """What the symbols mean, as far as these tables use them."""
    rows = {row for regime in regimes for row in regime.rows}
    found = [
        "presented: samples shown in training, epoch by epoch, as a share of those that training on the whole pool "
        "shows. What a method looks at to select is no presentation; its cost stands behind the tables.",
        "Robust accuracy: the share of attacked test images that stay right under every attack that all cells ran on "
        "all of them, sample by sample.",
    ]
    if BASELINE in rows:
        found.append(
            f"− {BASELINE}: robust accuracy minus that of {BASELINE}, a random subset drawn anew each epoch, at the "
            "same presentations, in percentage points, paired by replicate."
        )
    if any(regime.alone for regime in regimes):
        names = wording.listed(sorted({wording.plain(row) for regime in regimes for row in regime.alone}))
        found.append(f"{names} spends what it must, as measured: compare it with the rows above and below.")
    if regimes[0].has_intervals:
        found += [
            interval(),
            f"Distinguishable: surely better. {adjustment(regimes[0], family, budgets=True)}",
        ]
    if any(regime.reference for regime in regimes):
        found.append("The last row is a reference: trained on the whole pool.")
    if reads_select:
        found.append(f"{SELECT_MARK.strip()}: may see the labelled images held out of the pool for selection.")
    if any(point.robust.n < len(regime.replicates) for regime in regimes for point in points(regime)):
        found.append("(2/3): mean over the replicates that ran, here 2 of 3.")
    return found


def _grid(regime: RegimeStandings, title: str, columns: dict[str, Callable[[Point], str]]) -> Grid:
    rows = tuple(tuple(text(point) for text in columns.values()) for point in points(regime))
    whole = regime.at("robust", FULL, 1.0)
    if whole is None:
        return Grid(title, tuple(columns), rows)
    presented = regime.at("presented", FULL, 1.0)
    full = Point(regime, FULL, 1.0, presented.mean if presented else 1.0, whole, None)
    return Grid(title, tuple(columns), rows, tuple(text(full) for text in columns.values()))


def _shown(metric: str, point: Point) -> str:
    return wording.share(point.of(metric))


def _counted(metric: str, point: Point) -> str:
    """Marked "(2/3)" where replicates are missing."""
    found, wanted = point.of(metric), len(point.regime.replicates)
    return wording.share(found) + (f" ({found.n}/{wanted})" if found and found.n < wanted else "")


def _number(found: Estimate | None) -> str:
    return wording.ABSENT if found is None else f"{round(found.mean):,}"


def _seconds(stage: str, point: Point) -> str:
    found = point.of(stage)
    return wording.ABSENT if found is None else wording.seconds(found.mean)
