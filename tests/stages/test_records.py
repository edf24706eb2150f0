"""Records survive packing and the file; the worst case is that of the same images under the same attacks."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmark.records import pack_bits, pack_levels, read_records, unpack_bits, unpack_levels, write_records
from methods.errors import CoresetBenchError
from tests.factories import PRIMARY, bits, record, results, robust


@given(st.lists(st.booleans(), max_size=70))
def test_bits_survive_packing(flags: list[bool]) -> None:
    assert unpack_bits(pack_bits(np.array(flags, dtype=bool)), len(flags)).tolist() == flags


@given(st.lists(st.integers(0, 255), max_size=70))
def test_levels_survive_packing(levels: list[int]) -> None:
    assert unpack_levels(pack_levels(np.array(levels, dtype=np.int64))).tolist() == levels


def test_records_survive_the_file(tmp_path: Path) -> None:
    records = [robust(40), robust(30, "el2n"), record("loss", failure="no | memory\n")]
    write_records(tmp_path / "records.jsonl", records)
    assert read_records(tmp_path / "records.jsonl") == records


@pytest.mark.parametrize("cut", [lambda line: line[:-20], lambda line: "", lambda line: line.replace('"ok"', '"fine"')])
def test_a_malformed_line_is_named(tmp_path: Path, cut: Callable[[str], str]) -> None:
    path = tmp_path / "records.jsonl"
    write_records(path, [robust(40, replicate=i) for i in range(3)])
    text = path.read_text().splitlines()
    text[1] = cut(text[1])
    path.write_text("\n".join(text))
    with pytest.raises(CoresetBenchError, match="line 2 is not a record of schema 1") as caught:
        read_records(path)
    assert "\n" not in str(caught.value)


def test_the_worst_case_leaves_out_attacks_that_saw_fewer_images() -> None:
    """An AND over a part of the images would be no one's robust accuracy."""
    weak, strong = bits(8, 10), [False] * 4
    found = results(bits(9, 10), {("pgd-20", PRIMARY): weak, ("autoattack", PRIMARY): strong})
    cases = {
        (None, None): weak,
        (None, 10): weak,
        (None, 4): strong,
        (("pgd-20",), 4): [True] * 4,
        (("autoattack",), None): strong,
        (("autoattack",), 10): None,
        (("fgsm",), None): None,
    }
    for (attacks, images), kept in cases.items():
        robust_bits = found.robust_bits(PRIMARY, attacks, images)
        assert (robust_bits if robust_bits is None else robust_bits.tolist()) == kept
    assert found.robust_bits(0.05) is None
