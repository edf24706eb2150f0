"""Which rows of a suite are drawn in colour, and how: the same in all of its figures.

Seven at most: the baseline and EasyCore, then the rows of the highest mean robust accuracy, one from each regime in
turn. All others are grey, and in the table. Colours are Okabe and Ito's, which colour-blind readers tell apart; marker
and dashes differ as well, so that a print in grey does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from benchmark.leaderboard import shares
from benchmark.leaderboard.headlines import SPOTLIGHT
from benchmark.leaderboard.names import BASELINE
from benchmark.leaderboard.standings import RegimeStandings

MOST = 7
BLACK, BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = (
    "#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
)  # fmt: skip
_COLOURS = (BLUE, GREEN, PURPLE, ORANGE, SKY, VERMILION, BLACK)
_MARKERS = ("s", "^", "v", "P", "X", "D", "o")
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)), (0, (7, 2, 2, 2)), "-", (0, (2, 1)))


@dataclass(frozen=True)
class Ink:
    """How a row is drawn."""

    color: str
    marker: str
    dashes: Any


def inks(regimes: Sequence[RegimeStandings]) -> dict[str, Ink]:
    """The rows in colour, each with its ink; the others have none."""
    firm = {row: Ink(BLACK, "o", (0, (2, 1))) for row in (BASELINE, shares.BASELINE)}
    firm[SPOTLIGHT] = Ink(VERMILION, "D", "-")
    free = iter(zip(_COLOURS, _MARKERS, _DASHES, strict=True))
    return {row: firm[row] if row in firm else Ink(*next(free)) for row in rows_in_colour(regimes)}


def rows_in_colour(regimes: Sequence[RegimeStandings]) -> list[str]:
    """Their names: baseline, EasyCore, then the best of each regime in turn."""
    known = list(dict.fromkeys(row for regime in regimes for row in regime.rows))
    first = [row for row in (BASELINE, shares.BASELINE, SPOTLIGHT) if row in known]
    orders = [[standing.row for standing in regime.order if standing.robust] for regime in regimes]
    best = [row for turn in zip_longest(*orders) for row in turn if row is not None]
    return list(dict.fromkeys([*first, *best, *known]))[:MOST]


def rule(regimes: Sequence[RegimeStandings]) -> str:
    """How they were chosen, in words; nothing where every row is in colour."""
    shown = rows_in_colour(regimes)
    if all(row in shown for regime in regimes for row in regime.rows):
        return ""
    firm = [row for row in (BASELINE, shares.BASELINE, SPOTLIGHT) if row in shown]
    return (
        f"In colour, {MOST} at most: {', '.join([*firm, 'then'])} the rows of the highest mean robust accuracy, one "
        "from each regime in turn; all others are grey."
    )
