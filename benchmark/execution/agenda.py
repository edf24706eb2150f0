"""A plan, regime by regime: its cells, how much training they are, and how long they take where that was measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import groupby
from typing import Any

from benchmark.execution.estimate import Rates, calibration_work, cell_training, cell_work, spoken, trace_work
from benchmark.plan import Cell, Plan, Selection, Stage, Trace
from benchmark.spec import Recipe
from benchmark.store import Store

NOMINAL = 10**6  # images of a pool whose size is not known: shares of it do not depend on the number
Facts = Mapping[str, Any]  # the meta of the data stage
Pace = Callable[[str], Rates]  # what a network's passes take


@dataclass(frozen=True)
class Todo:
    """What the store lacks of some cells of a plan."""

    plan: Plan
    cells: Sequence[Cell]
    store: Store

    @cached_property
    def _unselected(self) -> Plan:
        """The part of the plan whose coresets are not there. One that is there needs no trace any more."""
        chosen = (cell for cell in self.cells if cell.selection and not cell.selection.coreset.done(self.store))
        return self.plan.only(chosen)

    @cached_property
    def selections(self) -> list[Selection]:
        return self._unselected.selections()

    @cached_property
    def traces(self) -> list[Trace]:
        return [trace for trace in self._unselected.traces() if not trace.done(self.store)]

    @cached_property
    def calibrations(self) -> list[Stage]:
        return [stage for stage in self.plan.only(self.cells).calibrations() if not stage.done(self.store)]

    def seconds(self, facts: Facts, pace: Pace) -> float:
        """How long it takes one worker."""
        seconds = sum(trace_work(trace, facts) * pace(trace.training.model).training for trace in self.traces)
        for stage in self.calibrations:
            seconds += calibration_work(stage, facts["pool"]) * pace(stage.spec["model"]).training
        for cell in self.cells:
            rates = pace(cell.regime.model)
            seconds += cell_work(cell, facts, rates) * rates.training
        return seconds


def waves(cells: Sequence[Cell], first: Sequence[str]) -> list[list[Cell]]:
    """The cells in the order in which a run with a limit of time takes them, those of one rank together.

    By the first of the patterns that they match; then by replicate, so that one of all rows stands before another of
    any; random draws last.
    """

    def rank(cell: Cell) -> tuple[int, int]:
        if cell.null:
            return len(first) + 1, 0
        name = cell.id.removeprefix(f"{cell.suite}/")
        return next((i for i, pattern in enumerate(first) if fnmatchcase(name, pattern)), len(first)), cell.replicate

    return [list(group) for _, group in groupby(sorted(cells, key=rank), key=rank)]


def regimes(plan: Plan, store: Store, facts: Facts | None = None, pace: Pace | None = None) -> list[dict[str, Any]]:
    """A line for each regime: `training` is what its cells train in all, in trainings on the whole pool.

    With `pace`, which needs `facts`, how long those take that are not done yet, by one worker.
    """
    found: dict[str, list[Cell]] = {}
    for cell in plan.cells:
        found.setdefault(cell.regime_name, []).append(cell)
    written = plan.suite.on_clocks()
    known = facts or {"pool": NOMINAL}
    return [_line(name, written[name].recipe, cells, store, known, pace) for name, cells in found.items()]


def _line(
    name: str, recipe: Recipe, cells: list[Cell], store: Store, facts: Facts, pace: Pace | None
) -> dict[str, Any]:
    payable = [cell for cell in cells if not cell.unaffordable]
    todo = [cell for cell in payable if not cell.done(store)]
    trained = {cell.model.key: cell_training(cell, facts) for cell in payable}
    line = {
        "regime": name,
        "clock": recipe.clock,
        "cells": len(cells),
        "not affordable": len(cells) - len(payable),
        "to do": len(todo),
        "training": f"{sum(trained.values()) / (recipe.epochs * recipe.work * facts['pool']):,.1f}",
    }
    if pace:
        rates = pace(cells[0].regime.model)
        line["time"] = spoken(sum(cell_work(cell, facts, rates) for cell in todo) * rates.training) if todo else "–"
    return line
