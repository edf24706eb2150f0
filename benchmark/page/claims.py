"""The paper's claims and their answers, as `results/claims.md` gives them."""

from collections.abc import Sequence
from typing import Any

from benchmark import wording
from benchmark.claims.answers import Answer, Asked
from benchmark.claims.page import counted
from benchmark.claims.questions import Question
from benchmark.claims.telling import fact, interval, number, rule


def claims(asked: Sequence[Asked]) -> dict[str, Any]:
    """Every question with its answers as text."""
    return {"counted": f"{counted(asked)}.", "questions": [_question(each) for each in asked]}


def _question(asked: Asked) -> dict[str, Any]:
    question = asked.question
    reasons = [f"{suite}, {wording.regime(found.regime)}: {found.reason}" for suite, found in asked.missing]
    return {
        "id": question.id,
        "topic": question.topic,
        "asks": question.asks,
        "claim": question.claim,
        "measures": question.measures,
        "rule": rule(question),
        "unit": question.unit,
        "answers": [_answer(question, answer) for answer in asked.answers],
        "missing": list(map(wording.plain, reasons)),
    }


def _answer(question: Question, answer: Answer) -> dict[str, Any]:
    return {
        "suite": wording.plain(answer.suite),
        "scale": wording.plain(str(answer.scale)),
        "case": wording.plain(answer.case),
        "against": _against(answer),
        "value": number(answer.value, question.unit),
        "interval": interval(answer, question.unit),
        "replicates": answer.replicates,
        "verdict": answer.verdict,
        "remarks": _remarks(answer),
        "made_of": _made_of(question, answer),
    }


def _against(answer: Answer) -> str:
    """The difference that the answer was chosen by, and from how many."""
    if answer.chosen is None:
        return ""
    where = "" if answer.chosen.fraction is None else f", {wording.percent(answer.chosen.fraction)}"
    return f"{wording.plain(answer.chosen.other)}{where}; one of {len(answer.cells)} differences"


def _remarks(answer: Answer) -> str:
    found = []
    if answer.needed:
        found.append(f"if it is as large as it looks, some {answer.needed:,} replicates would tell it from 0")
    if answer.left_out:
        rows = wording.listed([wording.plain(row) for row in answer.left_out])
        found.append(f"left out, so it cannot be supported: {rows}")
    return "; ".join(found)


def _made_of(question: Question, answer: Answer) -> list[tuple[str, str]]:
    """What stands behind a measurement, as (term, text): each replicate's value, further facts, stages."""
    line = answer.measurement
    if line is None:
        return []
    values = [
        f"{number(value, question.unit)} (seed {seed})" for value, seed in zip(line.values, line.seeds, strict=True)
    ]
    told = {"values": ", ".join(values), **{name: fact(value) for name, value in line.facts.items()}, **line.keys}
    return [(wording.plain(term), wording.plain(text)) for term, text in told.items()]
