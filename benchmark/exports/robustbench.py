"""Entries in the layout of RobustBench's `model_info`, one for each trained model that met AutoAttack.

Layout and spelling as in github.com/RobustBench/robustbench (`model_info/cifar10/Linf`, `robustbench/utils.py`):
accuracies are percentages as text, to two decimals; `external` is what a stronger evaluation leaves where it leaves
less; `unreliable` says that gradients may have misled the attack. What records do not say is null: no paper, venue or
authors stand behind a model that a benchmark trained. RobustBench prints names and footnotes as HTML, so they are
escaped.

Clean accuracy is over the images that AutoAttack saw, as RobustBench has it; the footnote says which they are.
"""

import binascii
import html
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmark import wording
from benchmark.exports.names import Names
from benchmark.leaderboard.masking import MASKING
from benchmark.leaderboard.names import AUTOATTACK
from benchmark.leaderboard.outcomes import check
from benchmark.records import Factors, Record, Results, Verdict, unpack_bits
from benchmark.spec import FULL, UNIFORM
from methods.errors import CoresetBenchError


def files(records: Sequence[Record]) -> Mapping[str, str]:
    """The content of each entry by its path under `model_info`; none where no model met AutoAttack.

    Raises:
        CoresetBenchError: the records do not belong in one table, or cannot be decoded.
    """
    check(records)
    names, found = Names(), {}
    for record, verdict in _attacked(records):
        factors = record.factors
        folder = f"{Names().fresh(factors.dataset)}/{factors.threat}"
        found[f"{folder}/{names.fresh(record.cell)}.json"] = json.dumps(entry(record, verdict), indent=2) + "\n"
    return found


def _attacked(records: Sequence[Record]) -> Iterator[tuple[Record, Verdict]]:
    for record in records:
        for verdict in record.results.attacks if record.results else ():
            if verdict.attack == AUTOATTACK:
                yield record, verdict


def entry(record: Record, verdict: Verdict) -> dict[str, Any]:
    """The entry of one model under AutoAttack at one epsilon."""
    factors, results = record.factors, record.results
    assert results is not None  # it met an attack
    try:
        clean = results.clean_bits()
        robust = unpack_bits(verdict.bits, verdict.images)
        worst = results.worst_case(verdict.epsilon, verdict.images)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise CoresetBenchError(f"The outcomes of cell {record.cell} cannot be decoded ({error}).") from None
    stronger = {"external": _percent(worst)} if worst.sum() < robust.sum() else {}
    return {
        "link": None,
        "name": _escaped(_name(factors)),
        "authors": None,
        "additional_data": False,
        "number_forward_passes": 1,
        "dataset": _escaped(factors.dataset),
        "venue": None,
        "architecture": _escaped(factors.model),
        "eps": wording.radius(verdict.epsilon),
        "clean_acc": _percent(clean[: verdict.images]),
        "reported": None,
        "autoattack_acc": _percent(robust),
        **stronger,
        "footnote": "<br>".join(map(_escaped, _footnote(record, results, verdict, clean, bool(stronger)))),
        "unreliable": _unreliable(record, results),
    }


def _name(factors: Factors) -> str:
    """Row, part of the training images, regime and replicate: what tells the model from all others of its suite."""
    row, what = factors.row, f"{wording.percent(factors.fraction)} of {factors.pool:,} training images"
    if factors.null:
        row = "random draw" if factors.null == UNIFORM else f"random draw with the class counts of {factors.null}"
    if factors.row == FULL:
        row, what = "full data", f"all {factors.pool:,} training images"
    elif factors.track == "dynamic":
        share = "its own share" if factors.own_budget else wording.percent(factors.fraction)
        what = f"{share} of the presentations of {factors.pool:,} training images"
    kind = "draw" if factors.null else "replicate"
    return f"{row}, {what}, {wording.regime(factors.regime)}, {kind} {factors.replicate}"


def _footnote(
    record: Record, results: Results, verdict: Verdict, clean: NDArray[np.bool_], stronger: bool
) -> Iterator[str]:
    """What an accuracy of this layout would otherwise hide."""
    factors = record.factors
    part = " (a part of the test split)" if factors.dataset_spec.test else ""
    if verdict.images < results.images:
        yield (
            f"Accuracies on the first {verdict.images:,} of {results.images:,} test images{part}; "
            f"clean on all of them: {_percent(clean)} %."
        )
    else:
        yield f"Accuracies on {results.images:,} test images{part}."
    if verdict.omitted:
        yield f"AutoAttack without {wording.listed(list(verdict.omitted))}."
    if stronger:
        yield "External: the worst case over all that was run at this radius or a smaller one, on the same images."
    flags = [flag for flag in record.flags if flag in MASKING]
    if flags:
        yield f"Flagged: {wording.listed(flags)}."


def _unreliable(record: Record, results: Results) -> bool | None:
    """Whether gradients may have misled the attack; None where nobody looked."""
    if set(record.flags) & set(MASKING):
        return True
    return False if results.signs else None


def _percent(bits: NDArray[np.bool_]) -> str:
    """A share in percent to two decimals, as RobustBench spells it: "92.44", "0.0"."""
    return str(round(100 * float(bits.mean()), 2))


def _escaped(text: str) -> str:
    return html.escape(wording.plain(text), quote=False)
