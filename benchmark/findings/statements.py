"""Sentences about rows in one regime: accuracies, and differences that are refused where the records say otherwise.

Accuracies are printed in %, differences in points, both with the half-width of their interval, as in the leaderboards.
A `metric` is "robust", "clean", "worst_class", "autoattack" or another of the `SHARES` in
`benchmark.leaderboard.outcomes.frame`.
With `at`, a fraction, numbers are of that fraction, and without it means over the fractions of the suite.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from benchmark import wording
from benchmark.claims.evidence import Published
from benchmark.leaderboard.names import AUTOATTACK
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.spec import FULL
from benchmark.stats import Estimate
from methods.errors import UsageError, unknown

SHARES = ("robust", "clean", "worst_class", "robust_among_right", AUTOATTACK, "without_autoattack")

Refuse = Callable[[str], None]  # told what the records say, where that is not what the prose says
Rows = str | Sequence[str]


@dataclass(frozen=True, eq=False)
class Statements:
    """Of one regime of a published suite. What cannot be given at all is a UsageError that names what is missing."""

    suite: Published
    standings: RegimeStandings
    refuse: Refuse

    def accuracy(self, row: str, metric: str = "robust", at: float | None = None) -> str:
        """ "48.4 ± 3.8 %"; "autoattack" is the mean over the fractions at which it ran."""
        self._require(row, metric, at)
        if metric == AUTOATTACK and at is None:
            found = self.standings.under_autoattack(metric, row)
        else:
            found = self.standings.summary(metric, row) if at is None else self.standings.at(metric, row, at)
        return f"{wording.share(self._whole(found, row, at))} %"

    def difference(self, first: Rows, second: Rows, metric: str = "robust", at: float | None = None) -> str:
        """ "+4.0 ± 3.7 points", `first` minus `second`, paired; of several rows the least and the largest."""
        return _spelled([found for _, found in self._differences(first, second, metric, at)])

    def ahead(self, first: Rows, second: Rows, metric: str = "robust", at: float | None = None) -> str:
        """The difference; refused unless the interval lies above 0, for each of the first and each of the second."""
        return self._stated(first, second, metric, at, "does not lie above 0", lambda d: d.mean > 0 and _sure(d))

    def behind(self, first: Rows, second: Rows, metric: str = "robust", at: float | None = None) -> str:
        """The difference; refused unless the interval lies below 0, likewise."""
        return self._stated(first, second, metric, at, "does not lie below 0", lambda d: d.mean < 0 and _sure(d))

    def less(self, first: Rows, second: Rows, metric: str = "robust", at: float | None = None) -> str:
        """`behind` without the signs: what the first "loses" against the second."""
        return self.behind(first, second, metric, at).replace("−", "")

    def level(self, first: Rows, second: Rows, metric: str = "robust", at: float | None = None) -> str:
        """The difference, which may be nothing; refused unless the interval holds 0, likewise."""
        return self._stated(first, second, metric, at, "does not hold 0", lambda d: not _sure(d))

    def higher(self, first: Rows, second: Rows, metric: str = "robust", at: float | None = None) -> str:
        """The difference; refused unless the mean is above 0, whatever the interval: for suites that have none."""
        return self._stated(first, second, metric, at, "is not above 0", lambda d: round(d.mean, 9) > 0, mean=True)

    def lower(self, first: Rows, second: Rows, metric: str = "robust", at: float | None = None) -> str:
        """The difference; refused unless the mean is below 0, likewise."""
        return self._stated(first, second, metric, at, "is not below 0", lambda d: round(d.mean, 9) < 0, mean=True)

    def alike(self, *rows: str, metric: str = "robust", at: float | None = None) -> list[str]:
        """These rows; refused where the interval between any two does not hold 0."""
        for one, other in combinations(rows, 2):
            self.level(one, other, metric, at)
        return list(rows)

    def surely(self, first: str, second: str) -> str:
        """The difference in robust accuracy; refused unless the suite's family shows the first to be better."""
        if (first, second) not in self.standings.surely_better():
            self.refuse(f"the family of comparisons does not show {first} above {second}{self._where(None)}")
        return self.difference(first, second)

    def not_surely(self, first: str, second: str) -> str:
        """The difference in robust accuracy; refused where the family shows either to be better."""
        better = self.standings.surely_better()
        if (first, second) in better or (second, first) in better:
            self.refuse(f"the family of comparisons tells {first} from {second}{self._where(None)}")
        return self.difference(first, second)

    def _stated(
        self,
        first: Rows,
        second: Rows,
        metric: str,
        at: float | None,
        otherwise: str,
        holds: Callable[[Estimate], bool],
        *,
        mean: bool = False,
    ) -> str:
        found = list(self._differences(first, second, metric, at))
        for (one, other), difference in found:
            where = f"{one} minus {other} in {metric} accuracy{self._where(at)}"
            if masked := [row for row in (one, other) if row in self.standings.masked]:
                self.refuse(f"{where} cannot be stated: gradients may mislead the attacks on {wording.listed(masked)}")
            elif difference.half_width is None and not mean:
                self.refuse(f"{where} is {wording.points(difference)} points and has no interval")
            elif not holds(difference):
                which = "which" if mean else "an interval that"
                self.refuse(f"{where} is {wording.points(difference)} points, {which} {otherwise}")
        return _spelled([difference for _, difference in found])

    def _differences(
        self, first: Rows, second: Rows, metric: str, at: float | None
    ) -> Iterator[tuple[tuple[str, str], Estimate]]:
        pairs = [pair for pair in product(several(first), several(second)) if pair[0] != pair[1]]
        if not pairs:
            raise UsageError(f"A difference{self._where(at)} is between two rows.")
        for one, other in pairs:
            for row in (one, other):
                self._require(row, metric, at)
            standings = self.standings
            found = (
                standings.difference(metric, one, other)
                if at is None
                else standings.difference_at(metric, one, other, at)
            )
            yield (one, other), self._whole(found, f"{one} or {other}", at)

    def _whole(self, found: Estimate | None, what: str, at: float | None) -> Estimate:
        if found is None:
            raise UsageError(f"{what} lacks cells{self._where(at)}.")
        return found

    def _require(self, row: str, metric: str, at: float | None) -> None:
        """Refuses names that the records do not know."""
        if row not in (FULL, *self.standings.rows):
            raise unknown(f"row of {self.suite.name}:", row, [FULL, *self.standings.rows])
        known = [name for name in map(str, self.standings.cells) if name.partition("@")[0] in SHARES]
        if metric not in known:
            raise unknown(f"metric{self._where(at)}:", metric, known)
        if at is not None and row != FULL and at not in self.standings.fractions_of(row):
            raise UsageError(f"{row} has no cells{self._where(at)}.")

    def _where(self, at: float | None) -> str:
        place = f" on {self.suite.name}, {wording.regime(self.standings.setting.regime)}"
        return place + ("" if at is None else f" at {wording.percent(at)}")


def several(rows: Rows) -> Sequence[str]:
    return (rows,) if isinstance(rows, str) else rows


def _spelled(found: Sequence[Estimate]) -> str:
    """The difference, or the nearest to 0 and the farthest from it."""
    ordered = sorted(found, key=lambda difference: (round(abs(difference.mean), 9), difference.half_width or 0.0))
    ends = dict.fromkeys(wording.points(end) for end in (ordered[0], ordered[-1]))
    return f"{' to '.join(ends)} points"


def _sure(difference: Estimate) -> bool:
    return not difference.may_be(0.0)
