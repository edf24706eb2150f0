"""The table of images: every bit of the records, and enough for anyone to do a paired test again."""

import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as parquet
import pytest

from benchmark.exports import images as module
from benchmark.exports.images import images
from benchmark.leaderboard.standings import regime_standings
from benchmark.records import Radii, Record, pack_bits, pack_levels, unpack_bits
from benchmark.stats import paired_difference
from methods.errors import CoresetBenchError
from tests.exports.samples import HOSTILE, counted, strong, suite
from tests.factories import declared, record


def read(records: list[Record]) -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(images(records)))


def test_bits_are_those_of_the_records() -> None:
    records = suite()
    table = read(records)
    for each in records:
        lines = table[table["cell"] == each.cell]
        if each.results is None:
            assert lines.empty
            continue
        assert list(lines["image"]) == list(range(each.results.images))
        assert np.array_equal(lines["clean"], each.results.clean_bits())
        for verdict in each.results.attacks:
            column = lines[f"{verdict.attack}@{verdict.epsilon}"]
            seen = unpack_bits(verdict.bits, verdict.images)
            assert column[: verdict.images].tolist() == seen.tolist()
            assert column[verdict.images :].isna().all()


def test_levels_are_the_codes_and_absent_where_nobody_searched() -> None:
    searched = record("random", 0.3, "standard", 0, codes=[7, 6, 5, 4, 3, 2, 1, 1, 0, 0])
    other = record("easycore", 0.3, "standard", 0)
    assert other.results is not None
    none = Radii(step=0.0, levels=0, images=0, codes=pack_levels(np.zeros(0, np.uint8)))
    other = other.model_copy(update={"results": other.results.model_copy(update={"radii": none})})
    table = read(declared([searched, other]))
    assert table["level"][:10].tolist() == [7, 6, 5, 4, 3, 2, 1, 1, 0, 0]
    assert table["level"][10:].isna().all()


def test_a_paired_test_can_be_done_again() -> None:
    records = counted()
    robust = read(records).groupby(["row", "replicate", "fraction"], observed=True)["robust"].mean().unstack()
    means = robust.mean(axis=1).unstack("row")
    regime = regime_standings(records)[0]
    wanted = regime.difference("robust", "easycore", "random")
    step = 1 / (100 * 2)
    assert paired_difference(means["easycore"].to_numpy(), means["random"].to_numpy(), step=step) == wanted


def test_groups_of_rows_change_nothing_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    records = suite()
    whole = images(records)
    monkeypatch.setattr(module, "ROWS", 25)
    parts = images(records)
    assert parquet.ParquetFile(io.BytesIO(whole)).num_row_groups == 1
    assert parquet.ParquetFile(io.BytesIO(parts)).num_row_groups == 13  # 37 cells that ran, three in each
    assert pd.read_parquet(io.BytesIO(parts)).equals(pd.read_parquet(io.BytesIO(whole)))


def test_the_same_records_give_the_same_bytes() -> None:
    assert images(suite()) == images(suite())
    assert set(parquet.ParquetFile(io.BytesIO(images(suite()))).metadata.metadata or {}) <= {b"ARROW:schema"}


def test_bits_take_a_bit() -> None:
    columns: Any = parquet.ParquetFile(io.BytesIO(images(suite()))).schema_arrow
    assert {str(columns.field(name).type) for name in ("clean", "robust", "pgd-20@0.1", "autoattack@0.1")} == {"bool"}
    assert str(columns.field("level").type) == "uint8"
    assert HOSTILE in set(read(suite())["row"])


def test_where_every_cell_failed_there_are_columns_and_no_rows() -> None:
    table = read(declared([record("random", 0.3, "standard", r, failure="no memory") for r in range(3)]))
    assert len(table) == 0
    assert {"cell", "image", "clean", "robust", "level"} <= set(table.columns)


def test_two_verdicts_of_one_attack_are_its_worst_case() -> None:
    found = strong("random", 0.3, "standard", 0)
    assert found.results is not None
    first = found.results.attacks[1]
    again = first.model_copy(update={"images": 4, "bits": pack_bits(np.array([False, True, True, False]))})
    attacks = (*found.results.attacks, again)
    both = found.model_copy(update={"results": found.results.model_copy(update={"attacks": attacks})})
    assert read(declared([both]))["pgd-20@0.1"].tolist() == [False, True, False, False, *[True] * 3, *[False] * 3]


def test_bits_that_cannot_be_decoded_name_their_cell() -> None:
    found = record("random", 0.3, "standard", 0)
    assert found.results is not None
    broken = found.model_copy(update={"results": found.results.model_copy(update={"clean": "AAAA"})})
    with pytest.raises(CoresetBenchError, match=r"cell random-0.3-standard-0 cannot be decoded"):
        images(declared([broken]))
