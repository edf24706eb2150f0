"""How time and memory grow with the number of samples: `python -m tests.perf.growth results/perf/full.json`.

Writes growth.md and growth.svg beside the file: seconds at each size, and the exponent b of a * n^b that fits the three
largest sizes. A budget grows with n here, so that a greedy method whose every pick looks at every sample has b = 2.
"""

import json
import math
import sys
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from tests.perf.report import machine

GROUP = "growth"
SEEN, LOUD = 0.001, 12  # seconds below which a fit says nothing; the slowest methods, which the figure names


def by_method(contestants: dict[str, Any]) -> dict[str, dict[int, Any]]:
    """What was measured of each method at each size. A contestant is called "METHOD at N"."""
    found: dict[str, dict[int, Any]] = {}
    for who, facts in contestants.items():
        name, n = who.split(" at ")
        found.setdefault(name, {})[int(n)] = facts
    return {name: dict(sorted(sizes.items())) for name, sizes in sorted(found.items())}


def values(sizes: dict[int, Any], what: str) -> dict[int, float]:
    """The median seconds ("seconds") or the peak ("peak_mb") at the sizes that were measured."""
    return {n: float(np.median(facts[what])) for n, facts in sizes.items() if what in facts}


def exponent(measured: dict[int, float], least: float = 0.0) -> float | None:
    """b of a * n^b, by least squares of the logarithms over the three largest sizes with a value above `least`."""
    points = [(math.log(n), math.log(value)) for n, value in sorted(measured.items()) if value > least][-3:]
    return float(np.polyfit(*zip(*points, strict=True), deg=1)[0]) if len(points) > 1 else None


def table(group: dict[str, Any]) -> str:
    """Markdown, the slowest method at the largest size first; what was not run has its reason below."""
    methods = by_method(group["contestants"])
    sizes = sorted({n for measured in methods.values() for n in measured})

    def slowest(name: str) -> tuple[int, float]:
        n, seconds = max(values(methods[name], "seconds").items(), default=(0, 0.0))
        return (len(sizes) - sizes.index(n) if n else 0, seconds)

    heads = ["method", *(f"n = {n:,}" for n in sizes), "exponent", "peak MB", "exponent"]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    notes = []
    for name in sorted(methods, key=slowest, reverse=True):
        seconds, peaks = values(methods[name], "seconds"), values(methods[name], "peak_mb")
        cells = [f"{seconds[n]:.3g}" if n in seconds else "not run" for n in sizes]
        last = f"{peaks[max(peaks)]:.0f}" if peaks else ""
        fits = [exponent(seconds, SEEN), exponent(peaks, 1.0)]
        shown = ["" if fit is None else f"{fit:.2f}" for fit in fits]
        lines.append(f"| {' | '.join([name, *cells, shown[0], last, shown[1]])} |")
        notes += [
            f"- {name} at {n:,}: {facts['left_out']}" for n, facts in methods[name].items() if "left_out" in facts
        ]
    return "\n".join([*lines, *(["", "Not run:", "", *notes] if notes else [])]) + "\n"


def figure(group: dict[str, Any], path: Path) -> None:
    """Seconds and peak memory over n, the same bytes for the same numbers."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": GROUP, "svg.fonttype": "none", "font.size": 8})
    from matplotlib import pyplot

    methods = by_method(group["contestants"])
    canvas, panels = pyplot.subplots(1, 2, figsize=(11, 5), layout="constrained")
    for panel, what, title in zip(
        panels, ("seconds", "peak_mb"), ("seconds", "peak MB above the signals"), strict=True
    ):
        curves = {name: values(sizes, what) for name, sizes in methods.items()}
        loud = sorted(curves, key=lambda name: max(curves[name].values(), default=0.0), reverse=True)[:LOUD]
        styles = cycle((f"C{i}", line) for line in ("-", "--") for i in range(6))
        for name in sorted(curves, key=loud.__contains__):
            if name not in loud:
                panel.plot(*_points(curves[name]), color="0.8", linewidth=0.8)
        for name in loud:
            colour, line = next(styles)
            panel.plot(*_points(curves[name]), color=colour, linestyle=line, marker=".", label=name)
        sizes = np.array(sorted({n for curve in curves.values() for n in curve}), dtype=float)
        if what == "peak_mb":
            limit = (4 * sizes * group["width"] + 1e9) / 1e6
            panel.plot(sizes, limit, color="black", linewidth=0.8, linestyle=":", label="4 N d bytes + 1 GB")
        panel.set(xscale="log", yscale="log", xlabel="n", title=title)
        panel.legend(frameon=False)
    canvas.savefig(path, metadata={"Date": None})
    pyplot.close(canvas)


def _points(curve: dict[int, float]) -> tuple[list[int], list[float]]:
    shown = {n: value for n, value in curve.items() if value > 0}
    return list(shown), list(shown.values())


def write(path: Path, console: Console) -> None:
    """The table and the figure of a file of measurements, beside it."""
    book = json.loads(path.read_text())
    group = book["groups"].get(GROUP)
    if group is None:
        console.print(f"{path} holds no growth.")
        return
    words = (
        f"# Growth\n\n{machine(book)}. Random signals, d = {group['width']}, "
        f"{group['classes']} classes, k = n / {group['share']}. Seconds; the exponents are fitted to the three largest "
        f"sizes; peak memory is that at the largest size, beyond the signals themselves.\n\n"
    )
    page, plot = path.with_name("growth.md"), path.with_name("growth.svg")
    page.write_text(words + table(group) + f"\n![Seconds and memory over n]({plot.name})\n", encoding="utf-8")
    figure(group, plot)
    console.print(f"{page} and {plot} are written.")


if __name__ == "__main__":
    for file in sys.argv[1:]:
        write(Path(file), Console(width=160))
