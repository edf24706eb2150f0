"""The cells of a suite, in order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from benchmark.charges import Charge, proxy_run
from benchmark.data import fingerprint
from benchmark.models import model_names
from benchmark.plan.cell import Cell, make_cell
from benchmark.plan.selection import (
    Reselection,
    Selection,
    Trace,
    make_match,
    make_reselection,
    make_selection,
)
from benchmark.plan.stage import Data, Stage
from benchmark.randomness import derive_seed
from benchmark.spec import FULL, NULL, UNIFORM, Row, Suite
from methods.dynamics import described
from methods.errors import UsageError, unknown
from methods.registry import get


@dataclass(frozen=True)
class Plan:
    """The cells of a suite in the replicates that were asked for."""

    suite: Suite
    data: Data
    cells: tuple[Cell, ...]
    replicates: tuple[int, ...]

    def traces(self) -> list[Trace]:
        """Each proxy run once, with all the signals that any cell reads from it."""
        joined: dict[str, Trace] = {}
        for selection in self.selections():
            for trace in selection.traces:
                known = joined.get(trace.proxy.key, trace)
                signals = {**known.signals, **trace.signals}
                joined[trace.proxy.key] = Trace(trace.proxy, trace.training, trace.seed, trace.until, signals)
        return list(joined.values())

    def selections(self) -> list[Selection]:
        """Each coreset once, those first whose class counts others take."""
        chosen = [cell.selection for cell in self.cells if cell.selection]
        return list({s.coreset.key: s for s in (*(s.like for s in chosen if s.like), *chosen)}.values())

    @cached_property
    def shared(self) -> dict[str, tuple[float, float]]:
        """What each coreset costs where all share their proxies, for each image of the pool and of the held-out part.

        A proxy run, with all that is recorded on it, is divided among the coresets that read it, in proportion to what
        each would need of it alone.
        """
        chosen, runs = self.selections(), {trace.proxy.key: trace for trace in self.traces()}
        shares = [
            (selection.coreset.key, trace.proxy.key, alone)
            for selection in chosen
            for trace, alone in zip(selection.traces, selection.charges, strict=True)
        ]
        alone = {key: sum((c for _, run, c in shares if run == key), Charge()) for key in runs}
        found = {selection.coreset.key: (0.0, 0.0) for selection in chosen}
        for coreset, key, own in shares:
            run = proxy_run(runs[key].training, runs[key].until, runs[key].signals)
            pool, held_out = found[coreset]
            pool += run.pool * own.pool / alone[key].pool
            held_out += run.held_out * own.held_out / (alone[key].held_out or 1)
            found[coreset] = pool, held_out
        return found

    def calibrations(self) -> list[Stage]:
        """Each calibration of a primary epsilon once."""
        return list({cell.calibration.key: cell.calibration for cell in self.cells if cell.calibration}.values())

    def only(self, cells: Iterable[Cell]) -> "Plan":
        """The same plan with some of its cells."""
        return replace(self, cells=tuple(cells))

    @cached_property
    def by_id(self) -> dict[str, Cell]:
        return {cell.id: cell for cell in self.cells}

    def find(self, cell_id: str) -> Cell:
        """The cell of that id.

        Raises:
            UsageError: no such cell, with the nearest name.
        """
        if cell_id not in self.by_id:
            raise unknown(f"cell of suite '{self.suite.name}'", cell_id, self.by_id)
        return self.by_id[cell_id]


def make_plan(
    suite: Suite, root: Path | None = None, known: str | None = None, replicates: Iterable[int] | None = None
) -> Plan:
    """The cells of a suite in plan order: full data first, then rows x fractions x regimes x replicates.

    `known` is the data's fingerprint where the caller has it already. `replicates`, which may lie beyond the suite's
    own number, are those to plan (None: the suite's). Random draws, which belong to no replicate, come last; other
    replicates than the suite's are planned without them.

    Raises:
        UsageError: an unknown method, data set, model, signal or parameter, data that is not there, or rows of both
            tracks.
    """
    require_one_track(suite)
    for training in (*suite.proxies.values(), *suite.regimes.values()):
        if training.model not in model_names():
            raise unknown("model", training.model, model_names())
    data = Data(suite.dataset, known or fingerprint(suite.dataset, root))
    chosen = tuple(range(suite.replicates) if replicates is None else replicates)
    cells = []
    for name, row, fractions in _rows(suite):
        for fraction in fractions:
            choices = {r: _choice(data, suite, row, fraction, r) if row else None for r in chosen}
            for regime_name, regime in suite.on_clocks().items():
                for replicate, choice in choices.items():
                    cells.append(make_cell(suite, data, name, fraction, regime_name, regime, replicate, choice))
    if chosen == tuple(range(suite.replicates)):
        cells += _null_cells(suite, data)
    return Plan(suite, data, tuple(cells), chosen)


def _rows(suite: Suite) -> Iterator[tuple[str, Row | None, tuple[float, ...]]]:
    if suite.full:
        yield FULL, None, (1.0,)
    for row in suite.rows:
        own_budget = is_dynamic(row) and described(get(row.spelled, row.params)).own_budget
        yield row.name, row, (1.0,) if own_budget else suite.fractions


def contestants(suite: Suite) -> int:
    """Rows times their fractions, the full pool included: the cells of one regime in one replicate."""
    return sum(len(fractions) for _, _, fractions in _rows(suite))


def _null_cells(suite: Suite, data: Data) -> Iterator[Cell]:
    """The random draws that the suite declares.

    Draw d has seeds of its own, for its training too: one draw varies as one replicate of a row does. One that takes
    a row's class counts takes those of replicate d modulo the suite's number.
    """
    if suite.nulls is None:
        return
    named = {row.name: row for row in suite.rows}
    for name, fractions in _nulls(suite):
        for fraction in fractions:
            draws = list(_draws(suite, data, named.get(name), fraction))
            for regime_name, regime in suite.regimes.items():
                for number, draw in enumerate(draws):
                    yield make_cell(
                        suite, data, f"{NULL}{name}", fraction, regime_name, regime, number, draw, null=name
                    )


def _draws(suite: Suite, data: Data, like: Row | None, fraction: float) -> Iterator[Selection]:
    """Random coresets: with the class counts of `like`, or of the whole pool's picks."""
    assert suite.nulls
    likes = [make_selection(data, suite, like, fraction, r) for r in range(suite.replicates)] if like else []
    uniform = Row(method="random", label=f"{NULL}{UNIFORM}")
    for draw in range(suite.nulls.draws):
        seed = derive_seed("null", "selection", draw)
        if likes:
            yield make_match(data, likes[draw % len(likes)], seed)
        else:
            yield make_selection(data, suite, uniform, fraction, draw, seed)


def _nulls(suite: Suite) -> Iterator[tuple[str, tuple[float, ...]]]:
    if suite.nulls:
        yield UNIFORM, suite.fractions
        for name in suite.nulls.rows:
            yield name, suite.nulls.fractions or suite.fractions


def count_nulls(suite: Suite) -> int:
    """The random draws that the suite declares."""
    kinds = sum(len(fractions) for _, fractions in _nulls(suite))
    return kinds * suite.nulls.draws * len(suite.regimes) if suite.nulls else 0


def is_dynamic(row: Row) -> bool:
    """Whether the row's method re-selects while a model trains."""
    return get(row.spelled, row.params).info.kind == "dynamic"


def require_one_track(suite: Suite) -> None:
    """Raises UsageError where static rows or nulls stand beside dynamic ones, or these train on another clock."""
    dynamic = [row for row in suite.rows if is_dynamic(row)]
    static = [row for row in suite.rows if row not in dynamic]
    if dynamic and static:
        raise UsageError(
            f"Suite '{suite.name}' has the dynamic row '{dynamic[0].name}' beside the static '{static[0].name}', which "
            "no table compares; put dynamic rows in a suite of their own, such as digits-dynamic."
        )
    if dynamic and any(regime.recipe.clock != "epochs" for regime in suite.on_clocks().values()):
        raise UsageError(f"The dynamic rows of suite '{suite.name}' spend presentations; set clock = \"epochs\".")
    if dynamic and suite.nulls:
        raise UsageError(f"Nulls are coresets, and the rows of suite '{suite.name}' re-select; drop [nulls].")


def _choice(data: Data, suite: Suite, row: Row, fraction: float, replicate: int) -> Selection | Reselection:
    if is_dynamic(row):
        return make_reselection(row, fraction, replicate)
    return make_selection(data, suite, row, fraction, replicate)
