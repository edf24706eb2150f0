"""The methods as the page shows them: what `coreset-bench methods NAME` prints."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import methods
from benchmark.cards import KEEPS, KINDS, card, facts
from benchmark.roster import line
from benchmark.spec import load_suite, suite_names
from methods import registry
from methods.errors import UsageError

OWN = Path(methods.__file__).parent


def cards(used: Iterable[str]) -> list[dict[str, Any]]:
    """A card for each method of this package, and for those of plugins that are used and installed here.

    So the page is the same wherever it is built, whatever other plugins and optional packages are there.
    """
    own = {name for name in registry.method_names() if ":" not in name and _is_own(registry.get(name))}
    names = own | {name for name in used if _is_known(name)}
    rows = {suite: [(row.method, row.name) for row in load_suite(suite).rows] for suite in suite_names()}
    return [_card(name, rows) for name in sorted(names)]


def _card(name: str, rows: dict[str, list[tuple[str, str]]]) -> dict[str, Any]:
    method = registry.get(name)
    found = {suite: [row for own, row in listed if own == name] for suite, listed in rows.items()}
    described = {**line(method), **card(method, {suite: mine for suite, mine in found.items() if mine})}
    return {
        "name": name,
        "kind": described["kind"],
        "kind_in_words": KINDS[described["kind"]],
        "direction": described["direction"],
        "end": KEEPS[described["direction"]],
        "keeps": described["keeps"],
        "paper": described["paper"],
        "reads": ", ".join(described["needs"]),
        "facts": _joined(facts(described)),
        "about": described["about"],
        "left_open": described["left_open"],
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Terms with all that is said of each; a pair without a term goes on with the one before."""
    found: list[tuple[str, list[str]]] = []
    for term, text in pairs:
        if term:
            found.append((term, []))
        found[-1][1].append(text)
    return found


def _is_own(method: Any) -> bool:
    path = registry.source_file(method)
    return path is not None and path.is_relative_to(OWN)


def _is_known(name: str) -> bool:
    try:
        registry.get(name)
    except UsageError:
        return False
    return True
