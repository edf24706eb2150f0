"""A published record beside the code and the store at hand: the same stages, the same verdicts?"""

from collections.abc import Iterator, Mapping

import numpy as np

from benchmark import wording
from benchmark.records import Record, Results, unpack_bits


def described(record: Record) -> str:
    """ "clean 77.2 %; ε = 0.17: pgd-20 39.2 %, margin-pgd-20 38.8 %, autoattack 38.4 % of the first 250 images"."""
    if not record.results:
        return f"failed: {record.failure.message}" if record.failure else "failed."
    results, parts = record.results, []
    for epsilon in dict.fromkeys(verdict.epsilon for verdict in results.attacks):
        rates = [
            f"{verdict.attack} {_percent(unpack_bits(verdict.bits, verdict.images))}"
            + (f" of the first {verdict.images:,} images" if verdict.images < results.images else "")
            for verdict in results.attacks
            if verdict.epsilon == epsilon
        ]
        parts.append(f"ε = {wording.radius(epsilon)}: {', '.join(rates)}")
    return "; ".join([f"clean {_percent(results.clean_bits())}", *parts])


def of_stages(record: Record, keys: Mapping[str, str]) -> str:
    """Whether the record was made from the stages of these keys: by this code, this suite and these data."""
    other = [name for name, key in record.keys.items() if keys.get(name) != key]
    if not other:
        return "It was made from the stages above: the same suite, data and code."
    have = "has another key" if len(other) == 1 else "have other keys"
    return (
        f"Its {wording.listed(other, limit=20)} {have}: it was made by another version of the code or the suite, or "
        "from other data, which a rerun does not repeat."
    )


def of_verdicts(published: Results, here: Results) -> str:
    """On how many verdicts two runs of a cell agree."""
    found = list(_differences(published, here))
    if not found:
        return "What this store holds has no verdict in common with it."
    differing = [f"{count:,} of {total:,} by {name}" for name, count, total in found if count]
    if not differing:
        return f"What this store holds agrees with it on all {sum(total for *_, total in found):,} verdicts."
    return f"What this store holds differs from it in the verdicts on images: {wording.listed(differing, limit=20)}."


def _differences(one: Results, other: Results) -> Iterator[tuple[str, int, int]]:
    """Each judgement that both hold: its name, the images on which they differ, and those that both saw."""
    if one.images == other.images:
        yield "clean accuracy", int((one.clean_bits() != other.clean_bits()).sum()), one.images
    theirs = {(verdict.attack, verdict.epsilon): verdict for verdict in other.attacks}
    for own in one.attacks:
        if verdict := theirs.get((own.attack, own.epsilon)):
            seen = min(own.images, verdict.images)
            bits = (unpack_bits(each.bits, each.images)[:seen] for each in (own, verdict))
            yield f"{own.attack} at {wording.radius(own.epsilon)}", int(np.not_equal(*bits).sum()), seen


def _percent(bits: np.ndarray) -> str:
    return f"{wording.fixed(100 * float(bits.mean()))} %"
