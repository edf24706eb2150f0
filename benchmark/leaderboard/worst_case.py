"""Each model under everything that was run against it, beside what the ranks go by.

The robust accuracy of the main table is the worst case over the attacks that every cell of a regime met on all of its
images, so that no row faces a stronger attacker than its neighbour. This table drops that restriction: AutoAttack where
it ran, the guard, smaller radii and the search for the smallest epsilon count against a model too, on the images that
all of them saw.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from benchmark import wording
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.leaderboard.tables import A, Grid, Labels
from benchmark.records import Record, Results
from benchmark.spec import FULL
from benchmark.stats import Estimate, estimate

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Cells:
    """The outcomes of a regime by row, fraction and replicate."""

    regime: RegimeStandings
    results: dict[tuple[str, float, int], Results]
    primary: float

    @cached_property
    def images(self) -> int:
        """The first so many test images, which everything that was run on any cell saw."""
        return min(
            count
            for results in self.results.values()
            for count in (*(v.images for v in results.attacks if v.epsilon <= self.primary), results.radii.images)
            if count
        )

    def values(self, row: str) -> tuple[Floats, Floats]:
        """Under everything, and under the common attacks on the same images: [fraction, replicate], NaN where none."""
        fractions, replicates = self.regime.fractions_of(row), self.regime.replicates
        worst = np.full((len(fractions), len(replicates)), np.nan)
        common = worst.copy()
        for i, fraction in enumerate(fractions):
            for j, replicate in enumerate(replicates):
                results = self.results.get((row, fraction, replicate))
                if results:
                    usual = results.robust_bits(self.primary, self.regime.setting.attacks, self.images)
                    worst[i, j] = results.worst_case(self.primary, self.images).mean()
                    common[i, j] = np.nan if usual is None else usual.mean()
        return worst, common


def grids(records: Sequence[Record], regime: RegimeStandings, label: Labels) -> list[Grid]:
    """The table; none where no cell of the regime ran."""
    setting = regime.setting
    results = {
        (record.factors.row, record.factors.fraction, record.factors.replicate): record.results
        for record in records
        if record.results and record.factors.regime == setting.regime and not record.factors.null
    }
    if not results or setting.primary is None:
        return []
    cells = _Cells(regime, results, setting.primary)
    percents = tuple(wording.percent(fraction) for fraction in regime.fractions)
    common = wording.attacks(setting.attacks)
    title = (
        "Robust accuracy in % under everything that was run against each model, the search for the smallest ε included "
        f"(ε = {wording.radius(setting.primary)}, first {cells.images:,} test images, {wording.clock(setting.recipe)}; "
        f"beside it {common} on these images, and what the rest takes off; {A})"
    )
    columns = ("method", *percents, "mean", f"{common}, mean", "difference")
    rows = tuple(_line(cells, standing.row, label) for standing in regime.order)
    reference = _line(cells, FULL, label) if any(row == FULL for row, *_ in results) else None
    return [Grid(title, columns, rows, reference, percents)]


def _line(cells: _Cells, row: str, label: Labels) -> tuple[str, ...]:
    worst, common = cells.values(row)
    fractions, step = len(cells.regime.fractions), 1 / cells.images
    # the whole pool, and a dynamic row with a budget of its own, are at none of them
    each = [_over_replicates(values, step) for values in worst] if len(worst) == fractions else [""] * fractions
    means = [_mean(values, step) for values in (worst, common, worst - common)]
    return (label(row), *each, *map(wording.share, means[:2]), wording.points(means[2]))


def _over_replicates(values: Floats, step: float) -> str:
    """Marked "(2/3)" where replicates are missing."""
    found = values[np.isfinite(values)]
    if not found.size:
        return wording.ABSENT
    return wording.share(estimate(found, step=step)) + (
        f" ({found.size}/{values.size})" if found.size < values.size else ""
    )


def _mean(values: Floats, step: float) -> Estimate | None:
    """The mean over fractions with its interval over replicates; None without every cell."""
    return estimate(values.mean(axis=0), step=step / len(values)) if np.isfinite(values).all() else None
