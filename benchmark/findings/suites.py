"""A published suite, as a finding states it: what was run, and what somebody should pick."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from benchmark import markdown, wording
from benchmark.claims.evidence import Published
from benchmark.findings.regimes import Regime
from benchmark.findings.statements import Refuse
from benchmark.leaderboard.names import BASELINE, DYNAMIC_BASELINE
from benchmark.leaderboard.outcomes import of_rows
from benchmark.records import Record
from benchmark.spec import FULL
from benchmark.stats import CONFIDENCE
from methods.errors import unknown

_MADE_FOR = {"train": "model", "select": "coreset"}  # the key of what a stage made; outcomes have their own names


@dataclass(frozen=True)
class Tally:
    """Differences to the baseline in robust accuracy, one for each row, regime and fraction, by single intervals."""

    differences: int
    above: int
    below: int


@dataclass(frozen=True, eq=False)
class Suite:
    """A suite of published records."""

    published: Published
    refuse: Refuse

    def of(self, regime: str) -> Regime:
        """One of its regimes: "standard", "trades@steps".

        Raises:
            UsageError: it has none of this name.
        """
        if regime not in self.regimes:
            raise unknown(f"regime of {self.published.name}:", regime, self.regimes)
        return self.regimes[regime]

    @cached_property
    def regimes(self) -> dict[str, Regime]:
        return {r.setting.regime: Regime(self.published, r, self.refuse) for r in self.published.regimes}

    @property
    def cells(self) -> int:
        """Cells of rows and the full pool; random draws are counted apart."""
        return len(of_rows(self.published.records))

    @property
    def draws(self) -> int:
        """Random coresets that rows are held against."""
        return len(self.published.records) - self.cells

    @property
    def rows(self) -> int:
        """Without the full pool."""
        return sum(row != FULL for row in self.published.factors)

    @property
    def replicates(self) -> int:
        """What the suite declares."""
        return len(self.published.regimes[0].replicates)

    @property
    def fractions(self) -> str:
        """ "10 %, 30 % and 50 %"."""
        return wording.listed([wording.percent(f) for f in self.published.regimes[0].fractions], limit=20)

    @property
    def pool(self) -> str:
        """N, the training images that are chosen from: "1,100"."""
        return f"{self.published.records[0].factors.pool:,}"

    @property
    def images(self) -> str:
        """Test images."""
        tested = sorted({record.results.images for record in self.published.records if record.results})
        return wording.listed([f"{count:,}" for count in tested]) or "no"

    @property
    def computing(self) -> str:
        """What its stages took, each counted once: "7 core-minutes"."""
        spent: dict[tuple[str, object], float] = {}
        for record in self.published.records:
            for stage, seconds in record.cost.seconds.items():
                made = stage, _made(record, stage)
                spent[made] = max(seconds, spent.get(made, 0.0))
        minutes = sum(spent.values()) / 60
        return f"{minutes / 60:,.1f} core-hours" if minutes >= 120 else f"{minutes:,.0f} core-minutes"

    @property
    def comparisons(self) -> int:
        """In the family that the suite's verdicts are adjusted over."""
        return self.published.regimes[0].family.comparisons

    def none_sure(self) -> int:
        """The comparisons of the family; refused where one of them tells a row from the baseline."""
        for name, regime in self.regimes.items():
            for fraction in (0.0, *regime.standings.fractions):
                for pair in sorted(regime.standings.surely_better(fraction)):
                    if self._baseline in pair:
                        self.refuse(
                            f"the family of {self.published.name} shows {pair[0]} to be better than {pair[1]} in {name}"
                        )
        return self.comparisons

    def tally(self) -> Tally:
        """How many differences to the baseline there are, and how many intervals lie on either side of 0."""
        found = [
            difference
            for regime in self.regimes.values()
            for fraction in regime.standings.fractions
            for row in regime.ordered(fraction)
            if row != self._baseline
            and (difference := regime.standings.difference_at("robust", row, self._baseline, fraction))
        ]
        sure = [difference.mean > 0 for difference in found if not difference.may_be(0.0)]
        return Tally(len(found), sum(sure), len(sure) - sum(sure))

    def picks(self) -> str:
        """A table of the most robust row at each regime and fraction, and of those not distinguishable from it."""
        measured = (f"− {self._baseline}", "clean", "worst class", "not distinguishable")
        columns = ("training", "kept", "most robust", *measured)
        return markdown.table(columns, list(self._picks()), left=3)

    def _picks(self) -> Iterator[list[str]]:
        for regime in self.regimes.values():
            name = wording.markdown(wording.regime(regime.standings.setting.regime))
            for fraction in regime.standings.fractions:
                rows, near = regime.ordered(fraction), regime.near_best(fraction)
                for best in regime.leaders(fraction):
                    robust, *others = (regime.accuracy(best, m, fraction) for m in ("robust", "clean", "worst_class"))
                    yield [
                        name,
                        wording.percent(fraction),
                        f"{markdown.code(best)}, {robust}",
                        self._gain(regime, best, fraction),
                        *others,
                        f"{len(near)} of {len(rows)}: {markdown.code(near, 4)}" if near else wording.ABSENT,
                    ]

    def _gain(self, regime: Regime, row: str, fraction: float) -> str:
        if row == self._baseline or self._baseline not in regime.standings.rows:
            return wording.ABSENT
        return wording.points(regime.standings.difference_at("robust", row, self._baseline, fraction))

    def always_near_best(self, *named: str) -> list[str]:
        """The rows that nothing tells from the best at any regime and fraction, in the order of the records.

        Refused where one of those that are `named` is not there.
        """
        near = [set(regime.near_best(f)) for regime in self.regimes.values() for f in regime.standings.fractions]
        found = [row for row in self.published.regimes[0].rows if all(row in rows for rows in near)]
        for row in named:
            if row not in found:
                self.refuse(f"{row} is somewhere distinguishable from the best of {self.published.name}")
        return found

    @property
    def line(self) -> list[str]:
        """What was run, as a line of `runs`."""
        name, regimes = self.published.name, self.published.regimes
        full = " and full data" if FULL in self.published.factors else ""
        return [
            f"[{wording.markdown(name)}]({name}/leaderboard.md)",
            wording.markdown("; ".join(dict.fromkeys(str(self.published.scale(regime)) for regime in regimes))),
            f"{self.rows}{full}",
            f"{len(regimes)} × {len(regimes[0].fractions)}",
            str(self.replicates),
            f"{self.cells:,}" + (f" and {self.draws:,} random draws" if self.draws else ""),
            self.computing,
            wording.markdown(dict(self.published.board.facts)["Processor"]),
        ]

    @property
    def _baseline(self) -> str:
        return DYNAMIC_BASELINE if self.published.dynamic else BASELINE


def runs(suites: list[Suite]) -> str:
    """A table of what was run: a line for each suite."""
    columns = ("suite", "data and network", "rows", "trainings × fractions", "replicates", "cells", "computing", "on")
    return markdown.table(columns, [suite.line for suite in suites], left=3)


def _made(record: Record, stage: str) -> object:
    """What the stage made, which other cells may share: its key, or the seeds of proxies, which records do not key."""
    if stage == "proxy":
        return record.factors.proxy, record.factors.seeds.proxies
    return record.keys.get(_MADE_FOR.get(stage, stage), record.cell)


def confidence() -> str:
    """That of an interval: "95 %"."""
    return f"{100 * CONFIDENCE:g} %"
