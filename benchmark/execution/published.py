"""Published records in place of computing: a newcomer's row is all that a comparison with the others costs."""

from collections.abc import Iterable
from pathlib import Path

from benchmark.execution.assemble import keys
from benchmark.plan import Cell, Plan
from benchmark.records import Record, read_records
from benchmark.results import records_in
from methods.errors import UsageError


def published_records(plan: Plan, cells: Iterable[Cell], results: Path) -> dict[str, Record]:
    """The published record of each cell that has one under the keys that the code at hand gives it, by the cell's id.

    They are those of the plan's suite, without the rows and the clock that a command line added to its name. A key
    covers data, code, recipe and seeds, and not the machine, which each record names.

    Raises:
        UsageError: the suite has not been published.
        CoresetBenchError: its records cannot be read.
    """
    suite = plan.suite.name.partition("+")[0]
    if not (path := records_in(results / suite)):
        raise UsageError(
            f"Nothing of '{suite}' is published under {results}; leave out --published to compute all of it."
        )
    known = {_identity(record.factors.row, record.keys): record for record in read_records(path)}
    found = {cell.id: known.get(_identity(cell.name, keys(cell))) for cell in cells}
    return {name: record for name, record in found.items() if record}


def _identity(row: str, keys: dict[str, str]) -> tuple[str, frozenset[tuple[str, str]]]:
    return row, frozenset(keys.items())
