"""What a question is: a claim, what is measured for it, and the rule of its verdict. `questions.toml` declares them.

With the confidence interval of the answer, adjusted where it is chosen from several cells (`bounds`), the verdict is

    not supported  where no part of the interval lies beyond `short`,
    supported      else, where the whole interval lies beyond `beyond`,
    undecided      else, and without an interval.

For a claim of being better `beyond` is 0 and `short` the margin: what is surely better, but surely by less than the
margin, is no support.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, model_validator

from benchmark.spec import Spec

Verdict = Literal["supported", "not supported", "undecided"]
Unit = Literal["points", "Spearman's rho", "pixels", "segments", "lengths", "per length", "share", "ratio"]
Objective = Literal["standard", "trades"]

SUPPORTED: Verdict = "supported"
NOT_SUPPORTED: Verdict = "not supported"
UNDECIDED: Verdict = "undecided"

_FILE = Path(__file__).with_name("questions.toml")


class Comparison(Spec):
    """One row against others in a leaderboard's cells: paired differences of a metric, in shares of 1.

    others      rows
    some        those of the others that the suite has, where it has any
    every       all other methods of the suite instead: rows that name no policy but that of CCS (`@stratified`) and no
                proxy but the standard one, and whose method does not rank by AIGN
    methods     methods each row of which is one of the others; where the suite has none, those of a dynamic suite of
                the same setting
    matched     random coresets with the first row's own class counts instead, where the suite has drawn them
    objectives  the trainings in which it is asked
    over        mean: of each row the mean over the suite's fractions, and the least of these differences;
                largest: at each fraction the least difference, and the largest of these
    """

    first: str = "easycore"
    others: tuple[str, ...] = ()
    some: bool = False
    every: bool = False
    methods: tuple[str, ...] = ()
    matched: bool = False
    objectives: tuple[Objective, ...] = ("standard", "trades")
    metric: Literal["robust", "clean", "worst_class"] = "robust"
    over: Literal["mean", "largest"] = "mean"


class Question(Spec):
    """A claim put to the test.

    Thresholds are in the unit of what is measured; a point is 0.01. `lower`: less of it speaks for the claim, and so an
    interval beyond a threshold lies below it. Without `compare` the answers are measurements with the question's id.
    """

    id: str
    topic: str
    asks: str
    claim: str  # the paper's, in other words, and where it stands; or that it stands nowhere
    measures: str
    unit: Unit = "points"
    beyond: float = 0.0
    short: float = 0.01
    lower: bool = False
    compare: Comparison | None = None

    @model_validator(mode="after")
    def _check(self) -> "Question":
        if (self.compare is not None) != (self.unit == "points"):
            raise ValueError(f"question '{self.id}': points, and no other unit, are of comparisons")
        return self

    def verdict(self, low: float | None, high: float | None) -> Verdict:
        """What an interval says; None: there is none."""
        if low is None or high is None:
            return UNDECIDED
        if low >= self.short if self.lower else high <= self.short:
            return NOT_SUPPORTED
        return SUPPORTED if (high < self.beyond if self.lower else low > self.beyond) else UNDECIDED


@cache
def questions() -> tuple[Question, ...]:
    """Every question, in the order of the page."""
    declared = tomllib.loads(_FILE.read_text(encoding="utf-8"))["question"]
    return TypeAdapter(tuple[Question, ...]).validate_python(declared)
