"""The table of cells: every record once, every rate as the tables have it, one set of columns whatever the values."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest

from benchmark.exports.cells import cells
from benchmark.exports.columns import Column, to_csv, to_parquet, to_table
from benchmark.leaderboard.outcomes import frame
from benchmark.records import Record
from methods.errors import CoresetBenchError
from tests.exports.samples import FAILURE, HOSTILE, dynamic, suite
from tests.factories import bits, declared, record, robust


def read(records: list[Record]) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(to_csv(cells(records))), keep_default_na=False, na_values={"clean": [""]})


def columns(records: list[Record]) -> dict[str, Column]:
    return {column.name: column for column in cells(records)}


@pytest.mark.parametrize("records", [suite(), dynamic()], ids=["static", "dynamic"])
def test_rates_are_those_of_the_tables(records: list[Record]) -> None:
    found, wanted = columns(records), frame(records)
    kept = [i for i, record in enumerate(records) if record.results and not record.factors.null]
    compared = [name for name in wanted if name in found]
    assert {"clean", "robust", "robust@0.1", "worst_class", "median_epsilon", "presented"} <= set(compared)
    for name in compared:
        values = [found[name].values[i] for i in kept]
        for value, other in zip(values, wanted[name], strict=True):
            assert value == other or (value is None and (pd.isna(other) or name == "presented")), name


def test_every_record_has_a_row_and_a_failed_one_says_why() -> None:
    records = suite()
    table = read(records)
    assert list(table["cell"]) == [record.cell for record in records]
    failed = table[table["status"] == "failed"]
    assert list(failed["failure"]) == [FAILURE]
    assert list(failed["failed_stage"]) == ["training"]
    assert failed["clean"].isna().all()
    assert set(failed["robust"]) == {""}


def test_hostile_names_come_back_as_they_were() -> None:
    table = read(suite())
    assert HOSTILE in set(table["row"])
    assert [HOSTILE in json.loads(flags) for flags in table["flags"]].count(True) == 1


def test_parquet_and_csv_hold_the_same() -> None:
    found = cells(suite())
    table = parquet.read_table(io.BytesIO(to_parquet([to_table(found)])))
    assert table.column_names == [column.name for column in found]
    assert all(table[column.name].to_pylist() == list(column.values) for column in found)
    assert table.schema.metadata is None  # no versions, no times
    lines = to_csv(found).decode()
    again = pd.read_csv(io.StringIO(lines))
    numbers = [column.name for column in found if column.kind in ("int", "float")]
    for name in numbers:
        wanted = np.array([np.nan if v is None else v for v in table[name].to_pylist()], dtype=float)
        assert np.array_equal(again[name].to_numpy(dtype=float), wanted, equal_nan=True), name


def test_the_columns_do_not_hang_on_what_the_values_are() -> None:
    """Records that say nothing of work and calibration have these columns all the same, empty and of their type."""
    table = to_table(cells(suite()))
    for name, kind in (("work.alone", "int64"), ("work.shared", "double"), ("calibration.images", "int64")):
        assert str(table.schema.field(name).type) == kind
        assert table[name].null_count == len(table)
    assert str(table.schema.field("recipe.lr").type) == "double"
    assert str(table.schema.field("reads_select").type) == "bool"
    assert json.loads(table["seeds.proxies"][1].as_py()) == [1]


def test_a_random_draw_is_measured_by_the_attacks_that_it_shares_with_rows() -> None:
    attacked = {("pgd-20", 0.1): bits(40, 100), ("margin-pgd-20", 0.1): bits(30, 100)}
    rows = [record("random", 0.3, "standard", r, clean=bits(90, 100), attacked=attacked) for r in range(3)]
    draw = robust(55, "null:uniform", 0.3, null="uniform", method="random")
    both = declared(rows, suite_nulls=1) + declared([draw], suite_nulls=1, suite_replicates=3, suite_cells=3)
    found = columns(both)
    assert found["robust"].values == [0.3, 0.3, 0.3, 0.55]
    assert [json.loads(each) for each in found["attacks"].values][-2:] == [["pgd-20", "margin-pgd-20"], ["pgd-20"]]


def test_a_draw_that_met_no_attack_of_the_rows_has_no_robust_accuracy() -> None:
    rows = [robust(50, "random", 0.3, "standard", r) for r in range(3)]
    draw = record("null:uniform", 0.3, null="uniform", attacked={("other", 0.1): bits(5, 10)})
    both = declared(rows, suite_nulls=1) + declared([draw], suite_nulls=1, suite_replicates=3, suite_cells=3)
    found = columns(both)
    assert found["robust"].values[-1] is None
    assert found["clean"].values[-1] == 0.8
    assert found["attacked"].values[-1] == 0


def test_the_worst_case_counts_everything_that_was_run() -> None:
    found = columns(suite())
    place = [i for i, r in enumerate(suite()) if r.results and any(v.images == 5 for v in r.results.attacks)]
    (strong,) = place
    assert found["worst_case"].values[strong] == 2 / 5  # PGD breaks image 2, AutoAttack 3 and 4
    assert found["worst_case_images"].values[strong] == 5


def test_costs_and_keys_have_a_column_for_each_stage() -> None:
    from benchmark.records import Cost

    cost = Cost(seconds={"train": 1.5}, forward=10, backward=5, peak_bytes=7)
    one = robust(50, "random", 0.3, "standard", 0, cost=cost).model_copy(update={"keys": {"model": "ab"}})
    found = columns(declared([one, robust(50, "easycore", 0.3, "standard", 0)]))
    assert found["seconds:train"].values == [1.5, None]
    assert found["key:model"].values == ["ab", None]
    assert found["cost.forward"].values == [10, 0]


def test_a_number_of_more_than_64_bits_is_refused_in_words() -> None:
    with pytest.raises(CoresetBenchError, match=r"The column 'seeds\.attack' cannot be written"):
        to_table([Column("seeds.attack", "int", [2**70])])


def test_no_records_are_one_sentence() -> None:
    nothing: list[Any] = []
    with pytest.raises(CoresetBenchError, match="There are no records"):
        cells(nothing)
