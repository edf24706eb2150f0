"""The claims as Markdown: published records and measurements in, the same bytes out on every machine."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmark import markdown, wording
from benchmark.claims import telling
from benchmark.claims.answers import Answer, Asked, Published, ask, read
from benchmark.claims.evidence import Scale
from benchmark.claims.questions import NOT_SUPPORTED, SUPPORTED, UNDECIDED, Verdict
from benchmark.stats import CONFIDENCE, MIN_REPLICATES

PAGE = "claims.md"

# Pools of at least so many images, in networks other than the small ones, are the paper's scale.
PAPER_POOLS = {"cifar10": 40_000, "cifar100": 40_000, "imagenet": 1_000_000}
SMALL_NETWORKS = ("mlp", "cnn-tiny", "cnn-small")
MARKS: dict[Verdict, str] = {SUPPORTED: "**yes**", NOT_SUPPORTED: "**no**", UNDECIDED: "open"}


@dataclass(frozen=True)
class Told:
    """One answer as it is printed; `cells` is a table, where the answer was chosen from several."""

    sentence: str
    place: str
    cells: str


@dataclass(frozen=True)
class Entry:
    """One question as it is printed."""

    asked: Asked
    rule: str
    told: list[Told]
    missing: list[str]


@dataclass(frozen=True)
class Topic:
    """Questions of one kind: an overview and then each by itself."""

    title: str
    overview: str
    entries: list[Entry]


def render(results: Path, replaced: Published | None = None) -> str:
    """The page of what is published under `results`; `replaced` stands in for the suite of its name.

    Raises:
        CoresetBenchError: records or measurements cannot be read, or do not belong together.
    """
    return rendered(ask(*read(results, replaced)))


def rendered(found: Sequence[Asked]) -> str:
    """The page of these answers."""
    scales = list(dict.fromkeys(answer.scale for asked in found for answer in asked.answers))
    topics = dict.fromkeys(asked.question.topic for asked in found)
    return markdown.template("claims.md.j2").render(
        small=_spans([scale for scale in scales if not at_paper_scale(scale)]),
        large=_spans([scale for scale in scales if at_paper_scale(scale)]),
        counts=counted(found),
        brief=_brief(found),
        topics=[_topic(title, [asked for asked in found if asked.question.topic == title]) for title in topics],
        level=f"{100 * CONFIDENCE:g} %",
        error=f"{50 * (1 - CONFIDENCE):g} %",
        least=MIN_REPLICATES,
    )


def at_paper_scale(scale: Scale) -> bool:
    """Whether an answer is about data and networks like the paper's."""
    least = PAPER_POOLS.get(scale.data)
    return least is not None and scale.pool >= least and not any(name in scale.model for name in SMALL_NETWORKS)


def counted(found: Sequence[Asked]) -> str:
    """How many answers there are of each kind, and how many questions have none."""
    verdicts = Counter(answer.verdict for asked in found for answer in asked.answers)
    none = sum(not asked.answers for asked in found)
    parts = [f"{verdicts[verdict]} {verdict}" for verdict in (SUPPORTED, NOT_SUPPORTED, UNDECIDED)]
    total = wording.counted(sum(verdicts.values()), "answer")
    return f"{wording.counted(len(found), 'question')}, {total}: {wording.listed(parts)}" + (
        f"; {none} {'has' if none == 1 else 'have'} no records yet" if none else ""
    )


def _brief(found: Sequence[Asked]) -> str:
    """Verdicts by question and suite; suites of one data set may share samples, and are never counted together."""
    suites = sorted({answer.suite for asked in found for answer in asked.answers})
    rows = [
        [_link(asked), *(_mark([answer for answer in asked.answers if answer.suite == suite]) for suite in suites)]
        for asked in found
    ]
    return markdown.table(["question", *map(wording.markdown, suites)], rows, left=len(suites) + 1) if suites else ""


def _mark(answers: Sequence[Answer]) -> str:
    """ "yes", or where cases differ "2 yes, 1 no"."""
    verdicts = Counter(answer.verdict for answer in answers)
    marks = [(verdicts[verdict], mark) for verdict, mark in MARKS.items() if verdicts[verdict]]
    return marks[0][1] if len(marks) == 1 else ", ".join(f"{count} {mark}" for count, mark in marks)


def _spans(scales: Sequence[Scale]) -> list[str]:
    return [_spanned(data, [s for s in scales if s.data == data]) for data in dict.fromkeys(s.data for s in scales)]


def _spanned(data: str, scales: Sequence[Scale]) -> str:
    """The data with the pools and networks of all these scales: "digits (N = 1,000 to 1,100, mlp and cnn-tiny)"."""
    pools = sorted({scale.pool for scale in scales})
    span = f"{pools[0]:,}" + (f" to {pools[-1]:,}" if len(pools) > 1 else "")
    models = dict.fromkeys(model for scale in scales for model in scale.model.split(" and "))
    return f"{data} (N = {span}, {wording.listed(list(models))})"


def _link(asked: Asked) -> str:
    return f"[{wording.markdown(asked.question.asks)}](#{asked.question.id})"


def _topic(title: str, found: Sequence[Asked]) -> Topic:
    columns = (
        "question",
        "suite",
        "data and network",
        "case",
        "measured",
        f"{100 * CONFIDENCE:g} % interval",
        "verdict",
    )
    rows = [row for asked in found for row in _rows(asked)]
    return Topic(title, markdown.table(columns, rows, left=len(columns)), [_entry(asked) for asked in found])


def _rows(asked: Asked) -> list[list[str]]:
    """A line for each answer; the question stands in the first of them."""
    question = _link(asked)
    if not asked.answers:
        return [[question, *[wording.ABSENT] * 5, "no records yet"]]
    return [
        [
            question if position == 0 else "",
            *map(wording.markdown, (answer.suite, str(answer.scale), answer.case or wording.ABSENT)),
            telling.amount(answer.value, asked.question.unit),
            telling.interval(answer, asked.question.unit),
            telling.verdict(answer),
        ]
        for position, answer in enumerate(asked.answers)
    ]


def _entry(asked: Asked) -> Entry:
    question = asked.question
    told = [
        Told(
            telling.sentence(question, answer),
            f"{wording.plain(answer.suite)}, {wording.plain(answer.case)}",
            _cells(asked, answer),
        )
        for answer in asked.answers
    ]
    reasons: dict[tuple[str, str], list[str]] = {}
    for suite, lack in asked.missing:
        reasons.setdefault((suite, lack.reason), []).append(wording.regime(lack.regime))
    missing = [f"{suite}, {wording.listed(regimes)}: {reason}" for (suite, reason), regimes in reasons.items()]
    return Entry(asked, telling.rule(question), told, missing)


def _cells(asked: Asked, answer: Answer) -> str:
    """The differences that the answer was chosen from, the least favourable first."""
    if answer.chosen is None:
        return ""
    cells = sorted(answer.cells, key=lambda cell: (round(cell.found.mean, 9), cell.other, cell.fraction or 0.0))
    rows = [
        [
            wording.markdown(cell.other),
            *([] if cell.fraction is None else [wording.percent(cell.fraction)]),
            wording.points(cell.found),
        ]
        for cell in cells
    ]
    first = asked.question.compare.first if asked.question.compare else ""
    fraction = [] if cells[0].fraction is None else ["fraction"]
    return markdown.table([f"{wording.markdown(first)} minus", *fraction, "points"], rows)
