"""The file itself: template, style sheet, script and document in one, with a policy that lets nothing else in."""

import base64
import hashlib
from collections.abc import Sequence
from pathlib import Path

import jinja2

from benchmark.claims.answers import Asked, ask, read
from benchmark.claims.evidence import Published
from benchmark.page.document import document
from benchmark.page.texts import embedded
from methods.errors import UsageError

PAGE = Path("site") / "index.html"  # under the results

_PARTS = Path(__file__).parent
# Scripts in the order in which they run.
_SCRIPTS = ("elements", "address", "tables", "filters", "leaderboard", "charts", "views", "dialogs", "start")


def build(results: Path) -> bytes:
    """The page of everything published in the folder `results`: the same bytes from the same records.

    Raises:
        UsageError: nothing is published.
        CoresetBenchError: records cannot be read, or do not make one table.
    """
    suites, measurements = read(results)
    if not suites:
        raise UsageError(f"Nothing is published under {results}; publish a run first: make publish SUITE=digits")
    return built(suites, ask(suites, measurements))


def built(suites: Sequence[Published], asked: Sequence[Asked]) -> bytes:
    """The page of these suites and answers."""
    return render(embedded(document(suites, asked)))


def render(data: str) -> bytes:
    """The page around a document that `embedded` wrote."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PARTS), undefined=jinja2.StrictUndefined, autoescape=True
    )
    style = (_PARTS / "page.css").read_text(encoding="utf-8")
    script = "\n".join((_PARTS / "script" / f"{name}.js").read_text(encoding="utf-8") for name in _SCRIPTS)
    hashes = {"style_hash": _hash(style), "script_hash": _hash(script)}
    return environment.get_template("page.html.j2").render(style=style, script=script, data=data, **hashes).encode()


def _hash(text: str) -> str:
    """What a content security policy calls an inline element by."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
