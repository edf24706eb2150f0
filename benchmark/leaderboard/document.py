"""The leaderboard: who wins in each regime, by how much and how sure that is, from records alone.

`leaderboard` collects facts, sentences and tables; `render_markdown`, `render_summary` and `print_table` set them in
type. Nothing here reads a clock, a machine or a file but the templates, so the same records give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmark import markdown, wording
from benchmark.leaderboard import clocks, headlines, masking, nulls, shares, tables, worst_case
from benchmark.leaderboard.facts import facts
from benchmark.leaderboard.names import BASELINE
from benchmark.leaderboard.standings import RegimeStandings, regime_standings
from benchmark.records import Record
from benchmark.spec import Family

NEAR_BEST = "Not distinguishable from the best: rows that no row is surely better than, whose ranks begin at 1."

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@dataclass(frozen=True)
class Section:
    """What is printed about one regime."""

    title: str
    headline: list[str]
    main: tables.Grid
    remarks: list[str]  # rows that lack cells, signs of misled attacks, rows that cannot be told apart
    details: list[tables.Grid]


@dataclass(frozen=True)
class Leaderboard:
    """What is printed about one suite: facts as (term, text), a section for each regime, all regimes in one table.

    `changes` says whose ranks change from clock to clock, and `clocks` has a table for each regime on several.
    """

    title: str
    facts: list[tuple[str, str]]
    sections: list[Section]
    changes: list[str]
    clocks: list[tables.Grid]
    compact: tables.Grid
    notes: list[str]


def leaderboard(records: Sequence[Record], standings: list[RegimeStandings] | None = None) -> Leaderboard:
    """The leaderboard of one suite's records; `standings` are theirs, where they are at hand already.

    Raises:
        CoresetBenchError: no records, or records that do not belong in one table.
    """
    regimes = regime_standings(records) if standings is None else standings
    unmasked = regime_standings(records, masked=True) if any(regime.masked for regime in regimes) else regimes
    readers = frozenset(record.factors.row for record in records if record.factors.reads_select)
    label = tables.Labels(records[0].factors.pool, readers)
    dynamic = shares.is_dynamic(records)
    declared = [regime for regime in regimes if "@" not in regime.setting.regime]  # not again on further clocks
    return Leaderboard(
        title=wording.plain(f"{records[0].suite}, version {records[0].suite_version}"),
        facts=facts(records, regimes),
        sections=[_section(records, *pair, label) for pair in zip(regimes, unmasked, strict=True)],
        changes=clocks.rank_changes(regimes),
        clocks=clocks.comparison(regimes, label),
        compact=(shares if dynamic else tables).compact(declared, label),
        notes=[
            *(shares.notes if dynamic else _notes)(regimes, bool(readers), records[0].factors.suite_family),
            *([] if dynamic else [*nulls.notes(records), *clocks.notes(records)]),
            *(["The formulas, and what they were checked on: docs/statistics.md."] if regimes[0].has_intervals else []),
            f"{wording.ABSENT}: no value.",
        ],
    )


def render_markdown(records: Sequence[Record]) -> str:
    """The whole leaderboard as Markdown."""
    return as_markdown(leaderboard(records))


def as_markdown(board: Leaderboard) -> str:
    """A leaderboard as `render_markdown` sets it."""
    return markdown.template("leaderboard.md.j2").render(board=board, table=_markdown_table)


def render_summary(records: Sequence[Record], link: str) -> str:
    """The headlines and one table of all regimes as Markdown; `link` leads to the whole leaderboard."""
    return as_summary(leaderboard(records), link)


def as_summary(board: Leaderboard, link: str) -> str:
    """A leaderboard as `render_summary` sets it."""
    return markdown.template("summary.md.j2").render(board=board, table=_markdown_table, link=link)


def print_table(records: Sequence[Record], console: "Console") -> None:
    """The facts, and for each regime the headline and the main table, for a terminal.

    Columns of single fractions are left out where the terminal is too narrow for them.
    """
    from rich.text import Text

    board = leaderboard(records)
    console.print(Text(board.title, style="bold"))
    for term, text in board.facts:
        console.print(Text(f"{term}: {text}", style="dim"))
    for section in board.sections:
        console.print()
        console.print(Text(section.title, style="bold"))
        console.print(Text(" ".join(section.headline)))
        table = _terminal(section.main)
        wide = console.options.update(max_width=10_000)
        fits = console.measure(table, options=wide).maximum <= console.width
        console.print(table if fits else _terminal(section.main.narrowed()))
        for sentence in section.remarks:
            console.print(Text(sentence, style="yellow"))
    console.print()
    for sentence in board.changes:
        console.print(Text(sentence))
    for note in board.notes:
        console.print(Text(note, style="dim"))


def _section(
    records: Sequence[Record], regime: RegimeStandings, unmasked: RegimeStandings, label: tables.Labels
) -> Section:
    name = regime.setting.regime
    dynamic = shares.is_dynamic(records)
    failures: headlines.Failures = {}
    for record in records:
        factors = record.factors
        if record.failure and factors.regime == name and not factors.null:
            reason = f"{record.failure.stage}: {record.failure.message}"
            failures.setdefault(factors.row, {})[factors.fraction, factors.replicate] = reason
    return Section(
        title=wording.regime(wording.plain(name)),
        headline=shares.headline(regime) if dynamic else headlines.headline(regime),
        main=shares.main(regime, label) if dynamic else tables.main(regime, label),
        remarks=[
            *headlines.gaps(regime, failures),
            *nulls.gaps(records, name),
            *masking.sentences(records, name, label),
            *headlines.twins(regime),
        ],
        details=_details(records, regime, unmasked, label),
    )


def _details(
    records: Sequence[Record], regime: RegimeStandings, unmasked: RegimeStandings, label: tables.Labels
) -> list[tables.Grid]:
    """What lies behind the main table."""
    if shares.is_dynamic(records):
        return shares.details(regime, label)
    return [
        *_ranked_all_the_same(regime, unmasked, label),
        *tables.details(regime, label),
        clocks.costs(records, regime, label),
        *worst_case.grids(records, regime, label),
        *nulls.grids(records, regime, label),
    ]


def _ranked_all_the_same(regime: RegimeStandings, unmasked: RegimeStandings, label: tables.Labels) -> list[tables.Grid]:
    """The main table with the rows in it that are not ranked for misleading gradients; nothing where there are none."""
    if not regime.masked:
        return []
    grid = tables.main(unmasked, label)
    return [replace(grid, title=f"With the rows that are not ranked above, as if no flag were raised: {grid.title}")]


def _notes(regimes: list[RegimeStandings], reads_select: bool, family: Family) -> list[str]:
    """What the symbols mean, as far as these tables use them."""
    intervals = regimes[0].has_intervals
    incomplete = any(s.robust is None for regime in regimes for s in regime.order)
    notes = [
        "Robust accuracy: the share of attacked test images that stay right under every attack that all cells ran on "
        "all of them, sample by sample; AutoAttack on some cells or images only has a table of its own.",
        "mean: over the fractions of the suite; it needs every fraction and replicate that the suite declares.",
    ]
    if any(BASELINE in regime.rows for regime in regimes):
        notes.append(f"− {BASELINE}: the row's mean minus {BASELINE}'s in percentage points, paired by replicate.")
    if intervals:
        notes += [
            tables.interval(),
            f"{_placed(regimes[0])} {tables.adjustment(regimes[0], family)}",
            *([] if regimes[0].beside_baseline else [NEAR_BEST]),
            "How many more replicates would separate two rows is counted for the strictest test of that family, taking "
            "the difference and the spread at hand for true.",
            "Estimand B: test images vary too, as if others had been drawn; crossed variances, Satterthwaite's degrees "
            "of freedom. Never narrower than A, and often the same where replicates are few.",
        ]
    if any(regime.reference for regime in regimes):
        notes.append(
            "The last row is a reference: trained on the whole pool, not ranked; its robust accuracy stands under mean."
        )
    if reads_select:
        notes.append(f"{tables.SELECT_MARK.strip()}: may see the labelled images held out of the pool for selection.")
    if incomplete:
        notes.append(
            "(2/3): mean over the replicates that ran, here 2 of 3; such a row has no mean over fractions and no rank."
        )
    if any(np.isinf(regime.cells["median_epsilon"]).any() for regime in regimes if len(regime.cells)):
        notes.append("> before a median smallest ε: at least that, as some medians lie beyond the largest ε searched.")
    return notes


def _placed(regime: RegimeStandings) -> str:
    if regime.beside_baseline:
        return (
            f"{tables.VS_BASELINE}: whether the family of comparisons shows the row above {BASELINE} or below it, or "
            "leaves it undecided. Rows are not compared with each other, so they have no ranks."
        )
    return (
        f"{tables.RANK}: the ranks that a row may have, from one more than the rows that are surely better to all rows "
        "less those that are surely worse."
    )


def _markdown_table(grid: tables.Grid) -> str:
    rows = [[wording.markdown(cell) for cell in cells] for cells in grid.rows]
    if grid.reference:
        rows.append([f"*{wording.markdown(cell)}*" if cell else "" for cell in grid.reference])
    return markdown.table(list(map(wording.markdown, grid.columns)), rows, left=grid.columns.index("method") + 1)


def _terminal(grid: tables.Grid) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(grid.title), title_justify="left", box=box.SIMPLE_HEAD)
    for name in grid.columns:
        table.add_column(Text(name), justify="left" if name in (*tables.PLACES, "method") else "right", no_wrap=True)
    for row in grid.rows:
        table.add_row(*map(Text, row))
    if grid.reference:
        table.add_section()
        table.add_row(*map(Text, grid.reference), style="italic")
    return table
