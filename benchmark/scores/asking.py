"""What a row's method says of the pool, and which rows say the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from benchmark.cards import described
from benchmark.plan import Plan, Selection
from benchmark.scores.release import Entry, ReleasedRow
from benchmark.scores.units import unit
from benchmark.spec import Row
from methods.api import Budget, Floats, Integers, Method, Scalar
from methods.functions import FunctionMethod, positional
from methods.policies import hard_end, way_of
from methods.registry import get

if TYPE_CHECKING:
    from benchmark.stages import Workshop


@dataclass(frozen=True)
class Answer:
    """What a method says of the pool at one budget.

    scores       one number an image, [N], or None where the method chooses its set itself
    picks        int64 [k], in the order of selection
    weights      float64 [k], or None
    generator    the generator's state after the score, where that draws
    probability  float64 [N], the mean probability of the label that the policy `beta` reads, where it is in force
    """

    scores: Floats | None
    picks: Integers
    weights: Floats | None = None
    generator: dict[str, Any] | None = None
    probability: Floats | None = None


def ask(workshop: "Workshop", selection: Selection) -> Answer:
    """Raises CoresetBenchError where the selection of a run would."""
    chosen, method = workshop.coreset(selection).arrays, selection.method
    if not ranks(method):
        return Answer(None, chosen["indices"], chosen.get("weights"))
    context = workshop.context(selection)
    context.rng.permutation(context.n)  # by which `select` breaks ties
    before = context.rng.bit_generator.state
    scores = method.score(context, Budget.of(selection.fraction, context.n)).astype(np.float64)
    after = dict(context.rng.bit_generator.state)
    seen, probability = _seen(selection), None
    if seen is not None:
        read = context.signals.label_probability[: context.signals.epoch(seen) + 1]
        probability = read.mean(axis=0, dtype=np.float64)
    return Answer(scores, chosen["indices"], None, None if after == before else after, probability)


def ranks(method: Method) -> TypeGuard[FunctionMethod]:
    """Whether it scores every sample, and a policy chooses."""
    return isinstance(method, FunctionMethod) and method.rule is not None


def _seen(selection: Selection) -> float | None:
    """The share of the schedule that the policy `beta` reads beside the score; None where it is not in force."""
    method = selection.method
    return float(method.values["seen"]) if ranks(method) and way_of(method.rule or "") == "beta" else None


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
        return {name: sorted(rows, key=lambda row: _seen(self._any(row)) is None) for name, rows in found.items()}

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
            seen=_seen(selection),
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
