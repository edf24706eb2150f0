"""Records to draw, and what a drawing says."""

import csv
import io
from collections.abc import Sequence

from benchmark.figures import canvas, gallery
from benchmark.figures.canvas import Drawing
from benchmark.leaderboard.standings import regime_standings
from benchmark.records import Record
from tests import factories as f

HOSTILE = "<script>alert('$x^2$')</script> | a\nb & ünïcode 你好"


def board(counts: dict[str, list[list[int]]] = f.COUNTS, **changes: object) -> list[Record]:
    """Both regimes of a suite with the whole pool."""
    cells = f.grid(counts) + f.grid(counts, "trades")
    cells += [f.robust(60 + r, "full", 1.0, regime, r) for regime in ("standard", "trades") for r in f.REPLICATES]
    return f.declared(cells, **changes)


def drawn(records: Sequence[Record]) -> dict[str, Drawing]:
    """All figures of these records, by name."""
    return {drawing.name: drawing for drawing in gallery.of_records(records)}


def redrawn(draw: gallery.OfRecords, records: Sequence[Record]) -> Drawing:
    with canvas.style():
        return draw(records, regime_standings(records))


def table(drawing: Drawing) -> list[dict[str, str]]:
    """The lines of its CSV."""
    return list(csv.DictReader(io.StringIO(drawing.table.csv().decode())))
