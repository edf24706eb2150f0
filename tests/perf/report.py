"""The ratios of files of measurements: `python -m tests.perf.report results/perf/small.json`.

A ratio is the baseline's median seconds over ours; beside it the smallest and the largest over all pairs of repeats.
With a folder in place of a file its README.md is written, of all the files that it has.
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

from benchmark import markdown
from tests.perf import precision

OURS, BASELINE, BOUND = "ours", "baseline", "bound"
COLUMNS = ("what", "baseline s", "ours s", "ratio", "spread", "target", "reached", "floor s", "peak MB")
TITLES = {
    "full.json": "The sizes that are named in the targets (`make perf-full`)",
    "small.json": "Small sizes (`make perf`)",
}
WORDS = (
    "# Speed",
    "What has to be fast is timed beside plain implementations within one run: `tests/perf`, by pytest-benchmark. "
    "A ratio is the baseline's median seconds over ours, its spread the smallest and the largest over all pairs of "
    "repeats (a slow baseline runs once). The floor is what no implementation can go below: bytes that must be "
    "moved over the measured bandwidth, or products over their measured rate. Peak memory is ours, beyond what the "
    "process held. Selection is timed with the C library's allocator as it comes, traces and training with freed "
    "memory kept on both sides, as workers keep it, and AutoAttack's package as it comes beside attacks in a worker. "
    "A trace is timed beside the same training without any signal: 0.91 is 1.10 times its seconds, 0.62 is 1.6 times.",
)


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


def cells(line: dict[str, Any]) -> list[str]:
    """A line of `ratios` in the order of COLUMNS."""
    return [
        line["group"],
        f"{line['baseline']:.3g}",
        f"{line['ours']:.3g}",
        f"{line['ratio']:.2f}",
        f"{line['least']:.2f} to {line['most']:.2f}",
        "" if line["target"] is None else f"{line['target']:.3g}",
        reached(line),
        "" if line["floor"] is None else f"{line['floor']:.3g}",
        "" if line["peak_mb"] is None else f"{line['peak_mb']:.0f}",
    ]


def reached(line: dict[str, Any]) -> str:
    """Whether the target was reached: "yes", "no", or "within its spread" where repeats say both."""
    if line["target"] is None:
        return ""
    if line["ratio"] >= line["target"]:
        return "yes"
    return "within its spread" if line["most"] >= line["target"] else "no"


def sentences(groups: dict[str, Any]) -> list[str]:
    """What fell short, and what the table does not say: means, how near ours comes to its arithmetic, verdicts."""
    return [*shortfalls(groups), *means(groups), *bounds(groups), *disagreements(groups)]


def shortfalls(groups: dict[str, Any]) -> list[str]:
    """One sentence on all targets that were missed."""
    missed = [
        f"{line['group']} ({line['ratio']:.2f} of {line['target']:.3g})"
        for line in ratios(groups)
        if reached(line) in ("no", "within its spread")
    ]
    return [f"Short of their targets: {'; '.join(missed)}."] if missed else []


def means(groups: dict[str, Any]) -> list[str]:
    """The geometric mean of the ratios that have one target."""
    lines, found = ratios(groups), []
    for target in sorted({line["target"] for line in lines if line["target"]}):
        same = [line["ratio"] for line in lines if line["target"] == target]
        if len(same) > 1:
            mean = math.exp(statistics.fmean(map(math.log, same)))
            found.append(f"Geometric mean of the {len(same)} ratios with target {target:.3g}: {mean:.3g}.")
    return found


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


def machine(book: dict[str, Any]) -> str:
    """What the seconds were taken on."""
    threads = "one thread" if book["threads"] == 1 else f"{book['threads']} threads"
    return f"{book['processor']}, torch {book['torch']}, {threads}"


def page(folder: Path) -> str:
    """README.md of a folder of measurements."""
    parts, notes = list(WORDS), folder / "notes.md"  # how the files came about, in their author's words
    parts += [notes.read_text(encoding="utf-8").strip()] if notes.is_file() else []
    for name, title in TITLES.items():
        if (folder / name).is_file():
            book = json.loads((folder / name).read_text())
            table = markdown.table(COLUMNS, [cells(line) for line in ratios(book["groups"])])
            said = "\n".join(f"- {sentence}" for sentence in sentences(book["groups"]))
            parts += [f"## {title}", f"{machine(book)}.", table, said]
    if (folder / "growth.md").is_file():
        parts += ["## Growth", "Seconds and memory from n = 1,000 to 100,000, with exponents: [growth.md](growth.md)."]
    if (folder / "precision.json").is_file():
        book = json.loads((folder / "precision.json").read_text())
        rows = precision.rows(book)
        parts += ["## bfloat16 in training (`python -m tests.perf.precision`)", precision.title(book)]
        parts += [markdown.table(precision.COLUMNS, rows, left=2)]
    return "\n\n".join(parts) + "\n"


def print_report(path: Path, console: Console) -> None:
    """A table of ratios, and what there is to say of them."""
    book = json.loads(path.read_text())
    lines = ratios(book["groups"])
    if not lines:
        console.print(f"{path} holds no group with a baseline and ours.")
        return
    table = Table(title=machine(book))
    for heading in COLUMNS:
        table.add_column(heading, justify="left" if heading == "what" else "right")
    for line in lines:
        table.add_row(*cells(line))
    console.print(table)
    for sentence in sentences(book["groups"]):
        console.print(sentence)


if __name__ == "__main__":
    for argument in map(Path, sys.argv[1:]):
        if argument.is_dir():
            (argument / "README.md").write_text(page(argument), encoding="utf-8")
        else:
            print_report(argument, Console(width=160))
