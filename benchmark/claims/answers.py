"""Answers with intervals and verdicts, from published records and measurements alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmark import wording
from benchmark.claims.bounds import ends
from benchmark.claims.evidence import Differences, Missing, Published, Scale, differences
from benchmark.claims.measurement import MEASUREMENTS, Measurement, read_measurements
from benchmark.claims.questions import SUPPORTED, UNDECIDED, Comparison, Question, Unit, Verdict, questions
from benchmark.leaderboard.outcomes import Setting
from benchmark.records import read_records
from benchmark.results import suites_in
from benchmark.stats import Estimate, estimate, replicates_needed, simultaneous
from methods.errors import CoresetBenchError

RANGES: dict[Unit, tuple[float, float]] = {"points": (-1, 1), "Spearman's rho": (-1, 1), "share": (0, 1)}
FOLDER = "claims"  # of measurements, under the results


@dataclass(frozen=True)
class Cell:
    """One of the differences that an answer was chosen from, with its simultaneous interval."""

    other: str
    fraction: float | None  # None: the mean over fractions
    found: Estimate


@dataclass(frozen=True)
class Answer:
    """What one suite says to a question, in one training or in one case.

    `value` is that of the chosen cell, `low` to `high` the interval of the true choice: None below three replicates.
    `needed`: replicates with which a single difference of this size would be told from 0, where it is not yet.
    """

    suite: str
    scale: Scale
    case: str
    value: float
    low: float | None
    high: float | None
    replicates: int
    verdict: Verdict
    chosen: Cell | None = None  # None: nothing was chosen, there is one value
    cells: tuple[Cell, ...] = ()
    left_out: tuple[str, ...] = ()
    setting: Setting | None = None  # None: not from a leaderboard's records
    needed: int | None = None
    measurement: Measurement | None = None


@dataclass(frozen=True)
class Asked:
    """A question and what was found: answers, and for each suite that has none the reason."""

    question: Question
    answers: tuple[Answer, ...]
    missing: tuple[tuple[str, Missing], ...]


def ask(suites: Sequence[Published], measurements: Sequence[Measurement]) -> list[Asked]:
    """Every question and its answers, in the order in which both are given.

    Raises:
        CoresetBenchError: records that do not belong in one table, or a measurement that no question asks for.
    """
    asked = questions()
    _check(asked, measurements)
    return [_asked(question, suites, measurements) for question in asked]


def measurements_path(results: Path) -> Path:
    """Where what was measured for claims is published."""
    return results / FOLDER / MEASUREMENTS


def read(results: Path, replaced: Published | None = None) -> tuple[list[Published], list[Measurement]]:
    """What is published under `results`; `replaced` stands in for the suite of its name.

    Raises:
        CoresetBenchError: records or measurements cannot be read.
    """
    suites = {} if replaced is None else {replaced.name: replaced}
    for name, path in suites_in(results).items():
        if name not in suites:
            suites[name] = Published(name, read_records(path))
    return [suites[name] for name in sorted(suites)], read_measurements(measurements_path(results))


def _check(asked: Sequence[Question], measurements: Sequence[Measurement]) -> None:
    units = {question.id: question.unit for question in asked if question.compare is None}
    for line in measurements:
        if line.question not in units:
            raise CoresetBenchError(
                f"A measurement names the question '{line.question}', which is none that is measured."
            )
        if line.unit != units[line.question]:
            raise CoresetBenchError(
                f"A measurement of '{line.question}' is in '{line.unit}'; the question is in '{units[line.question]}'."
            )


def _asked(question: Question, suites: Sequence[Published], measurements: Sequence[Measurement]) -> Asked:
    if question.compare is None:
        lines = sorted((line for line in measurements if line.question == question.id), key=_order)
        return Asked(question, tuple(_measured(question, line) for line in lines), ())
    answers: list[Answer] = []
    missing: list[tuple[str, Missing]] = []
    for suite in suites:
        if suite.dynamic:
            continue
        for found in differences(question.compare, suite, suites):
            if isinstance(found, Missing):
                missing.append((suite.name, found))
            else:
                answers.append(compared(question, question.compare, suite.name, found))
    return Asked(question, tuple(answers), tuple(missing))


def _order(line: Measurement) -> tuple[str, list[tuple[int, str]]]:
    """By suite and case, numbers in a case by their size: a batch of 8 before one of 32."""
    parts = [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", line.case)]
    return line.suite, parts


def _measured(question: Question, line: Measurement) -> Answer:
    found = estimate(line.values)
    low, high = _within(question.unit, *ends(np.array(line.values)[None, None], step=0.0))
    return Answer(
        suite=line.suite,
        scale=Scale(line.data, line.pool, line.model),
        case=line.case,
        value=found.mean,
        low=low,
        high=high,
        replicates=found.n,
        verdict=question.verdict(low, high),
        measurement=line,
    )


def compared(question: Question, asked: Comparison, suite: str, found: Differences) -> Answer:
    """The answer of these differences: the least over others, and of those, if asked, the largest over fractions."""
    values, fractions, step = _shaped(asked, found)
    cells = [
        Cell(other, fraction, estimated)
        for (other, fraction), estimated in zip(
            product(found.others, fractions),
            simultaneous(values.reshape(-1, values.shape[-1]), step=step),
            strict=True,
        )
    ]
    chosen, alone = _chosen(cells), len(cells) == 1
    low, high = _within(question.unit, *ends(values, step))
    verdict = question.verdict(low, high)
    if found.left_out and verdict == SUPPORTED:
        verdict = UNDECIDED  # who is left out might be the better one
    needed = alone and verdict == UNDECIDED and question.beyond == 0
    return Answer(
        suite=suite,
        scale=found.scale,
        case=wording.regime(found.setting.regime),
        value=chosen.found.mean,
        low=low,
        high=high,
        replicates=chosen.found.n,
        verdict=verdict,
        chosen=None if alone else chosen,
        cells=tuple(cells),
        left_out=found.left_out,
        setting=found.setting,
        needed=replicates_needed(values[0, 0], np.zeros(values.shape[-1]), step=step) if needed else None,
    )


def _shaped(asked: Comparison, found: Differences) -> tuple[NDArray[np.float64], tuple[float | None, ...], float]:
    """Differences by other, fraction and replicate, the fractions (None: the mean over them), and the finest step."""
    if asked.over == "largest":
        return found.values, found.fractions, found.step
    return found.values.mean(axis=1, keepdims=True), (None,), found.step / len(found.fractions)


def _chosen(cells: Sequence[Cell]) -> Cell:
    """The largest over fractions of the least over others."""
    least: dict[float | None, Cell] = {}
    for cell in cells:
        kept = least.setdefault(cell.fraction, cell)
        if round(cell.found.mean, 9) < round(kept.found.mean, 9):
            least[cell.fraction] = cell
    return max(least.values(), key=lambda cell: round(cell.found.mean, 9))


def _within(unit: Unit, low: float | None, high: float | None) -> tuple[float | None, float | None]:
    """The interval without what a quantity of this unit cannot be."""
    least, most = RANGES.get(unit, (-np.inf, np.inf))
    return (None, None) if low is None or high is None else (max(low, least), min(high, most))
