"""What all figures share: the look, the sheet with its panels, and a drawing as bytes.

Nothing here touches matplotlib's global state. The same drawing gives the same bytes: SVG ids are salted by a constant,
and no file says when, or by which version, it was made.
"""

import csv
import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.wording import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import XAxis, YAxis
    from matplotlib.figure import Figure

GREY, PALE, TEXT, FAINT = "#8c8c8c", "#c9c9c9", "#222222", "#666666"
SIZE = 8  # points, of all but headings

_STYLE: Any = {
    "svg.hashsalt": "coreset-bench",
    "svg.fonttype": "path",  # glyphs, so that labels keep their widths wherever the file is opened
    "text.parse_math": False,  # a name with a dollar is a name
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": SIZE,
    "text.color": TEXT,
    "axes.titlesize": SIZE + 1,
    "axes.titlelocation": "left",
    "axes.titlepad": 7,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": "#999999",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelsize": SIZE,
    "ytick.labelsize": SIZE,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "image.interpolation": "nearest",
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "figure.facecolor": "white",
}


@contextmanager
def style() -> Iterator[None]:
    """The look of all figures. Drawing and saving both belong inside."""
    from matplotlib import rc_context

    with rc_context(_STYLE), warnings.catch_warnings():
        # A name in a script that the font lacks is printed as boxes; the table beside the figure has it in full.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


@dataclass(frozen=True)
class Table:
    """The numbers of a drawing: whoever doubts a point finds it here."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def csv(self) -> bytes:
        """Floats with six figures, so that the last bits of a sum change nothing; a value that is absent is empty."""
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return text.getvalue().encode()


@dataclass(frozen=True, eq=False)
class Drawing:
    """A figure with the table of what it shows. `title` is its text for whoever cannot see it."""

    name: str
    title: str
    figure: "Figure"
    table: Table

    def svg(self) -> bytes:
        return self._saved("svg", {"Title": self.title, "Date": None, "Creator": None})

    def png(self) -> bytes:
        return self._saved("png", {"Title": self.title, "Software": None})

    def _saved(self, kind: str, metadata: dict[str, str | None]) -> bytes:
        buffer = io.BytesIO()
        with style():
            self.figure.savefig(buffer, format=kind, metadata=metadata)
        return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, str):
        text = plain(value)
        return f"'{text}" if text[:1] in ("=", "+", "@", "\t") else text  # a spreadsheet would run it
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def sheet(
    title: str,
    note: str,
    shape: tuple[int, int],
    panel: tuple[float, float],
    *,
    left: float = 0.65,
    right: float = 0.25,
    between: tuple[float, float] = (0.65, 0.75),
    bottom: float = 0.5,
) -> tuple["Figure", list[list["Axes"]]]:
    """A figure with a grid of panels, a title and a note under it; all lengths in inches, so nothing is squeezed.

    Args:
        shape: rows and columns of panels.
        panel: width and height of each.
        between: from one panel to the next, across and down.
    """
    from matplotlib.figure import Figure

    rows, columns = shape
    width = left + columns * panel[0] + (columns - 1) * between[0] + right
    lines = wrapped(note, width - 0.3)
    head = 0.62 + 0.155 * len(lines) + 0.22
    height = head + rows * panel[1] + (rows - 1) * between[1] + bottom
    figure = Figure(figsize=(width, height))
    figure.text(0.15 / width, 1 - 0.2 / height, plain(title), size=SIZE + 4, weight="bold", va="top")
    figure.text(0.15 / width, 1 - 0.48 / height, "\n".join(lines), size=SIZE, color=FAINT, va="top", linespacing=1.4)
    grid = []
    for row in range(rows):
        top = height - head - row * (panel[1] + between[1])
        line = []
        for column in range(columns):
            x = left + column * (panel[0] + between[0])
            line.append(figure.add_axes((x / width, (top - panel[1]) / height, panel[0] / width, panel[1] / height)))
        grid.append(line)
    return figure, grid


def wrapped(text: str, inches: float) -> list[str]:
    """The text in lines of about that width, in the size of notes."""
    from textwrap import wrap

    return wrap(plain(text), width=max(20, int(inches / 0.0665))) or [""]


def shortened(text: str, limit: int = 24) -> str:
    """A name that fits beside a line; the table has it in full."""
    name = plain(text)
    return name if len(name) <= limit else f"{name[: limit - 1]}…"


def ink_of_text(color: str) -> str:
    """The colour, darkened until words in it stand out from white as accessibility asks (4.5 to 1)."""
    from matplotlib.colors import to_hex, to_rgb

    rgb = to_rgb(color)
    while 1.05 / (_luminance(rgb) + 0.05) < 4.5:
        rgb = (0.95 * rgb[0], 0.95 * rgb[1], 0.95 * rgb[2])
    return to_hex(rgb)


def _luminance(rgb: tuple[float, float, float]) -> float:
    """Relative luminance (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def image_panel(axes: "Axes") -> None:
    """A panel without ticks and frame."""
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def columns_of(count: int, most: int = 3) -> tuple[int, int]:
    """Rows and columns for so many panels."""
    columns = min(count, most)
    return -(-count // columns), columns


def percent_height(axes: "Axes", low: float, high: float) -> None:
    """An axis of percentages from `low` to `high`, with no tick that is none."""
    axes.set_ylim(low, high)
    axes.set_yticks([tick for tick in axes.get_yticks() if max(0, low) <= tick <= min(100, high)])
    axes.set_ylim(low, high)


def logarithmic(axis: "XAxis | YAxis") -> None:
    """Powers of ten as plain numbers: what is set as mathematics elsewhere would read names as such too."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(10, subs=(1.0, 3.0) if 0 < low and high < 300 * low else (1.0,)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def used(grid: "Sequence[Sequence[Axes]]", count: int) -> "list[Axes]":
    """The first `count` panels of a grid; the others are taken away."""
    panels = [axes for line in grid for axes in line]
    for axes in panels[count:]:
        axes.remove()
    return panels[:count]
