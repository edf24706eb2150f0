"""`results/README.md` from its template and the published records: rendered whole, or refused line by line."""

import traceback
from collections.abc import Sequence
from pathlib import Path

import jinja2

from benchmark import markdown
from benchmark.claims.answers import Asked
from benchmark.claims.evidence import Published
from benchmark.findings.answers import Claims
from benchmark.findings.prose import typed_in_template
from benchmark.findings.speed import Speed
from benchmark.findings.suites import Suite, confidence, runs
from benchmark.findings.tuning import Tried
from benchmark.results import TUNING
from benchmark.spec import suite_names
from benchmark.tuning import read_trials
from methods.errors import CoresetBenchError, unknown

PAGE = "README.md"  # under the results
TEMPLATE = "README.md.j2"  # beside it


def rendered(results: Path, suites: Sequence[Published], asked: Sequence[Asked]) -> str:
    """What the template in `results` says of these suites and answers.

    Raises:
        CoresetBenchError: it types a number, states what the records do not bear out (a sentence for each line that
            does), names what is not published, or is no template.
    """
    path = results / TEMPLATE
    source = path.read_text(encoding="utf-8")
    try:
        refused = [
            f"{_place(source, path, line)} types the number '{number}'; let the records say it, or leave it out."
            for line, number in typed_in_template(source)
        ]
        template = markdown.template(TEMPLATE, results)
    except jinja2.TemplateSyntaxError as error:
        raise CoresetBenchError(f"{_place(source, path, error.lineno)} is no template: {error.message}.") from None

    def refuse(says: str) -> None:
        """Notes what the records say, with the line of the template that is being rendered."""
        line = _line(template, [(frame.f_code.co_filename, at) for frame, at in traceback.walk_stack(None)])
        refused.append(f"{_place(source, path, line)} is not true any more: {says}; rewrite it.")

    known = {suite.name: Suite(suite, refuse) for suite in suites}

    def named(name: str) -> Suite:
        if name not in known:
            raise unknown("published suite", name, known)
        return known[name]

    def tried(name: str) -> Tried:
        return Tried(named(name).published, read_trials(results / name / TUNING), refuse)

    try:
        text = template.render(
            suite=named,
            tried=tried,
            claims=Claims(asked, refuse),
            speed=Speed(results / "perf", refuse),
            runs=runs(list(known.values())),
            prepared=[name for name in suite_names() if name not in known],
            confidence=confidence(),
        )
    except (CoresetBenchError, jinja2.TemplateError, TypeError) as error:
        # Jinja gives tracebacks with lines of the template, not of what it is compiled to.
        frames = [(frame.f_code.co_filename, at) for frame, at in traceback.walk_tb(error.__traceback__)]
        line = next((at for file, at in reversed(frames) if file == template.filename), 1)
        raise CoresetBenchError(f"{_place(source, path, line)} cannot be rendered: {str(error).rstrip('.')}.") from None
    if refused:
        raise CoresetBenchError("\n".join(refused))
    return markdown.filled(text)


def _line(template: jinja2.Template, frames: Sequence[tuple[str, int]]) -> int:
    """The line of the template that the innermost of its own frames is at."""
    compiled = next(line for file, line in frames if file == template.filename)
    return template.get_corresponding_lineno(compiled)


def _place(source: str, path: Path, line: int) -> str:
    """ "results/README.md.j2, line 12 (“…”)"."""
    text = source.splitlines()[line - 1].strip() if source else ""
    return f"{path}, line {line} (“{text}”)"
