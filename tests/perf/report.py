"""The ratios of a file of measurements: `python -m tests.perf.report results/perf/small.json`.

A ratio is the baseline's median seconds over ours; beside it the smallest and the largest over all pairs of repeats.
"""

import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OURS, BASELINE = "ours", "baseline"


def ratios(groups: dict[str, Any]) -> list[dict[str, Any]]:
    """One line a group that has both contestants."""
    lines = []
    for name, group in groups.items():
        found = group["contestants"]
        if OURS not in found or BASELINE not in found:
            continue
        ours, theirs = found[OURS]["seconds"], found[BASELINE]["seconds"]
        lines.append(
            {
                "group": name,
                "baseline": statistics.median(theirs),
                "ours": statistics.median(ours),
                "ratio": statistics.median(theirs) / statistics.median(ours),
                "least": min(theirs) / max(ours),
                "most": max(theirs) / min(ours),
                "target": group.get("target"),
                "floor": group.get("floor"),
                "peak_mb": found[OURS].get("peak_mb"),
            }
        )
    return lines


def print_report(path: Path, console: Console) -> None:
    """A table of ratios and, where there are several with the same target, their geometric mean."""
    book = json.loads(path.read_text())
    lines = ratios(book["groups"])
    if not lines:
        console.print(f"{path} holds no group with a baseline and ours.")
        return
    table = Table(title=f"{book['processor']}, {book['threads']} threads, torch {book['torch']}")
    for heading in ("what", "baseline s", "ours s", "ratio", "spread", "target", "floor s", "peak MB"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for line in lines:
        table.add_row(
            line["group"],
            _number(line["baseline"]),
            _number(line["ours"]),
            f"{line['ratio']:.2f}",
            f"{line['least']:.2f} to {line['most']:.2f}",
            "" if line["target"] is None else f"{line['target']:g}",
            "" if line["floor"] is None else _number(line["floor"]),
            "" if line["peak_mb"] is None else f"{line['peak_mb']:.0f}",
        )
    console.print(table)
    for target in sorted({line["target"] for line in lines if line["target"]}):
        same = [line["ratio"] for line in lines if line["target"] == target]
        if len(same) > 1:
            mean = math.exp(statistics.fmean(map(math.log, same)))
            console.print(f"Geometric mean of the {len(same)} ratios with target {target:g}: {mean:.1f}")


def _number(seconds: float) -> str:
    return f"{seconds:.3g}"


if __name__ == "__main__":
    for file in sys.argv[1:]:
        print_report(Path(file), Console(width=160))
