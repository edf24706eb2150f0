"""What a suite comes to: its cells in order, and the stages of each with their content addresses.

    data --> proxy --> signal --> coreset --> model --> outcome

Nothing is computed here and torch is not imported: planning is what `plan`, a second `run` and `explain` do.
"""

from benchmark.plan.cell import Cell, make_calibration
from benchmark.plan.selection import Reselection, Selection, Trace, make_selection, make_trace, read_until
from benchmark.plan.stage import VERSIONS, Data, Stage
from benchmark.plan.whole import Plan, contestants, count_nulls, is_dynamic, make_plan

__all__ = [
    "VERSIONS",
    "Cell",
    "Data",
    "Plan",
    "Reselection",
    "Selection",
    "Stage",
    "Trace",
    "contestants",
    "count_nulls",
    "is_dynamic",
    "make_calibration",
    "make_plan",
    "make_selection",
    "make_trace",
    "read_until",
]
