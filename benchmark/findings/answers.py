"""The paper's claims as a finding states them: an answer with its interval, refused where its verdict is another."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmark.claims import telling
from benchmark.claims.answers import Answer, Asked
from benchmark.claims.page import counted
from benchmark.claims.questions import NOT_SUPPORTED, SUPPORTED, UNDECIDED, Verdict
from benchmark.findings.statements import Refuse
from methods.errors import UsageError, unknown


@dataclass(frozen=True)
class Claims:
    """All questions and their answers, which are named by question, suite and case, as in `results/claims.md`."""

    asked: Sequence[Asked]
    refuse: Refuse

    @property
    def counted(self) -> str:
        """ "30 questions, 80 answers: 40 supported, 20 not supported and 20 undecided"."""
        return counted(self.asked)

    def count(self, verdict: Verdict, suite: str | None = None) -> int:
        """The answers of this verdict, in all suites or in one."""
        if verdict not in (SUPPORTED, NOT_SUPPORTED, UNDECIDED):
            raise unknown("verdict", verdict, (SUPPORTED, NOT_SUPPORTED, UNDECIDED))
        answers = [answer for asked in self.asked for answer in asked.answers]
        return sum(answer.verdict == verdict and suite in (None, answer.suite) for answer in answers)

    def supported(self, question: str, suite: str, case: str = "") -> str:
        """ "−0.62 (ρ), −0.66 to −0.58"; refused unless the verdict is this one."""
        return self._stated(question, suite, case, SUPPORTED)

    def not_supported(self, question: str, suite: str, case: str = "") -> str:
        """Likewise."""
        return self._stated(question, suite, case, NOT_SUPPORTED)

    def undecided(self, question: str, suite: str, case: str = "") -> str:
        """Likewise."""
        return self._stated(question, suite, case, UNDECIDED)

    def _stated(self, question: str, suite: str, case: str, verdict: Verdict) -> str:
        asked, answer = self._found(question, suite, case)
        unit = asked.question.unit
        text = telling.amount(answer.value, unit)
        text += ", no interval" if answer.low is None else f", {telling.interval(answer, unit)}"
        if answer.verdict != verdict:
            place = ", ".join(filter(None, (suite, case)))
            self.refuse(f"'{question}' is {answer.verdict} on {place} ({text})")
        return text

    def _found(self, question: str, suite: str, case: str) -> tuple[Asked, Answer]:
        asked = next((asked for asked in self.asked if asked.question.id == question), None)
        if asked is None:
            raise unknown("question", question, [asked.question.id for asked in self.asked])
        for answer in asked.answers:
            if (answer.suite, answer.case) == (suite, case):
                return asked, answer
        places = "; ".join(f"'{answer.suite}', '{answer.case}'" for answer in asked.answers)
        raise UsageError(f"'{question}' has no answer from '{suite}', '{case}'; it has these: {places or 'none'}.")
