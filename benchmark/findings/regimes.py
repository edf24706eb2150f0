"""One regime of a published suite: what is stated of its rows, who is best, and what fewer attacks would have said."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from benchmark import wording
from benchmark.findings.attacks import Excess, under
from benchmark.findings.statements import Rows, Statements, several
from benchmark.leaderboard.names import AUTOATTACK
from benchmark.leaderboard.nulls import Nulls, nulls_of
from benchmark.spec import UNIFORM
from benchmark.stats import among_best
from methods.errors import UsageError, unknown


class Regime(Statements):
    """One regime; `Statements` has the accuracies and the differences."""

    @property
    def rows(self) -> list[str]:
        """Complete rows that are not masked, the highest mean robust accuracy first."""
        return [s.row for s in self.standings.order if s.robust and s.row not in self.standings.masked]

    @property
    def radius(self) -> str:
        """The primary epsilon: "8/255"."""
        return wording.radius(self.standings.setting.primary)

    def fraction(self, at: float) -> str:
        """ "30 %"; a UsageError where the suite has none such."""
        if at not in self.standings.fractions:
            raise UsageError(f"There is no fraction {at:g}{self._where(None)}.")
        return wording.percent(at)

    def same(self, *rows: str) -> list[str]:
        """These rows; refused unless they agree on every image of every cell."""
        if not any(set(rows) <= set(group) for group in self.standings.twins):
            self.refuse(f"{wording.listed(list(rows))} do not agree on every image{self._where(None)}")
        return list(rows)

    def leads(self, row: str, besides: Rows = ()) -> str:
        """The row's robust accuracy; refused unless no other row has a higher mean, `besides` set aside."""
        best = self.best(besides)
        if round(self._mean(best), 9) > round(self._mean(row), 9):
            self.refuse(f"{best} has the highest mean robust accuracy{self._where(None)}, {self.accuracy(best)}")
        return self.accuracy(row)

    def best(self, besides: Rows = ()) -> str:
        """The row of the highest mean robust accuracy, `besides` set aside."""
        left = [row for row in self.rows if row not in several(besides)]
        if not left:
            raise UsageError(f"No complete row is left{self._where(None)} to be the best.")
        return left[0]

    def near_best(self, at: float | None = None) -> list[str]:
        """The rows that are not distinguishable from the best, the highest mean first: none without intervals.

        On means over fractions by the suite's adjusted family; at one fraction all pairs of rows there are the family.
        """
        if not self.standings.has_intervals:
            return []
        if at is None:
            if self.standings.beside_baseline:
                raise UsageError(f"{self.suite.name} compares rows with the baseline alone, so none is near the best.")
            return [standing.row for standing in self.standings.order if standing.may_be_best]
        rows = self.ordered(at)
        if not rows:
            return []
        table = [self.standings.over_replicates("robust", row, at) for row in rows]
        near = among_best(table, step=self.standings.finest("robust"))
        return [row for row, kept in zip(rows, near, strict=True) if kept]

    def ordered(self, at: float) -> list[str]:
        """Rows that have every replicate at a fraction and are not masked, the highest mean robust accuracy first."""
        standings = self.standings
        values = {
            row: standings.over_replicates("robust", row, at)
            for row in standings.rows
            if row not in standings.masked and at in standings.fractions_of(row)
        }
        means = {row: round(float(found.mean()), 9) for row, found in values.items() if np.isfinite(found).all()}
        return sorted(means, key=lambda row: -means[row])

    def leaders(self, at: float) -> list[str]:
        """The rows that share the highest mean robust accuracy at a fraction: one, as a rule."""
        rows, standings = self.ordered(at), self.standings
        means = {row: round(float(standings.over_replicates("robust", row, at).mean()), 9) for row in rows}
        return [row for row in rows if means[row] == means[rows[0]]]

    def surely_above(self, row: str) -> list[str]:
        """The rows that the suite's family shows to be better, on means over fractions, the highest first.

        Refused where there is none; so is `surely_below`.
        """
        return self._surely({first for first, second in self.standings.surely_better() if second == row}, "above", row)

    def surely_below(self, row: str) -> list[str]:
        """The rows that the suite's family shows to be worse, likewise."""
        return self._surely({second for first, second in self.standings.surely_better() if first == row}, "below", row)

    def _surely(self, rows: set[str], side: str, row: str) -> list[str]:
        if not rows:
            self.refuse(f"the family of comparisons shows no row {side} {row}{self._where(None)}")
        return [other for other in self.rows if other in rows]

    def ranks(self, row: str) -> str:
        """The ranks that a row may have: "1 to 17"."""
        found = next((standing.rank for standing in self.standings.order if standing.row == row), None)
        if found is None:
            raise UsageError(f"{row} has no rank{self._where(None)}.")
        return wording.ranks(found).replace("–", " to ")

    def place(self, row: str, at: float | None = None, null: str = UNIFORM) -> str:
        """Where a row stands among random coresets: "percentile 97.3, z = +1.9".

        `null` is the row's own name for those that have its class counts.
        """
        nulls = self._nulls
        found = nulls.position(row, null, at) if nulls and null in nulls.draws else None
        if found is None:
            raise UsageError(f"{row} has no place among random coresets{self._where(at)}.")
        return f"percentile {wording.fixed(found.percentile)}, z = {wording.signed(found.z)}"

    def under(self, *attacks: str) -> "Regime":
        """The same models against some of their attacks alone, as if no other had been run."""
        known = self.standings.setting.attacks
        if not attacks:
            raise UsageError(f"Name the attacks{self._where(None)}: {wording.listed(list(known))}.")
        for attack in attacks:
            if attack not in known:
                raise unknown(f"attack of every cell{self._where(None)}:", attack, known)
        return replace(self, standings=under(self.standings, attacks))

    def excess(self, *attacks: str) -> Excess:
        """By how much these attacks alone read too robust, over every model of the regime, the full pool's too."""
        alone = self.under(*attacks).standings.cells["robust"]
        return Excess.between(self.standings.cells, alone, self.standings.cells["robust"])

    def excess_over_autoattack(self) -> Excess:
        """By how much the other attacks read too robust where AutoAttack ran, on the images that both saw."""
        cells = self.standings.cells
        if AUTOATTACK not in cells:
            raise UsageError(f"AutoAttack did not run{self._where(None)}.")
        met = cells[cells[AUTOATTACK].notna() & cells["without_autoattack"].notna()]
        return Excess.between(met, met["without_autoattack"], met[AUTOATTACK])

    @cached_property
    def _nulls(self) -> Nulls | None:
        return nulls_of(self.suite.records, self.standings)

    def _mean(self, row: str) -> float:
        self._require(row, "robust", None)
        return self._whole(self.standings.summary("robust", row), row, None).mean
