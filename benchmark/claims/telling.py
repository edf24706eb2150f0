"""Answers in words: amounts in their units, intervals, the rule of a verdict, and one sentence for each answer."""

from benchmark import wording
from benchmark.claims.answers import Answer
from benchmark.claims.questions import NOT_SUPPORTED, UNDECIDED, Question, Unit
from benchmark.stats import CONFIDENCE

_DIGITS: dict[Unit, int] = {"Spearman's rho": 2, "pixels": 4, "lengths": 2, "per length": 2}
_SCALE: dict[Unit, int] = {"points": 100, "share": 100}
_SUFFIX: dict[Unit, str] = {
    "points": " points",
    "share": " %",
    "pixels": " pixels",
    "segments": " segments",
    "lengths": " lengths",
    "per length": " per length",
    "ratio": " times",
}


def amount(value: float, unit: Unit) -> str:
    """A value with its sign, where it may have either, and its unit: "+3.1 points", "−0.62 (ρ)", "37.5 %"."""
    return number(value, unit) + (" (ρ)" if unit == "Spearman's rho" else _SUFFIX.get(unit, ""))


def number(value: float, unit: Unit) -> str:
    """The same without its unit."""
    if unit == "ratio":
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    text = wording.fixed(value * _SCALE.get(unit, 1), _DIGITS.get(unit, 1))
    if not text.strip("−0."):
        return text.lstrip("−")
    return text if unit == "share" or text.startswith("−") else f"+{text}"


def threshold(value: float, unit: Unit) -> str:
    """A declared number: "0", "1 point", "−0.1", "50 %"."""
    text = f"{round(value * _SCALE.get(unit, 1), 9) + 0.0:g}".replace("-", "−")
    one = unit == "points" and text.lstrip("−") == "1"
    return text + ("" if text == "0" else " point" if one else _SUFFIX.get(unit, ""))


def interval(answer: Answer, unit: Unit) -> str:
    """ "−0.4 to +10.4"."""
    if answer.low is None or answer.high is None:
        return wording.ABSENT
    return f"{number(answer.low, unit)} to {number(answer.high, unit)}"


def verdict(answer: Answer) -> str:
    """The verdict as Markdown: bold where there is one."""
    if answer.low is None:
        return f"{UNDECIDED}: {wording.counted(answer.replicates, 'replicate')}"
    return answer.verdict if answer.verdict == UNDECIDED else f"**{answer.verdict}**"


def rule(question: Question) -> str:
    """What the interval has to be for either verdict."""
    unit = question.unit
    beyond, short = (threshold(value, unit) for value in (question.beyond, question.short))
    side = "below" if question.lower else "above"
    return f"Supported: the whole interval lies {side} {beyond}. Not supported: none of it lies {side} {short}."


def sentence(question: Question, answer: Answer) -> str:
    """The answer with all that belongs to it, the scale in its verdict, as Markdown."""
    case = f", {wording.markdown(answer.case)}" if answer.case else ""
    said = f"**{answer.verdict.capitalize()} on {wording.markdown(str(answer.scale))}{case}:** "
    said += amount(answer.value, question.unit) + _choice(question, answer)
    if answer.low is None:
        few = wording.counted(answer.replicates, "replicate")
        said += f"; {few}, too few for an interval"
    else:
        ends = f"{100 * CONFIDENCE:g} % interval {interval(answer, question.unit)}"
        said += f"; {ends}, {wording.counted(answer.replicates, 'replicate')}"
    said += f" ({_conditions(answer)})."
    return " ".join([said, *_remarks(question, answer)])


def _choice(question: Question, answer: Answer) -> str:
    """Which cell it was, and of how many."""
    if answer.chosen is None:
        return ""
    other = wording.markdown(answer.chosen.other)
    if answer.chosen.fraction is None:
        return f" against {other}, the least of {len(answer.cells)} differences"
    fractions = len({cell.fraction for cell in answer.cells})
    at = wording.percent(answer.chosen.fraction)
    return f" against {other} at {at}, the largest of {fractions} fractions and so likely too large"


def _conditions(answer: Answer) -> str:
    """What it was measured by, as Markdown."""
    told = [f"suite {answer.suite}"]
    if answer.setting is not None:
        setting = answer.setting
        told += [wording.clock(setting.recipe), f"ε = {wording.radius(setting.primary)}"]
        told += [f"{wording.attacks(setting.attacks)} on {setting.images:,} images"]
    if answer.measurement is not None:
        told += [f"{name}: {fact(value)}" for name, value in answer.measurement.facts.items()]
    return wording.markdown(", ".join(told))


def fact(value: float | int | str) -> str:
    """A fact beside a measurement: three figures, or as many as a whole number has."""
    if isinstance(value, float):
        return f"{round(value, 9):.3g}".replace("-", "−")
    return f"{value:,}" if isinstance(value, int) else value


def _remarks(question: Question, answer: Answer) -> list[str]:
    """What a verdict alone might mislead about."""
    remarks = []
    margin = threshold(abs(question.short), question.unit)
    if answer.verdict == NOT_SUPPORTED and answer.low is not None and answer.high is not None and question.beyond == 0:
        if answer.high < question.beyond if question.lower else answer.low > question.beyond:
            remarks.append(f"On the claim's side, but by less than {margin}.")
        elif abs(question.short) > max(abs(answer.low), abs(answer.high)):
            remarks.append(f"Less than {margin} apart, either way.")
    if answer.needed:
        remarks.append(f"If it is as large as it looks, some {answer.needed:,} replicates would tell it from 0.")
    if answer.left_out:
        rows = wording.listed([wording.markdown(row) for row in answer.left_out])
        remarks.append(f"Left out, as cells are missing or gradients mislead: {rows}; so it cannot be supported.")
    return remarks
