"""A row for each cell, random draws and failed cells included: all that its record says, and the rates it gives.

Rates are those of the tables, in shares of 1; a failed cell has none. `benchmark.leaderboard.outcomes.frame` says what
each is. `attacks` and `attacked` are what `robust` is the worst case over, and on how many images: in a regime the same
for all rows, and for a random draw those that it shares with them. `worst_case` counts everything that was run at the
primary epsilon or below, on the `worst_case_images` that all of it saw.

Columns of a stage or an epsilon are named after it: `seconds:train`, `key:model`, `robust@0.1`. What has several values
(flags, parameters, signs) is JSON.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from benchmark.exports.columns import Column, Kind, leaves, spelled, value_at
from benchmark.leaderboard.nulls import nulls_of
from benchmark.leaderboard.outcomes import Setting, check, presented, rates, settings
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.records import Factors, Record, Results

RATES: dict[str, Kind] = {
    "clean": "float",
    "worst_class": "float",
    "robust": "float",
    "robust_among_right": "float",
    "attacks": "json",
    "attacked": "int",
    "worst_case": "float",
    "worst_case_images": "int",
    "autoattack": "float",
    "without_autoattack": "float",
    "autoattack_images": "int",
    "autoattack_omitted": "text",
    "median_epsilon": "float",
    "epsilon_bound": "float",
}
OUTCOMES: dict[str, Kind] = {
    "test_images": "int",
    "class_counts": "json",
    "clean_by_class": "json",
    "radius_step": "float",
    "radius_levels": "int",
    "signs": "json",
}


def compared_under(records: Sequence[Record]) -> Callable[[Record], Setting]:
    """What a cell's robust accuracy is measured by: its regime's setting; for a draw the attacks that it shares."""
    of_rows = settings(records)
    of_draws = {}
    for name, setting in of_rows.items():
        draws = nulls_of(records, RegimeStandings(setting, pd.DataFrame(), (), (), ()))
        of_draws[name] = replace(setting, attacks=draws.attacks if draws else ())

    def setting_of(record: Record) -> Setting:
        return (of_draws if record.factors.null else of_rows)[record.factors.regime]

    return setting_of


def cells(records: Sequence[Record]) -> list[Column]:
    """The table of all records, in their order.

    Raises:
        CoresetBenchError: the records do not belong in one table, or cannot be decoded.
    """
    check(records)
    setting_of = compared_under(records)
    found = [_measured(record, record.results, setting_of(record)) for record in records]
    return [
        *_identity(records),
        *_factors(records, setting_of),
        *_columns(found, RATES),
        *_columns(found, dict.fromkeys(_radii(records), "float")),
        *_columns(found, OUTCOMES),
        *_costs(records),
        *_by_name("key", "text", [record.keys for record in records]),
        Column("provenance", "json", [spelled(record.provenance, "json") for record in records]),
    ]


def _identity(records: Sequence[Record]) -> list[Column]:
    return [
        Column("suite", "text", [record.suite for record in records]),
        Column("suite_version", "int", [record.suite_version for record in records]),
        Column("cell", "text", [record.cell for record in records]),
        Column("status", "text", [record.status for record in records]),
        Column("failed_stage", "text", [record.failure and record.failure.stage for record in records]),
        Column("failure", "text", [record.failure and record.failure.message for record in records]),
        Column("flags", "json", [spelled(list(record.flags), "json") for record in records]),
    ]


def _factors(records: Sequence[Record], setting_of: Callable[[Record], Setting]) -> list[Column]:
    return [
        *(
            Column(name, kind, [value_at(record.factors, name, kind) for record in records])
            for name, kind in leaves(Factors)
        ),
        Column("presented", "float", [presented(record.factors, setting_of(record)) or None for record in records]),
    ]


def _measured(record: Record, results: Results | None, setting: Setting) -> dict[str, Any]:
    """Rates and counts by the names of their columns; none where the cell failed."""
    if results is None:
        return {}
    found = rates(record, results, setting)
    if not results.radii.images:
        found |= {"median_epsilon": None, "epsilon_bound": None}  # it was not searched for
    if setting.primary is not None:
        worst = results.worst_case(setting.primary)
        found |= {"worst_case": float(worst.mean()) if worst.size else None, "worst_case_images": worst.size}
    return found | {
        "attacks": list(setting.attacks),
        "attacked": setting.images if setting.attacks else 0,
        "test_images": results.images,
        "class_counts": results.class_counts,
        "clean_by_class": results.clean_by_class,
        "radius_step": results.radii.step if results.radii.images else None,
        "radius_levels": results.radii.levels if results.radii.images else None,
        "signs": {name: sign.canonical() for name, sign in results.signs.items()},
    }


def _columns(found: Sequence[dict[str, Any]], kinds: dict[str, Kind]) -> list[Column]:
    return [Column(name, kind, [spelled(each.get(name), kind) for each in found]) for name, kind in kinds.items()]


def _radii(records: Iterable[Record]) -> list[str]:
    """Robust accuracy at each epsilon of any regime, the smallest first."""
    return [f"robust@{epsilon}" for epsilon in sorted({e for record in records for e in record.factors.epsilons})]


def _costs(records: Sequence[Record]) -> list[Column]:
    return [
        *(
            Column(f"cost.{name}", "int", [getattr(record.cost, name) for record in records])
            for name in ("forward", "backward", "peak_bytes")
        ),
        *_by_name("seconds", "float", [record.cost.seconds for record in records]),
    ]


def _by_name(prefix: str, kind: Kind, found: Sequence[dict[str, Any]]) -> list[Column]:
    """A column for each name that occurs, in the order in which the records bring them up."""
    names = dict.fromkeys(name for each in found for name in each)
    return [Column(f"{prefix}:{name}", kind, [each.get(name) for each in found]) for name in names]
