"""The tables of a leaderboard as text cells, ready for Markdown or a terminal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from benchmark import wording
from benchmark.leaderboard.names import AUTOATTACK, BASELINE
from benchmark.leaderboard.standings import RegimeStandings, Standing
from benchmark.spec import FULL, Family
from benchmark.stats import CONFIDENCE

SELECT_MARK = " †"
RANK, VS_BASELINE = PLACES = ("rank", f"vs {BASELINE}")  # the column of `places`, by what the family compares
A = "estimand A"  # what every interval is, unless its table says otherwise

Column = Callable[[str], str]  # the text of a row's cell


@dataclass(frozen=True)
class Grid:
    """A table of text. `per_fraction` are the columns that may be left out where there is no room."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    reference: tuple[str, ...] | None = None  # set apart: trained on the whole pool, not ranked
    per_fraction: tuple[str, ...] = ()

    def narrowed(self) -> "Grid":
        """Without the columns of single fractions."""

        def keep(cells: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(c for c, name in zip(cells, self.columns, strict=True) if name not in self.per_fraction)

        reference = None if self.reference is None else keep(self.reference)
        return Grid(self.title, keep(self.columns), tuple(map(keep, self.rows)), reference)


@dataclass(frozen=True)
class Labels:
    """How rows are called: who reads the held-out part is marked, the full pool is called by its size."""

    pool: int
    readers: frozenset[str]

    def __call__(self, row: str) -> str:
        if row == FULL:
            return f"all {self.pool:,} images"
        return wording.plain(row) + (SELECT_MARK if row in self.readers else "")


def main(regime: RegimeStandings, label: Labels) -> Grid:
    """Robust accuracy by fraction, its mean over fractions, the gain over the baseline, rank, and clean accuracy."""
    fractions = {wording.percent(f): partial(_at_fraction, regime, "robust", f) for f in regime.fractions}
    standings = _standings(regime)
    columns: dict[str, Column] = {
        **places(regime),
        "method": label,
        **fractions,
        "mean": lambda row: wording.share(standings[row].robust),
        f"− {BASELINE}": lambda row: wording.points(standings[row].gain),
        "clean": lambda row: wording.share(standings[row].clean),
    }
    return grid([regime], f"Robust accuracy in % ({conditions(regime)}; {A})", columns, per_fraction=tuple(fractions))


def compact(regimes: Sequence[RegimeStandings], label: Labels) -> Grid:
    """All regimes side by side, in the order of the first: rank, mean robust accuracy, gain, clean accuracy of all
    classes and of the worst.

    AutoAttack has a column where it ran on some cells only; where it ran on all it is in the robust accuracy.
    """
    columns: dict[str, Column] = {"method": label}
    for regime in regimes:
        name = wording.plain(regime.setting.regime)
        for column, text in _brief(regime).items():
            columns[f"{name}: {column}"] = text
    interval = f" ± {100 * CONFIDENCE:g} % t interval, {A}" if regimes[0].has_intervals else ""
    measured = "; ".join(f"{wording.plain(r.setting.regime)}: {conditions(r)}" for r in regimes)
    accuracies = "Robust accuracy, clean accuracy and that in the worst class in %"
    title = f"{accuracies}, mean over fractions and replicates{interval} ({measured})"
    scopes = dict.fromkeys(autoattack_scope(regime) for regime in regimes if _apart(regime))
    title += "".join(f"; AutoAttack with the other attacks: {scope}" for scope in scopes)
    return grid(regimes, title, columns)


def _brief(regime: RegimeStandings) -> dict[str, Column]:
    standings = _standings(regime)
    strong: dict[str, Column] = {}
    if _apart(regime):
        fractions = wording.listed([wording.percent(fraction) for fraction in regime.autoattacked.fractions])
        strong = {f"AutoAttack, {fractions}": lambda row: wording.share(regime.under_autoattack("autoattack", row))}
    return {
        **places(regime),
        "robust": lambda row: wording.share(standings[row].robust),
        **strong,
        f"− {BASELINE}": lambda row: wording.points(standings[row].gain),
        "clean": lambda row: wording.share(standings[row].clean).split(" ")[0],
        "worst class": lambda row: _mean(regime, "worst_class", row).split(" ")[0],
    }


def details(regime: RegimeStandings, label: Labels) -> list[Grid]:
    """What lies behind the main table."""
    return [
        *estimands(regime, label),
        clean(regime, label),
        robustness(regime, label),
        *autoattack(regime, label),
        costs(regime, label),
    ]


def estimands(regime: RegimeStandings, label: Labels) -> list[Grid]:
    """The difference to the baseline as both estimands see it; nothing where there is none, or no interval."""
    if BASELINE not in regime.rows or not regime.has_intervals:
        return []
    over_images = {row: regime.over_images(row, BASELINE) for row in (*regime.rows, FULL) if row != BASELINE}
    if not any(over_images.values()):
        return []
    standings = _standings(regime)
    columns: dict[str, Column] = {
        "method": label,
        "A, this test set": lambda row: wording.points(standings[row].gain),
        "B, any test set": lambda row: wording.points(over_images.get(row)),
        "B's degrees of freedom": lambda row: wording.freedom(over_images.get(row)),
    }
    title = (
        f"Robust accuracy minus that of {BASELINE} in points, means over fractions: estimand A, over replicates, and "
        f"estimand B, over test images too ({conditions(regime)})"
    )
    return [grid([regime], title, columns, rows=[s.row for s in regime.order if s.row != BASELINE])]


def clean(regime: RegimeStandings, label: Labels) -> Grid:
    """Clean accuracy by fraction, and the mean of the worst class's."""
    columns: dict[str, Column] = {
        "method": label,
        **{wording.percent(f): partial(_at_fraction, regime, "clean", f) for f in regime.fractions},
        "mean": partial(_mean, regime, "clean"),
        "worst class, mean": partial(_mean, regime, "worst_class"),
    }
    return grid([regime], f"Clean accuracy in % ({wording.clock(regime.setting.recipe)}; {A})", columns)


def robustness(regime: RegimeStandings, label: Labels) -> Grid:
    """Other radii, and measures that a high clean accuracy alone does not raise; all are means over fractions."""
    setting = regime.setting
    columns: dict[str, Column] = {
        "method": label,
        **{
            f"robust at ε = {wording.radius(epsilon)}": partial(_mean, regime, f"robust@{epsilon}")
            for epsilon in setting.epsilons
            if epsilon != setting.primary
        },
        "robust among cleanly right": partial(_mean, regime, "robust_among_right"),
        "median smallest ε": partial(_median_epsilon, regime),
    }
    title = f"Robustness at other ε and apart from clean accuracy, means over fractions ({conditions(regime)}; {A})"
    return grid([regime], title, columns)


def autoattack(regime: RegimeStandings, label: Labels) -> list[Grid]:
    """AutoAttack beside the other attacks on the same images and replicates; nothing where it was not run."""
    setting, scope = regime.setting, regime.autoattacked
    if not scope.fractions:
        return []
    others = wording.attacks(name for name in setting.attacks if name != AUTOATTACK)
    measures = {others: "without_autoattack", "with AutoAttack": "autoattack"}
    columns: dict[str, Column] = {"method": label}
    for fraction in scope.fractions:
        for name, metric in measures.items():
            columns[f"{wording.percent(fraction)}: {name}"] = partial(_where_run, regime, metric, fraction)
    omitted = "".join(f"; without {text}" for text in scope.omitted)
    title = (
        f"Robust accuracy in % under AutoAttack (ε = {wording.radius(setting.primary)}, "
        f"{wording.clock(setting.recipe)}, {autoattack_scope(regime)}{omitted}; {A})"
    )
    return [grid([regime], title, columns)]


def autoattack_scope(regime: RegimeStandings) -> str:
    """Where rows met AutoAttack: "30 %, replicate 0, first 250 test images"."""
    scope = regime.autoattacked
    fractions = wording.listed([wording.percent(fraction) for fraction in scope.fractions], limit=20)
    images = wording.listed([f"{count:,}" for count in scope.images])
    return f"{fractions}, {wording.replicates(scope.replicates)}, first {images} test images"


def _apart(regime: RegimeStandings) -> bool:
    """Whether AutoAttack ran, and is not among the attacks of the robust accuracy."""
    return bool(regime.autoattacked.fractions) and AUTOATTACK not in regime.setting.attacks


def costs(regime: RegimeStandings, label: Labels) -> Grid:
    """What a row needs: proxy epochs, and the seconds of each stage, averaged over the cells that ran it.

    A row's proxy and coreset count in each of its cells.
    """
    stages = [name for name in map(str, regime.cells) if name.startswith("seconds:") and regime.cells[name].any()]
    columns: dict[str, Column] = {
        "method": label,
        "proxy epochs": lambda row: f"{_average(regime, 'proxy_epochs', row):g}".replace("nan", wording.ABSENT),
        **{f"{wording.stage(stage.removeprefix('seconds:'))}, s": partial(_seconds, regime, stage) for stage in stages},
    }
    clock = wording.clock(regime.setting.recipe)
    title = f"Stages of one cell: proxy epochs, and seconds of one core or accelerator when first computed ({clock})"
    return grid([regime], title, columns)


def conditions(regime: RegimeStandings) -> str:
    """What the robust accuracies of a regime were measured by: "ε = 0.1, PGD-20, equal epochs"."""
    setting = regime.setting
    return f"ε = {wording.radius(setting.primary)}, {wording.attacks(setting.attacks)}, {wording.clock(setting.recipe)}"


def grid(
    regimes: Sequence[RegimeStandings],
    title: str,
    columns: Mapping[str, Column],
    per_fraction: tuple[str, ...] = (),
    rows: Sequence[str] | None = None,
    reference: bool = True,
) -> Grid:
    """All rows in the order of the first regime, or those named; below them the reference, where a regime has one."""

    def line(row: str) -> tuple[str, ...]:
        return tuple(text(row) for text in columns.values())

    named = [standing.row for standing in regimes[0].order] if rows is None else rows
    whole = line(FULL) if reference and any(regime.reference for regime in regimes) else None
    return Grid(title, tuple(columns), tuple(map(line, named)), whole, per_fraction)


def interval() -> str:
    """What stands behind "±"."""
    return (
        f"±: half-width of the two-sided {100 * CONFIDENCE:g} % t interval of estimand A, degrees of freedom one less "
        "than replicates; a standard deviation counts as no less than that of rounding to whole images. It is for one "
        "number by itself: intervals are not adjusted, comparisons are."
    )


def adjustment(regime: RegimeStandings, kind: Family, budgets: bool = False) -> str:
    """What "surely" means: the tests, and the family of comparisons that they are adjusted over."""
    pairs = "every pair of rows" if kind == "pairs" else "every row with the baseline"
    place = "at each budget of every regime" if budgets else "in every regime, on means over fractions"
    count = wording.counted(regime.family.comparisons, "comparison")
    return (
        f"Surely: by paired t tests over replicates at {100 * (1 - CONFIDENCE):.0f} %, adjusted by Holm over the one "
        f"family that the suite declares, {pairs} {place} ({count}); "
        "what follows from those that reject is sure as well."
    )


def _standings(regime: RegimeStandings) -> dict[str, Standing]:
    absent = Standing(FULL, robust=None, clean=None, gain=None, rank=None)
    return {**{standing.row: standing for standing in regime.order}, FULL: regime.reference or absent}


def places(regime: RegimeStandings) -> dict[str, Column]:
    """The column that the family of comparisons fills, if it fills any: ranks, or sides of the baseline."""
    standings = _standings(regime)

    def place(row: str) -> str:
        standing = standings[row]
        text = wording.ranks(standing.rank) if standing.rank else standing.side
        return text or ("" if row == FULL else wording.ABSENT)

    if not regime.has_intervals or (regime.beside_baseline and not any(s.side for s in regime.order)):
        return {}
    return {VS_BASELINE if regime.beside_baseline else RANK: place}


def _at_fraction(regime: RegimeStandings, metric: str, fraction: float, row: str) -> str:
    """One fraction's estimate; marked "(2/3)" where replicates are missing."""
    if row == FULL:
        return ""
    found = regime.at(metric, row, fraction)
    wanted = len(regime.replicates)
    return wording.share(found) + (f" ({found.n}/{wanted})" if found and found.n < wanted else "")


def _where_run(regime: RegimeStandings, metric: str, fraction: float, row: str) -> str:
    return wording.share(regime.at(metric, row, fraction))


def _mean(regime: RegimeStandings, metric: str, row: str) -> str:
    return wording.share(regime.summary(metric, row))


def _median_epsilon(regime: RegimeStandings, row: str) -> str:
    """The mean of the cells' medians; a lower limit, "> 0.31", where some lie beyond the bound of the search."""
    medians = regime.values("median_epsilon", row)
    if np.isnan(medians).any():
        return wording.ABSENT
    mean = float(np.minimum(medians, regime.values("epsilon_bound", row)).mean())
    text = wording.measured_radius(mean, like=regime.setting.primary)
    return f"> {text}" if np.isinf(medians).any() else text


def _average(regime: RegimeStandings, column: str, row: str) -> float:
    values = regime.values(column, row)
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _seconds(regime: RegimeStandings, stage: str, row: str) -> str:
    return wording.seconds(_average(regime, stage, row))
