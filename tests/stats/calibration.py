"""What intervals and tests do where the truth is known: `python -m tests.stats.calibration` prints the tables.

docs/statistics.md holds the same tables; test_calibration.py compares them and asks for the promised rates.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.special import stdtrit

from benchmark.stats import (
    crossed,
    estimate,
    holm,
    mcnemar,
    null_position,
    paired_p,
    rank_intervals,
    replicates_needed,
    simultaneous,
)
from benchmark.stats.samples import t_p_values
from tests.stats.worlds import WORLDS, Bits, Floats, World

COVERAGE_TRIALS, TRIALS = 6000, 2000
ESTIMANDS = ("A", "B", "B without its two rules")
EQUAL = 0.5  # what every row of a true null reaches
Rates = dict[int, float]  # number of replicates -> share of trials


def coverage(world: World | Bits) -> dict[str, Rates]:
    """How often the intervals hold the truth that they are for."""
    rates: dict[str, Rates] = {name: {} for name in ESTIMANDS}
    for replicates in (2, 3, 5, 10):
        rng = np.random.default_rng([WORLDS.index(world), replicates])
        held = np.zeros(len(rates))
        for _ in range(COVERAGE_TRIALS):
            table, on_these, over_all = world.draw(rng, replicates)
            held += (
                estimate(table.mean(axis=1), least=2).may_be(on_these),
                crossed(table, least=2).may_be(over_all),
                abs(table.mean() - over_all) <= textbook_half_width(table),
            )
        for name, share in zip(rates, held / COVERAGE_TRIALS, strict=True):
            rates[name][replicates] = float(share)
    return rates


def textbook_half_width(table: Floats, confidence: float = 0.95) -> float:
    """Estimand B without rules for few replicates; 0 where the variance comes out negative."""
    seeds, images = table.shape
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    dfs = np.array([seeds - 1, images - 1, (seeds - 1) * (images - 1)])
    rest = ((table - rows - columns + table.mean()) ** 2).sum() / dfs[2]
    squares = np.array([images * rows.var(ddof=1), seeds * columns.var(ddof=1), rest])
    variance = squares[0] + squares[1] - squares[2]
    if variance <= 0:
        return 0.0
    quantile = stdtrit(variance**2 / (squares**2 / dfs).sum(), (1 + confidence) / 2)
    return float(quantile * np.sqrt(variance / table.size))


Trial = Callable[[np.random.Generator, int], bool]


def share_of_trials(trial: Trial, replicates: Iterable[int]) -> Rates:
    """The share of trials that come out true."""
    rates = {}
    for count in replicates:
        rng = np.random.default_rng(count)
        rates[count] = sum(trial(rng, count) for _ in range(TRIALS)) / TRIALS
    return rates


def any_false_rejection(rng: np.random.Generator, replicates: int, better: int) -> bool:
    """Twenty rows against a baseline, by Holm: some are 20 points better, and the others equal to it."""
    values = EQUAL + rng.normal(0, 0.03, replicates) + rng.normal(0, 0.02, (21, replicates))
    values[21 - better :] += 0.2
    adjusted = holm(t_p_values(values[1:] - values[0], step=0.0))  # paired_p of each row, at once
    return bool((adjusted[: 20 - better] <= 0.05).any())


def all_ranks_held(rng: np.random.Generator, replicates: int) -> bool:
    """Twelve rows, ties among them and unequal noise: each interval holds all the ranks that its row may have."""
    means = np.array([0.0, 0.0, 0.0, 0.02, 0.04, 0.04, 0.08, 0.1, 0.2, 0.2, 0.3, 0.5])
    above, below = (means[:, None] < means).sum(axis=1), (means[:, None] > means).sum(axis=1)
    noise = np.linspace(0.005, 0.04, means.size)[:, None] * rng.normal(size=(means.size, replicates))
    found = rank_intervals(means[:, None] + rng.normal(0, 0.03, replicates) + noise)
    truth = zip(1 + above, means.size - below, strict=True)
    return all(low <= first and last <= high for (low, high), (first, last) in zip(found, truth, strict=True))


def equal_rows_ranked(rng: np.random.Generator, replicates: int, images: int, step: float) -> bool:
    """Forty rows of equal truth, measured on few images: some row is said to be surely better than another."""
    found = rank_intervals(rng.binomial(images, EQUAL, (40, replicates)) / images, step=step)
    return any(ranks != (1, 40) for ranks in found)


def cells_held(rng: np.random.Generator, replicates: int, adjusted: bool) -> bool:
    """Twelve cells of equal truth that share replicates: all intervals hold it; or that of the largest cell does."""
    cells = 0.01 + rng.normal(0, 0.01, replicates) + rng.normal(0, 0.02, (12, replicates))
    if adjusted:
        return all(found.may_be(0.01) for found in simultaneous(cells))
    return estimate(cells[cells.mean(axis=1).argmax()]).may_be(0.01)


def skewed_held(rng: np.random.Generator, replicates: int) -> bool:
    """Estimand A of differences that are exponential: mostly small, now and then large on one side."""
    return estimate(rng.exponential(size=replicates)).may_be(1.0)


def outside_the_null(rng: np.random.Generator, replicates: int, skewed: bool) -> bool:
    """A row that is itself random is beyond the 2.5th or the 97.5th percentile of 100 random coresets."""
    draw = rng.exponential if skewed else rng.normal
    percentile = null_position(float(draw(size=replicates).mean()), draw(size=100), replicates).percentile
    return not 2.5 <= percentile <= 97.5


def pooled_mcnemar(rng: np.random.Generator, replicates: int, points: float, images: int = 500) -> bool:
    """Two equally good rows, whose models differ by seed with a deviation of so many points, are told apart.

    A model is right on an image where difficulty + noise + seed effect > 0, the first two with variances 1 and 0.75;
    so half of the images are right and two models disagree on about 30 %. The bits of all replicates are laid
    end to end, which `mcnemar` cannot see and is not for.
    """
    seed = points / 100 * np.sqrt(2 * np.pi * 1.75)  # points of accuracy as a shift of the threshold
    difficulty = rng.normal(size=images)
    first, second = (
        difficulty + rng.normal(0, seed, (replicates, 1)) + rng.normal(0, np.sqrt(0.75), (replicates, images)) > 0
        for _ in range(2)
    )
    return mcnemar(first.ravel(), second.ravel()) <= 0.05


def separated(rng: np.random.Generator, replicates: int, effect: float) -> bool:
    """A paired t test finds a mean of so many standard deviations."""
    return paired_p(rng.normal(effect, 1, replicates), np.zeros(replicates)) <= 0.05


def promised(effect: float) -> int:
    """What `replicates_needed` says for a sample of that mean and of standard deviation 1."""
    needed = replicates_needed(effect + np.array([-1.0, 0.0, 1.0]), np.zeros(3))
    assert needed is not None
    return needed


@dataclass(frozen=True)
class Measure:
    """A line of the second table: what happened in a trial, and how often it should."""

    name: str
    trial: Trial
    low: float
    high: float
    replicates: tuple[int, ...] = (3, 5, 10)

    def rates(self) -> Rates:
        return share_of_trials(self.trial, self.replicates)


HELD, REJECTED, RANDOM = (0.94, 1.0), (0.0, 0.06), (0.04, 0.065)
MEASURES = (
    Measure("Holm, 20 true nulls: any rejected", partial(any_false_rejection, better=0), *REJECTED),
    Measure("Holm, 10 true nulls of 20: any of them rejected", partial(any_false_rejection, better=10), *REJECTED),
    Measure("rank intervals of 12 rows with ties: all hold", all_ranks_held, *HELD),
    Measure(
        "40 equal rows on 100 images: any told apart", partial(equal_rows_ranked, images=100, step=0.01), *REJECTED
    ),
    Measure("the same without `step`", partial(equal_rows_ranked, images=100, step=0.0), 0.04, 0.8),
    Measure("simultaneous intervals of 12 cells: all hold", partial(cells_held, adjusted=True), *HELD),
    Measure("the largest of the 12 by its own interval: holds", partial(cells_held, adjusted=False), 0.7, 0.9),
    Measure("null, normal: a random row outside 2.5–97.5 %", partial(outside_the_null, skewed=False), *RANDOM),
    Measure("null, skewed: a random row outside 2.5–97.5 %", partial(outside_the_null, skewed=True), *RANDOM),
    Measure("A, differences as skewed as an exponential: holds", skewed_held, 0.85, 0.93),
    Measure("McNemar pooled, seeds ± 1 point: a true null rejected", partial(pooled_mcnemar, points=1), 0.07, 0.4),
    Measure("McNemar pooled, seeds ± 2 points: likewise", partial(pooled_mcnemar, points=2), 0.07, 0.4),
    Measure("McNemar pooled, seeds ± 3 points: likewise", partial(pooled_mcnemar, points=3), 0.07, 0.4),
)
EFFECTS = (0.7, 1.0, 1.5)


def coverage_lines(world: World | Bits, rates: dict[str, Rates]) -> list[str]:
    return [f"| {world.name} | {name} | {shown(found)} |" for name, found in rates.items()]


def measure_line(measure: Measure, rates: Rates) -> str:
    return f"| {measure.name} | {shown(rates)} |"


def power_line(effect: float) -> str:
    needed = promised(effect)
    reached = share_of_trials(partial(separated, effect=effect), (needed, needed - 1))
    return f"| {effect:g} | {needed} | {shown(reached)} |"


def shown(rates: Rates) -> str:
    return " | ".join(f"{100 * rate:.1f}" for rate in rates.values())


def main() -> None:
    print("| world | interval for | S = 2 | 3 | 5 | 10 |\n|:--|:--|--:|--:|--:|--:|")
    for world in WORLDS:
        print(*coverage_lines(world, coverage(world)), sep="\n")
    print("\n| in % of trials | S = 3 | 5 | 10 |\n|:--|--:|--:|--:|")
    for measure in MEASURES:
        print(measure_line(measure, measure.rates()))
    print("\n| mean ÷ standard deviation | promised | found with it | with one less |\n|--:|--:|--:|--:|")
    for effect in EFFECTS:
        print(power_line(effect))


if __name__ == "__main__":
    main()
