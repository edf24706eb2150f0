"""All that the page holds, as one JSON document made of published records."""

from collections.abc import Sequence
from typing import Any

from benchmark import wording
from benchmark.claims.answers import Asked
from benchmark.claims.evidence import Published
from benchmark.leaderboard import shares
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.leaderboard.tables import Labels
from benchmark.page.boards import board
from benchmark.page.cards import cards
from benchmark.page.cells import cells
from benchmark.page.claims import claims


def document(suites: Sequence[Published], asked: Sequence[Asked]) -> dict[str, Any]:
    """The document of these suites, that of the most cells first, and of the answers to the claims.

    Raises:
        CoresetBenchError: the records of a suite do not belong in one table, or cannot be decoded.
    """
    used = {record.factors.method for each in suites for record in each.records}
    return {
        "suites": [suite(each) for each in sorted(suites, key=lambda each: -len(each.records))],
        "methods": cards(used),
        "claims": claims(asked),
    }


def suite(published: Published) -> dict[str, Any]:
    """One suite: a board for each regime, and its cells."""
    records, regimes = published.records, published.regimes
    first, shown = records[0], published.board
    label = Labels(first.factors.pool, frozenset(r.factors.row for r in records if r.factors.reads_select))
    return {
        "name": first.suite,
        "title": shown.title,
        "dataset": first.factors.dataset,
        "track": "dynamic" if shares.is_dynamic(records) else "static",
        "facts": [(term, text, _regime_of(term, regimes)) for term, text in shown.facts],
        "notes": shown.notes,
        "boards": [
            board(regime, section, records, label) for regime, section in zip(regimes, shown.sections, strict=True)
        ],
        "cells": cells(records, {regime.setting.regime: regime.setting for regime in regimes}),
    }


def _regime_of(term: str, regimes: Sequence[RegimeStandings]) -> str | None:
    """The regime that a fact is about; None where it is about the suite."""
    for regime in regimes:
        name = wording.plain(wording.regime(regime.setting.regime))
        if term in (name, f"{name}, attacked"):
            return regime.setting.regime
    return None
