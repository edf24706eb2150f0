"""Where gradients may have misled the attacks: what marks a model, and which rows are left unranked for it.

Every threshold is here. A record counts the images that show each sign (`Results.signs`); these raise its flags:

    randomised        logits differ from one forward pass to the next, or the verdict does: any image
    zero-gradients    the cross-entropy has a gradient of exactly 0 at an image that is right: `telling`
    square-gain       Square alone broke it, the stage of AutoAttack that uses no gradients: `telling`
    guard             the guard broke it, the suite's own PGDs did not: `telling`
    nonfinite-logits  clean logits are not finite: any image

All but the guard are AutoAttack's own warnings (Croce and Hein 2020, arXiv:2003.01690). Its package warns of a single
zero gradient and of 0.2 % broken by Square alone, one image of 250: so little moves no comparison.

A flag alone changes no number, since every robust accuracy is a worst case already. A row is left unranked in a regime
where more than half of its replicates are misled at one and the same fraction: a replicate counts once, and one that
nobody checked counts as not misled. Each of the first three flags says so by itself. What the guard found says so only
where it exceeds what it found on the baseline's models there by five points: networks that mask nothing lose some
images to ten times the steps as well, under TRADES most, and where all rows lose them alike no comparison moves.
Logits that are not finite are never right, so they hide nothing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark import wording
from benchmark.leaderboard.names import AUTOATTACK, BASELINE
from benchmark.records import Record, Sign
from benchmark.spec import FULL

Label = Callable[[str], str]

IMAGES, SHARE = 3, 0.01  # three images, and one percentage point
MISLED = 0.05  # the share of images that the guard must find beyond the baseline's: half of what planted masking gives

GUARD = "guard"
MEANING = {
    "randomised": "logits differ between two forward passes",
    "zero-gradients": "the gradient of the cross-entropy is exactly 0",
    "square-gain": "broken by Square alone, which uses no gradients",
    GUARD: "broken by the guard's steps and restarts alone",
    "nonfinite-logits": "logits are not finite",
}
MASKING = ("randomised", "zero-gradients", "square-gain", GUARD)
ANY = ("randomised", "nonfinite-logits")  # raised by a single image
_NOTES = {  # what the attacks note, and whether it is a share of the images that are right or of all
    "randomised": ("randomised", False),
    "zero-gradients": ("zero_gradients", True),
    "square-gain": ("square_gain", False),
    "nonfinite-logits": ("nonfinite", False),
}


def telling(sign: Sign) -> bool:
    """Whether these are more than rounding and chance bring about: three images, and one in a hundred."""
    return sign.found >= max(IMAGES, SHARE * sign.of)


def flags(signs: Mapping[str, Sign]) -> tuple[str, ...]:
    """The names of the signs that mark a model."""
    return tuple(flag for flag in MEANING if flag in signs and _raised(flag, signs[flag]))


def _raised(flag: str, sign: Sign) -> bool:
    return sign.found > 0 if flag in ANY else telling(sign)


def counted(notes: Mapping[str, Any], right: NDArray[np.bool_]) -> dict[str, Sign]:
    """The signs that an attack noted on images of which these are right when clean."""
    signs = {}
    for flag, (note, among_right) in _NOTES.items():
        if note in notes:
            of = int(right.sum()) if among_right else right.size
            signs[flag] = Sign(found=round(notes[note] * of), of=of)
    return signs


def joined(found: Iterable[Mapping[str, Sign]]) -> dict[str, Sign]:
    """The signs of several attacks on one model: of each the one that says most."""
    signs: dict[str, Sign] = {}
    for each in found:
        for flag, sign in each.items():
            signs[flag] = max(sign, signs.get(flag, sign), key=lambda s: (telling(s), s.found))
    return signs


def masked_rows(records: Iterable[Record], regime: str) -> dict[str, str]:
    """The rows to leave unranked in a regime, each with the reason: "2 of 3 replicates at 30 % are misled (guard)".

    The full pool is ranked nowhere.
    """
    reasons, rows = {}, _models(records, regime)
    usual = {fraction: _usual(here) for fraction, here in _by_fraction(rows.get(BASELINE, [])).items()}
    for row, models in rows.items():
        parts: list[str] = []
        raised: set[str] = set()
        for fraction, here in _by_fraction(models if row != FULL else []).items():
            misled = [found for model in here if (found := _misled(model, usual.get(fraction, 0.0)))]
            if 2 * len(misled) > len(here):
                replicates = wording.counted(len(here), "replicate")
                parts.append(f"{len(misled)} of {replicates} at {wording.percent(fraction)}")
                raised.update(*misled)
        if parts:
            names = wording.listed([flag for flag in MASKING if flag in raised])
            verb = "is" if len(parts) == 1 and parts[0].startswith("1 ") else "are"
            reasons[row] = f"{wording.listed(parts)} {verb} misled ({names})"
    return reasons


def _by_fraction(models: Iterable[Record]) -> dict[float, list[Record]]:
    found: dict[float, list[Record]] = {}
    for model in sorted(models, key=lambda model: model.factors.fraction):
        found.setdefault(model.factors.fraction, []).append(model)
    return found


def _usual(models: Iterable[Record]) -> float:
    """The share of images that the guard breaks on these models, on average; 0 where it looked at none."""
    shares = [sign.found / sign.of for model in models if (sign := _guarded(model)) and sign.of]
    return sum(shares) / len(shares) if shares else 0.0


def _guarded(model: Record) -> Sign | None:
    return model.results.signs.get(GUARD) if model.results else None


def _misled(model: Record, usual: float) -> set[str]:
    """The signs that gradients mislead the attacks on a model; `usual`, what the guard finds where they do not."""
    found, sign = set(model.flags) & set(MASKING), _guarded(model)
    if sign and sign.found - usual * sign.of < max(IMAGES, MISLED * sign.of):
        found.discard(GUARD)
    return found


def sentences(records: Sequence[Record], regime: str, label: Label = wording.plain) -> list[str]:
    """What a table of this regime has to say: rows left unranked, flags and their rows, and how many were checked."""
    rows = _models(records, regime)
    models = [model for found in rows.values() for model in found]
    checked = sum(map(_checked, models))
    told = [f"{label(row)} is not ranked: {reason}." for row, reason in masked_rows(records, regime).items()]
    for flag in sorted({flag for model in models for flag in model.flags}):
        marked = {row: [model for model in found if flag in model.flags] for row, found in rows.items()}
        raised = [f"{label(row)} ({_extent(some, flag, rows[row])})" for row, some in marked.items() if some]
        meaning = f", {MEANING[flag]}" if flag in MEANING else ""
        told.append(f"Flag {wording.plain(flag)}{meaning}: {wording.listed(raised)}.")
    if not checked:
        return [*told, "Signs of masked gradients were not looked for: neither AutoAttack nor the guard ran here."]
    signs = sum(bool(set(model.flags) & set(MASKING)) for model in models)
    told.append(f"Signs of masked gradients: looked for in {checked:,} of {len(models):,} models, {_some(signs)}.")
    if any(map(_guarded, rows.get(BASELINE, []))):
        usual = wording.fixed(100 * _usual(rows[BASELINE]))
        told.append(
            f"On {label(BASELINE)}'s models the guard breaks a further {usual} % of its images (mean over fractions): "
            "by at least as much the PGDs fall short there."
        )
    return told


def of_cell(record: Record) -> list[str]:
    """A line for each sign that was looked for in one model: "guard: 4 of 100 images, flagged (broken by ...)"."""
    signs = record.results.signs if record.results else {}
    lines = []
    for flag, sign in signs.items():
        raised = ", flagged" if flag in record.flags else ""
        meaning = f" ({MEANING[flag]})" if flag in MEANING else ""
        lines.append(f"{wording.plain(flag)}: {sign.found:,} of {wording.counted(sign.of, 'image')}{raised}{meaning}")
    return lines + [f"{wording.plain(flag)}: flagged" for flag in record.flags if flag not in signs]


def _models(records: Iterable[Record], regime: str) -> dict[str, list[Record]]:
    """The cells of each row that ran in a regime, random draws left out."""
    rows: dict[str, list[Record]] = {}
    for record in records:
        factors = record.factors
        if record.results and factors.regime == regime and not factors.null:
            rows.setdefault(factors.row, []).append(record)
    return rows


def _checked(record: Record) -> bool:
    """Whether AutoAttack or the guard looked; records that count no signs hold AutoAttack's verdicts all the same."""
    results = record.results
    return results is not None and (bool(results.signs) or any(v.attack == AUTOATTACK for v in results.attacks))


def _extent(flagged: Sequence[Record], flag: str, models: Sequence[Record]) -> str:
    """ "2 of 9 checked models, up to 40 of 230 images"."""
    signs = [model.results.signs[flag] for model in flagged if model.results and flag in model.results.signs]
    worst = max(signs, key=lambda sign: sign.found / sign.of if sign.of else 0.0, default=None)
    images = f", up to {worst.found:,} of {wording.counted(worst.of, 'image')}" if worst else ""
    checked = sum(_looked_for(flag, model) for model in models)
    return f"{len(flagged):,} of {wording.counted(checked, 'checked model')}{images}"


def _looked_for(flag: str, model: Record) -> bool:
    """Whether the sign was looked for in this model; records that count no signs name those that they found."""
    counted = model.results.signs if model.results else {}
    return flag in counted or flag in model.flags or (not counted and _checked(model))


def _some(count: int) -> str:
    return f"found in {count:,}" if count else "found in none"
