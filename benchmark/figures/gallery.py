"""All figures of a suite, drawn and written: what there is, and what of it can be drawn now."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmark.figures import agreement, canvas, curves, embedding, heatmaps, planes, samples, tradeoffs, trajectories
from benchmark.figures.canvas import Drawing
from benchmark.figures.sources import Missing, Source
from benchmark.records import Record
from benchmark.shares import is_dynamic
from benchmark.standings import RegimeStandings, regime_standings
from benchmark.store import write_atomically
from methods.errors import UsageError

FOLDER = "figures"  # beside the records
PLANE_SUITE = "digits"  # among whose figures the plane is, which is no suite's: the one that needs no files

OfRecords = Callable[[Sequence[Record], Sequence[RegimeStandings]], Drawing]
OfStore = Callable[[Source], Drawing]

OF_RECORDS: tuple[OfRecords, ...] = (curves.fractions, curves.radii, tradeoffs.tradeoff, tradeoffs.gains)
OF_DYNAMIC_RECORDS: tuple[OfRecords, ...] = (curves.fractions,)  # that track has no mean over shares
OF_STORE: tuple[OfStore, ...] = (
    samples.samples,
    trajectories.trajectories,
    agreement.agreement,
    embedding.embedding,
    heatmaps.scores,
    heatmaps.overlap,
)


def of_records(records: Sequence[Record]) -> Iterator[Drawing]:
    """The figures that records alone give; NAME@CLOCK has the regimes that are trained on a further clock.

    Raises:
        CoresetBenchError: the records do not belong in one table, or cannot be decoded.
    """
    if not any(record.results for record in records):
        return
    clocks: dict[str, list[RegimeStandings]] = {}
    for regime in regime_standings(records):
        clocks.setdefault(regime.setting.regime.partition("@")[2], []).append(regime)
    for draw in OF_DYNAMIC_RECORDS if is_dynamic(records) else OF_RECORDS:
        for clock, regimes in clocks.items():
            with canvas.style():
                drawing = draw(records, regimes)
            yield replace(drawing, name=f"{drawing.name}@{clock}") if clock else drawing


def of_store(source: Source, said: Callable[[str], None]) -> Iterator[Drawing]:
    """The figures of a run's proxies and coresets; what cannot be drawn is said at the end, each reason once."""
    reasons: dict[str, list[str]] = {}
    for draw in OF_STORE:
        try:
            with canvas.style():
                drawing = draw(source)
            yield drawing
        except Missing as reason:
            reasons.setdefault(str(reason), []).append(draw.__name__)
    if source.suite.name == PLANE_SUITE and source.trace:
        with canvas.style():
            drawing = planes.planes()
        yield drawing
    elif source.suite.name == PLANE_SUITE:
        reasons[f"It trains four networks; ask for it with `coreset-bench figures {PLANE_SUITE} --trace`."] = ["plane"]
    for sentence, names in reasons.items():
        said(f"Not drawn: {', '.join(names)}. {sentence}")


def write(drawing: Drawing, folder: Path, png: bool) -> list[Path]:
    """Writes NAME.svg and NAME.csv, and NAME.png where it is asked for; the paths.

    Raises:
        CoresetBenchError: the folder cannot be written.
    """
    files = {"svg": drawing.svg(), "csv": drawing.table.csv(), **({"png": drawing.png()} if png else {})}
    for kind, data in files.items():
        write_atomically(folder / f"{drawing.name}.{kind}", data)
    return [folder / f"{drawing.name}.{kind}" for kind in files]


def published(results: Path) -> list[Path]:
    """The folders of published suites.

    Raises:
        UsageError: there is none.
    """
    found = sorted(path.parent for path in results.glob("*/records.jsonl") if path.parent.name != "local")
    if not found:
        raise UsageError(f"Nothing is published under {results}; publish a run first: make publish SUITE=digits")
    return found
