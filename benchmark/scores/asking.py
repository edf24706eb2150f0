"""Which rows of a plan say the same of the pool, and what is released of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from benchmark.cards import described
from benchmark.plan import Plan, Selection
from benchmark.scores.release import Entry, ReleasedRow
from benchmark.scores.units import unit
from benchmark.spec import Row
from benchmark.stages.answer import ranks, seen_by
from methods.api import Scalar
from methods.functions import positional
from methods.policies import hard_end
from methods.registry import get


def _own(selection: Selection) -> dict[str, Scalar]:
    """The method's own parameters, without those of a policy."""
    return selection.method.own if ranks(selection.method) else dict(selection.params)


def _name(selection: Selection) -> str:
    """Shared by rows that differ in the policy of one score, or in whether weights are trained with."""
    row, defaults = selection.row, selection.method.info.params
    return Row(
        method=row.method,
        policy=None if ranks(selection.method) else row.policy,
        params={name: value for name, value in _own(selection).items() if value != defaults[name]},
        proxy=row.proxy if selection.traces else "standard",
    ).name


@dataclass(frozen=True)
class Asked:
    """The rows of a plan as entries, and the selections that stand behind each."""

    plan: Plan

    @cached_property
    def chosen(self) -> dict[tuple[str, float, int], Selection]:
        """By row, fraction and replicate."""
        return {(c.name, c.fraction, c.replicate): c.selection for c in self.plan.cells if c.selection}

    @cached_property
    def _rows(self) -> dict[str, list[Row]]:
        """The rows of each entry, those first that read more than the score."""
        found: dict[str, list[Row]] = {}
        for row in self.plan.suite.rows:
            found.setdefault(_name(self._any(row)), []).append(row)
        return {name: sorted(rows, key=lambda row: seen_by(self._any(row)) is None) for name, rows in found.items()}

    def _any(self, row: Row) -> Selection:
        return self.chosen[row.name, self.plan.suite.fractions[0], self.plan.replicates[0]]

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entry(name, self._any(rows[0])) for name, rows in self._rows.items())

    def _entry(self, name: str, selection: Selection) -> Entry:
        method, own, fractions = selection.method, _own(selection), self.plan.suite.fractions
        info = get(selection.row.method).info  # under its own policy, whatever that of the row
        nested = not ranks(method) and info.nested and not info.weighted  # weights belong to one budget
        if nested:
            fractions = fractions[-1:]
        elif ranks(method) and "budget" not in positional(method.function):
            fractions = ()
        keep = info.keep if ranks(method) else None
        return Entry(
            name=name,
            method=selection.row.method,
            params=own,
            proxy=selection.row.proxy if selection.traces else "",
            summary=info.summary,
            paper=info.paper,
            unit=unit(info.name, own) if keep else "",
            reads=tuple(described(need, False) for need in info.needs),
            keep=keep,
            direction=info.direction,
            hard=hard_end(keep, info.direction) if keep else None,
            fractions=fractions,
            nested=nested,
            weighted=info.weighted,
            seen=seen_by(selection),
        )

    @property
    def rows(self) -> Iterator[ReleasedRow]:
        """In the order of the suite."""
        for row in self.plan.suite.rows:
            selection = self._any(row)
            own = _own(selection)
            params = {name: value for name, value in selection.params.items() if name not in own}
            yield ReleasedRow(name=row.name, entry=_name(selection), policy=row.policy, params=params)

    def behind(self, entry: Entry, replicate: int, fraction: float | None) -> list[Selection]:
        """The selections whose method says what a column holds."""
        at = self.plan.suite.fractions[0] if fraction is None else fraction
        return [self.chosen[row.name, at, replicate] for row in self._rows[entry.name]]
