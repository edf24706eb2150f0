"""One regime's leaderboard as the page shows it: every estimate as text, for each epsilon and fraction.

The texts are those of the Markdown tables, spelled by the same functions of the same estimates. A place is the mean
over the suite's fractions (static suites alone) or a fraction; rows of their own budget have one text for all places.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark import wording
from benchmark.leaderboard import shares
from benchmark.leaderboard.document import Section
from benchmark.leaderboard.names import BASELINE
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.leaderboard.tables import PLACES, A, Grid, Labels
from benchmark.records import Record
from benchmark.spec import FULL
from benchmark.stats import CONFIDENCE, paired_difference

MEAN = "mean"
FAILED = "failed"

Failed = set[tuple[str, float]]  # rows and fractions of which cells failed


def board(regime: RegimeStandings, section: Section, records: Sequence[Record], label: Labels) -> dict[str, Any]:
    """Everything that the page shows of one regime; `records` are those of the whole suite."""
    setting = regime.setting
    name, _, _ = setting.regime.partition("@")
    dynamic = shares.is_dynamic(records)
    baseline = shares.BASELINE if dynamic else BASELINE
    failed: Failed = {
        (r.factors.row, r.factors.fraction) for r in records if r.failure and r.factors.regime == setting.regime
    }
    places = [*([] if dynamic else [MEAN]), *map(wording.percent, regime.fractions)]
    methods = {r.factors.row: r.factors.method for r in records}
    place = next((name for name in PLACES if name in section.main.columns), "")
    ranks = _column(section.main, place)
    order = [standing.row for standing in regime.order]
    reference = [FULL] if regime.at("robust", FULL, 1.0) else []
    return {
        "regime": setting.regime,
        "training": wording.regime(name),
        "clock": "equal presentations" if dynamic else wording.clock(setting.recipe),
        "model": setting.model,
        "attacks": wording.attacks(setting.attacks),
        "epsilons": [wording.radius(epsilon) for epsilon in setting.epsilons],
        "radii": [round(epsilon, 9) for epsilon in setting.epsilons],
        "primary": setting.epsilons.index(setting.primary) if setting.primary in setting.epsilons else None,
        "places": places,
        "baseline": baseline if baseline in regime.rows else None,
        "intervals": f"± {100 * CONFIDENCE:g} % t interval over replicates, {A}"
        if regime.has_intervals
        else "values only",
        "place": place,
        "headline": section.headline,
        "remarks": section.remarks,
        "rows": [
            {
                "row": row,
                "label": label(row),
                "method": methods.get(row, row),
                "rank": ranks.get(label(row), ""),
                "alone": row in regime.alone,
                "presented": _presented(regime, row) if dynamic else None,
                **_estimates(regime, row, baseline, dynamic, failed),
            }
            for row in (*order, *reference)
        ],
        "reference": bool(reference),
        "main": _grid(section.main),
        "details": [_grid(grid) for grid in section.details],
    }


def _estimates(
    regime: RegimeStandings, row: str, baseline: str, dynamic: bool, failed: Failed
) -> Mapping[str, list[Any]]:
    """Each measure at each place; robust accuracy and its gain at each epsilon as well."""
    setting = regime.setting
    metrics = ["robust" if epsilon == setting.primary else f"robust@{epsilon}" for epsilon in setting.epsilons]
    compared = baseline in regime.rows and row != baseline and row not in regime.alone
    return {
        "robust": [_places(regime, metric, row, dynamic, failed) for metric in metrics],
        "gain": [_gains(regime, metric, row, baseline, dynamic) if compared else None for metric in metrics],
        "clean": _places(regime, "clean", row, dynamic, failed),
        "worst": _places(regime, "worst_class", row, dynamic, failed),
    }


def _places(regime: RegimeStandings, metric: str, row: str, dynamic: bool, failed: Failed) -> list[str]:
    """The text at each place. The full pool and rows of their own budget have one for all of them."""
    if row == FULL or row in regime.alone:
        found = regime.at(metric, row, 1.0)
        return [FAILED if found is None and (row, 1.0) in failed else wording.share(found)]
    texts = [] if dynamic else [wording.share(regime.summary(metric, row))]
    for fraction in regime.fractions:
        found = regime.at(metric, row, fraction)
        wanted = len(regime.replicates)
        few = f" ({found.n}/{wanted})" if found and found.n < wanted else ""
        texts.append(FAILED if found is None and (row, fraction) in failed else wording.share(found) + few)
    return texts


def _gains(regime: RegimeStandings, metric: str, row: str, baseline: str, dynamic: bool) -> list[str]:
    """The difference to the baseline at each place, paired by replicate."""
    texts = [] if dynamic else [wording.points(regime.difference(metric, row, baseline))]
    step = 1 / max(1, regime.setting.images)
    for fraction in regime.fractions:
        own, other = (regime.over_replicates(metric, each, fraction) for each in (row, baseline))
        both = np.isfinite(own) & np.isfinite(other)
        texts.append(wording.points(paired_difference(own[both], other[both], step=step) if both.any() else None))
    return texts


def _presented(regime: RegimeStandings, row: str) -> list[str]:
    """The measured share of presentations at each place."""
    found = [regime.at("presented", row, fraction) for fraction in regime.fractions_of(row)]
    return [wording.ABSENT if each is None else wording.percent(round(each.mean, 3)) for each in found]


def _column(grid: Grid, name: str) -> dict[str, str]:
    """One column of a table by the label of its row; nothing where there is no such column."""
    if name not in grid.columns:
        return {}
    at, method = grid.columns.index(name), grid.columns.index("method")
    return {line[method]: line[at] for line in grid.rows}


def _grid(grid: Grid) -> dict[str, Any]:
    return {"title": grid.title, "columns": grid.columns, "rows": grid.rows, "reference": grid.reference}
