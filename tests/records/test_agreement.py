"""A published record held against what is at hand."""

from pathlib import Path

import pytest

from benchmark.agreement import described, of_stages, of_verdicts
from benchmark.records import read_record, write_records
from tests.factories import bits, record, results

CLEAN = bits(8, 10)
ATTACKED = {("pgd-20", 0.1): bits(6, 10), ("autoattack", 0.1): bits(2, 4)}


def test_a_record_is_told_by_its_rates() -> None:
    cell = record("x", 0.1, clean=CLEAN, attacked=ATTACKED)
    assert described(cell) == "clean 80.0 %; ε = 0.1: pgd-20 60.0 %, autoattack 50.0 % of the first 4 images"
    assert described(record("x", 0.1, failure="diverged.")) == "failed: diverged."


def test_other_keys_are_another_version() -> None:
    cell = record("x", 0.1, clean=CLEAN).model_copy(update={"keys": {"coreset": "a", "model": "b"}})
    assert of_stages(cell, {"coreset": "a", "model": "b", "pgd": "c"}).startswith("It was made from the stages above")
    assert of_stages(cell, {"coreset": "a", "model": "c"}).startswith(
        "Its model has another key: it was made by anothe"
    )
    assert of_stages(cell, {}).startswith("Its coreset and model have other keys")


def test_verdicts_are_compared_image_by_image_where_both_saw_them() -> None:
    one = results(CLEAN, ATTACKED)
    assert of_verdicts(one, one) == "What this store holds agrees with it on all 24 verdicts."
    moved = {("pgd-20", 0.1): [False, *bits(6, 10)[1:]], ("autoattack", 0.1): bits(2, 3), ("pgd-20", 0.2): bits(1, 10)}
    assert of_verdicts(one, results(CLEAN, moved)) == (
        "What this store holds differs from it in the verdicts on images: 1 of 10 by pgd-20 at 0.1."
    )
    assert "1 of 10 by clean accuracy" in of_verdicts(one, results(bits(9, 10), ATTACKED))


@pytest.mark.parametrize("row", ["x", "odd “row”"])
def test_one_record_is_read_without_the_others(row: str, tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    cells = [record(name, 0.1, clean=CLEAN, attacked=ATTACKED) for name in ("random", row)]
    write_records(path, cells)
    assert read_record(path, cells[1].cell) == cells[1]
    assert read_record(path, cells[1].cell[:-1]) is None
    path.write_text(path.read_text().replace('"schema_version":1', '"schema_version":9', 1))
    assert read_record(path, cells[1].cell) == cells[1]  # another line is damaged
