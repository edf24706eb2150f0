"""A row for each cell and test image: right or wrong when clean and under each attack. Any paired test starts here.

`robust` is right under every attack of the table's robust accuracy, null beyond the images that all cells were attacked
on. `pgd-20@0.1` is one attack at one epsilon, null where it did not run. `level` counts steps of the search for the
smallest epsilon: 0 wrong when clean, one more than `radius_levels` never flipped, else it flipped at `level` times
`radius_step` (both in the table of cells). Failed cells have no rows.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.exports.cells import compared_under
from benchmark.exports.columns import to_parquet
from benchmark.leaderboard.outcomes import Setting, check
from benchmark.records import Record, Results, Verdict, unpack_bits, unpack_levels
from methods.errors import CoresetBenchError

if TYPE_CHECKING:
    import pyarrow

ROWS = 1 << 20  # of a group: a bound on memory, and the least that a reader need read
NAMES: dict[str, Callable[[Record], str]] = {  # columns that repeat few texts
    "cell": lambda record: record.cell,
    "row": lambda record: record.factors.row,
    "regime": lambda record: record.factors.regime,
    "null": lambda record: record.factors.null,
}


def images(records: Sequence[Record]) -> bytes:
    """The table as a Parquet file.

    Raises:
        CoresetBenchError: the records do not belong in one table, or cannot be decoded.
    """
    check(records)
    return to_parquet(_groups(records))


def _groups(records: Sequence[Record]) -> Iterator["pyarrow.Table"]:
    """The table in parts of about `ROWS` rows, at least one."""
    setting_of = compared_under(records)
    attacks = _attacks(records)
    texts = {name: list(dict.fromkeys(map(of, records))) for name, of in NAMES.items()}
    group: list[tuple[Record, Results, Setting]] = []
    rows, written = 0, False
    for record in records:
        if record.results is not None:
            group.append((record, record.results, setting_of(record)))
            rows += record.results.images
        if rows >= ROWS:
            yield _table(group, attacks, texts)
            group, rows, written = [], 0, True
    if group or not written:
        yield _table(group, attacks, texts)


def _attacks(records: Sequence[Record]) -> list[str]:
    """The column of each attack at each epsilon, in the order in which the records bring them up."""
    return list(dict.fromkeys(_column(v) for r in records if r.results for v in r.results.attacks))


def _column(verdict: Verdict) -> str:
    return f"{verdict.attack}@{verdict.epsilon}"


def _table(
    group: Sequence[tuple[Record, Results, Setting]],
    attacks: Sequence[str],
    texts: dict[str, list[str]],
) -> "pyarrow.Table":
    import pyarrow as arrow

    counts = [results.images for _, results, _ in group]

    def repeated(values: Sequence[Any], dtype: Any) -> NDArray[Any]:
        return np.repeat(np.asarray(values, dtype=dtype), counts)

    def named(name: str) -> "pyarrow.Array":
        places = {text: place for place, text in enumerate(texts[name])}
        indices = repeated([places[NAMES[name](record)] for record, _, _ in group], np.int32)
        return arrow.DictionaryArray.from_arrays(indices, arrow.array(texts[name], arrow.string()))

    columns: dict[str, pyarrow.Array] = {
        "cell": named("cell"),
        "row": named("row"),
        "fraction": arrow.array(repeated([record.factors.fraction for record, _, _ in group], np.float64)),
        "regime": named("regime"),
        "replicate": arrow.array(repeated([record.factors.replicate for record, _, _ in group], np.int32)),
        "null": named("null"),
        "image": arrow.array(np.concatenate([np.arange(n, dtype=np.int32) for n in (0, *counts)])),
    }
    decoded = [_decoded(*cell) for cell in group]
    for name in ("clean", "robust", *attacks):
        columns[name] = _joined([found.get(name) for found in decoded], counts, np.bool_)
    columns["level"] = _joined([found.get("level") for found in decoded], counts, np.uint8)
    return arrow.table(columns)


def _decoded(record: Record, results: Results, setting: Setting) -> dict[str, NDArray[Any]]:
    """The outcomes of one cell by column, each of the first so many images."""
    try:
        found: dict[str, NDArray[Any]] = {"clean": results.clean_bits()}
        if setting.primary is not None:
            robust = results.robust_bits(setting.primary, setting.attacks, setting.images)
            if robust is not None:
                found["robust"] = robust
        for verdict in results.attacks:
            found[_column(verdict)] = _both(found.get(_column(verdict)), verdict)
        if results.radii.images:
            found["level"] = unpack_levels(results.radii.codes).astype(np.uint8)
    except (ValueError, zlib.error) as error:
        raise CoresetBenchError(f"The outcomes of cell {record.cell} cannot be decoded ({error}).") from None
    return found


def _both(known: NDArray[np.bool_] | None, verdict: Verdict) -> NDArray[np.bool_]:
    """An attack's verdict; where a record has two of the same attack, the worst of them."""
    bits = unpack_bits(verdict.bits, verdict.images)
    if known is None:
        return bits
    longer, shorter = (known, bits) if len(known) >= len(bits) else (bits, known)
    worst = longer.copy()
    worst[: len(shorter)] &= shorter
    return worst


def _joined(parts: Sequence[NDArray[Any] | None], counts: Sequence[int], dtype: Any) -> "pyarrow.Array":
    """One column of several cells, null where a cell's values end before its images."""
    import pyarrow as arrow

    total = sum(counts)
    values, absent, start = np.zeros(total, dtype), np.ones(total, np.bool_), 0
    for part, count in zip(parts, counts, strict=True):
        if part is not None:
            stop = start + min(len(part), count)
            values[start:stop], absent[start:stop] = part[:count], False
        start += count
    return arrow.array(values, mask=absent if absent.any() else None)
