"""The ledger as Markdown: entries and lines in, the same bytes out on every machine."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmark import markdown, wording
from benchmark.ledger.entries import ENTRIES, Entry, Pair, Project
from benchmark.ledger.lines import Compared, Setting, Shown
from benchmark.stats import CONFIDENCE, Estimate, estimate, paired_difference
from methods.errors import CoresetBenchError

CLEAR = " *"  # after a difference whose interval does not hold 0
BASIS = {
    "run": "run: on the same inputs the project's own function answered as ours does",
    "read": "read in the project's code, which was not run",
}


@dataclass(frozen=True)
class Section:
    """One project's faults."""

    project: Project
    entries: list["Told"]


@dataclass(frozen=True)
class Told:
    """One entry as it is printed."""

    entry: Entry
    shown: str
    basis: str


def render(lines: Sequence[Setting | Compared | Shown], records: str) -> str:
    """The page; `records` is the name of the file that the lines are from.

    Raises:
        CoresetBenchError: the lines lack what an entry of the ledger needs.
    """
    settings = [line for line in lines if isinstance(line, Setting)]
    if len(settings) != 1:
        raise CoresetBenchError(f"{records} holds {len(settings)} settings and not one; write it again: make ledger")
    (setting,) = settings
    compared: dict[tuple[str, str, float], list[Compared]] = {}
    for line in lines:
        if isinstance(line, Compared):
            compared.setdefault((line.faulty, line.right, line.fraction), []).append(line)
    for (faulty, right, fraction), found in compared.items():
        if sorted(line.replicate for line in found) != list(range(setting.replicates)):
            raise CoresetBenchError(
                f"{records} holds replicates of {faulty} and {right} at {fraction:g} that are not "
                f"0 to {setting.replicates - 1}, each once; write it again: make ledger"
            )
    values = {line.entry: line.values for line in lines if isinstance(line, Shown)}
    projects = list(dict.fromkeys(entry.project for entry in ENTRIES))
    try:
        told = {entry.name: _told(entry, values.get(entry.name, {})) for entry in ENTRIES}
        table, headlines = _table(setting, compared), _headlines(setting, compared)
    except KeyError as error:
        raise CoresetBenchError(f"{records} lacks {error.args[0]}; write it again: make ledger") from None
    return markdown.template("discrepancies.md.j2").render(
        facts=_facts(setting, records),
        headlines=headlines,
        table=table,
        sections=[Section(project, [told[e.name] for e in ENTRIES if e.project == project]) for project in projects],
        confidence=f"{100 * CONFIDENCE:g} %",
        clear=CLEAR.strip(),
    )


def _told(entry: Entry, values: dict[str, int | float]) -> Told:
    return Told(entry, entry.shown.format(**values), BASIS[entry.basis])


def _headlines(setting: Setting, compared: dict[tuple[str, str, float], list[Compared]]) -> list[str]:
    """How often robust accuracy is lower or higher than that of the right method, and whose, by regime."""
    sentences = []
    for name, trained in setting.regimes.items():
        worse: dict[str, int] = {}
        better: dict[str, int] = {}
        count = 0
        for (faulty, right, _), lines in compared.items():
            found = _robust(lines, name, trained.images)
            count += 1
            if found is not None and not found.may_be(0.0):
                side = worse if found.mean < 0 else better
                label = f"{faulty} against {right}"
                side[label] = side.get(label, 0) + 1
        sentences.append(
            f"{wording.regime(name)}: in {sum(worse.values())} of {count} comparisons the faulty coreset leaves lower "
            f"robust accuracy, in {sum(better.values())} higher, in the others the interval holds 0."
        )
        for word, side in (("Lower", worse), ("Higher", better)):
            everywhere = [label for label, times in side.items() if times == len(setting.fractions)]
            if everywhere:
                sentences[-1] += f" {word} at every fraction: {wording.listed(everywhere, limit=20)}."
    return sentences


def _robust(lines: Sequence[Compared], regime: str, images: int) -> Estimate | None:
    counts = [line.regimes[regime].robust for line in lines if regime in line.regimes]
    rates = np.array(counts, dtype=np.float64).reshape(-1, 2) / images
    return paired_difference(rates[:, 0], rates[:, 1]) if len(rates) else None


def _facts(setting: Setting, records: str) -> list[tuple[str, str]]:
    """What was trained and how, as (term, text)."""
    facts = [
        (
            "Data",
            f"{setting.dataset}, a pool of {setting.pool:,} training images in {setting.num_classes} classes, "
            f"{setting.images:,} test images; checksum {setting.checksum}",
        ),
        ("Replicates", f"{setting.replicates}, each with a proxy, a selection seed and a training seed of its own"),
    ]
    for name, trained in setting.regimes.items():
        facts.append(
            (
                wording.regime(name),
                f"{trained.model}; {wording.recipe(trained.recipe)}; attacked at ε = {wording.radius(trained.primary)} "
                f"by {wording.attacks(trained.attacks)}, worst case image by image, on {trained.images:,} images",
            )
        )
    return [*facts, ("Records", f"every count behind this page is in {os.path.basename(records)}")]


def _table(setting: Setting, compared: dict[tuple[str, str, float], list[Compared]]) -> str:
    """A row for each comparison and fraction."""
    columns = ["repeats the fault", "compared with", "kept", "shared picks"]
    for name in setting.regimes:
        columns += [f"{wording.regime(name).split()[0]}: {kind}" for kind in ("clean", "robust")]
    rows = []
    for entry in ENTRIES:
        for pair in entry.pairs:
            for fraction in setting.fractions:
                rows.append(_row(setting, pair, fraction, compared[pair.faulty.name, pair.right.name, fraction]))
    return _grid(columns, rows, left=2)


def _row(setting: Setting, pair: Pair, fraction: float, lines: Sequence[Compared]) -> list[str]:
    known = [line for line in lines if line.shared is not None]
    picks = [line.shared / line.k for line in known if line.shared is not None]
    step = 1 / min((line.k for line in known), default=1)
    shared = f"{wording.share(estimate(picks, step=step))} %" if picks else wording.ABSENT
    cells = [pair.faulty.name, pair.right.name, wording.percent(fraction), shared]
    for name, trained in setting.regimes.items():
        found = [line.regimes[name] for line in lines if name in line.regimes]
        for each, images in (
            ([counts.clean for counts in found], setting.images),
            ([counts.robust for counts in found], trained.images),
        ):
            cells.append(_difference(np.array(each, dtype=np.float64).reshape(-1, 2), images, setting.replicates))
    return cells


def _difference(counts: np.ndarray, images: int, replicates: int) -> str:
    """Faulty minus right in percentage points; how many replicates, where some are missing."""
    if not len(counts):
        return wording.ABSENT
    found: Estimate = paired_difference(counts[:, 0] / images, counts[:, 1] / images, step=1 / images)
    short = f" ({len(counts)}/{replicates})" if len(counts) < replicates else ""
    return wording.points(found) + short + ("" if found.may_be(0.0) else CLEAR)


def _grid(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int) -> str:
    """A Markdown table; the first `left` columns are text."""
    heading, *lines = ([wording.markdown(cell) for cell in cells] for cells in (columns, *rows))
    return markdown.table(heading, lines, left)
