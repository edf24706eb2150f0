"""The ratios of a file of measurements: `python -m tests.perf.report results/perf/small.json`.

A ratio is the baseline's median seconds over ours; beside it the smallest and the largest over all pairs of repeats.
"""

import json
import math
import statistics
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

OURS, BASELINE, BOUND = "ours", "baseline", "bound"


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


def bounds(groups: dict[str, Any]) -> list[str]:
    """How near ours comes to its own arithmetic timed alone, a sentence a group that has it."""
    return [
        f"{name}: {statistics.median(found[BOUND]['seconds']) / statistics.median(found[OURS]['seconds']):.2f} of the "
        "throughput of its passes timed alone."
        for name, found in ((name, group["contestants"]) for name, group in groups.items())
        if OURS in found and BOUND in found
    ]


def disagreements(groups: dict[str, Any]) -> list[str]:
    """Whether two attacks give the same verdicts, image by image, a sentence a group that kept them."""
    lines = []
    for name, group in groups.items():
        verdicts = [group["contestants"].get(who, {}).get("robust") for who in (BASELINE, OURS)]
        if None in verdicts:
            continue
        pairs = Counter(zip(*verdicts, strict=True))
        only_ours, only_theirs = pairs["0", "1"], pairs["1", "0"]
        same = 100 * (1 - (only_ours + only_theirs) / pairs.total())
        lines.append(
            f"{name}: robust to both {pairs['1', '1']}, to neither {pairs['0', '0']}, to ours alone {only_ours}, "
            f"to the baseline alone {only_theirs}: {same:.1f} % the same verdict."
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
    for text in [*bounds(book["groups"]), *disagreements(book["groups"])]:
        console.print(text)
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
