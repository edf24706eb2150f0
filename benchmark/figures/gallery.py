"""All figures of a suite, drawn and written: what there is, and what of it can be drawn now."""

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.experiments.scales import ROBUST, STANDARD
from benchmark.figures import agreement, canvas, curves, embedding, heatmaps, planes, samples, tradeoffs, trajectories
from benchmark.figures.canvas import Drawing
from benchmark.figures.sources import AIGN, Missing, Source
from benchmark.leaderboard.shares import is_dynamic
from benchmark.leaderboard.standings import RegimeStandings, regime_standings
from benchmark.plan import Trace
from benchmark.records import Record
from benchmark.store import write_atomically
from methods.errors import unknown

FOLDER = "figures"  # beside the records
PLANE_SUITE = "digits"  # among whose figures the plane is, which is no suite's: the one that needs no files

OfRecords = Callable[[Sequence[Record], Sequence[RegimeStandings]], Drawing]
Reads = Callable[[Source], list[Trace]]

OF_RECORDS: dict[str, OfRecords] = {
    "fractions": curves.fractions,
    "radii": curves.radii,
    "tradeoff": tradeoffs.tradeoff,
    "gains": tradeoffs.gains,
}
OF_DYNAMIC_RECORDS = ("fractions",)  # that track has no mean over shares


def _standard(source: Source) -> list[Trace]:
    return [source.trace_of(STANDARD, AIGN)]


def _every(source: Source) -> list[Trace]:
    return [source.trace_of(name, AIGN) for name in source.proxies]


def _features(source: Source) -> list[Trace]:
    return [source.trace_of(name, (*AIGN, "features")) for name in (STANDARD, ROBUST) if name in source.proxies]


def _choices(source: Source) -> list[Trace]:
    return [trace for row in source.rows for trace in source.selection(row).traces]


# Each with the proxy runs that it reads.
OF_STORE: dict[str, tuple[Callable[[Source], Drawing], Reads]] = {
    "samples": (samples.samples, _standard),
    "trajectories": (trajectories.trajectories, _standard),
    "agreement": (agreement.agreement, _every),
    "embedding": (embedding.embedding, _features),
    "scores": (heatmaps.scores, _choices),
    "overlap": (heatmaps.overlap, _choices),
}
PLANE = "plane"
NAMES = (*OF_RECORDS, *OF_STORE, PLANE)


def check_names(names: Iterable[str]) -> None:
    """Raises UsageError for a figure that there is not."""
    for name in names:
        if name not in NAMES:
            raise unknown("figure", name, NAMES)


def of_records(records: Sequence[Record], names: Container[str] = NAMES) -> Iterator[Drawing]:
    """The figures that records alone give; NAME@CLOCK has the regimes that are trained on a further clock.

    Raises:
        CoresetBenchError: the records do not belong in one table, or cannot be decoded.
    """
    drawable = [name for name in OF_RECORDS if name in names]
    if is_dynamic(records):
        drawable = [name for name in drawable if name in OF_DYNAMIC_RECORDS]
    if not drawable or not any(record.results for record in records):
        return
    clocks: dict[str, list[RegimeStandings]] = {}
    for regime in regime_standings(records):
        clocks.setdefault(_clock(regime), []).append(regime)
    for name in drawable:
        for clock, regimes in clocks.items():
            with canvas.style():
                drawing = OF_RECORDS[name](records, regimes)
            yield replace(drawing, name=f"{name}@{clock}") if clock else drawing


def _clock(regime: RegimeStandings) -> str:
    """The clock in the regime's name, fit for a file's name whatever a record says."""
    return re.sub("[^A-Za-z0-9]+", "-", regime.setting.regime.partition("@")[2])


def of_store(
    source: Source,
    said: Callable[[str], None],
    names: Container[str] = NAMES,
    confirm: Callable[[str], None] = lambda question: None,
) -> Iterator[Drawing]:
    """The figures of a run's proxies and coresets; what cannot be drawn is said at the end, each reason once.

    `confirm` is asked before proxies are trained for more than ten minutes.
    """
    reasons: dict[str, list[str]] = {}
    wanted: list[Trace] = []
    for name in filter(names.__contains__, OF_STORE):
        try:
            wanted += OF_STORE[name][1](source)
        except Missing:  # and so will the figure say
            continue
    if source.trace:
        source.prepare(wanted, confirm)
    for name in filter(names.__contains__, OF_STORE):
        try:
            with canvas.style():
                drawing = OF_STORE[name][0](source)
            yield drawing
        except Missing as reason:
            reasons.setdefault(str(reason), []).append(name)
    if source.suite.name == PLANE_SUITE and PLANE in names:
        if source.trace:
            with canvas.style():
                drawing = planes.planes()
            yield drawing
        else:
            reasons[f"Draw it with `coreset-bench figures {PLANE_SUITE} --trace`: it trains four networks."] = [PLANE]
    for sentence, missing in reasons.items():
        said(f"Not drawn: {', '.join(missing)}. {sentence}")


def write(drawing: Drawing, folder: Path, png: bool) -> list[Path]:
    """Writes NAME.svg and NAME.csv, and NAME.png where it is asked for; the paths.

    Raises:
        CoresetBenchError: the folder cannot be written.
    """
    files = {"svg": drawing.svg(), "csv": drawing.table.csv(), **({"png": drawing.png()} if png else {})}
    for kind, data in files.items():
        write_atomically(folder / f"{drawing.name}.{kind}", data)
    return [folder / f"{drawing.name}.{kind}" for kind in files]
