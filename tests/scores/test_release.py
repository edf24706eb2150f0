"""The file: what is written is read, the same bytes each time; what is damaged or foreign is said in a sentence."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from benchmark.data import fingerprint, load
from benchmark.execution.run import Settings
from benchmark.scores import collect as collecting
from benchmark.scores.collect import collect
from benchmark.scores.release import ABOUT, read_release, to_bytes, write_release
from benchmark.scores.units import UNITS
from benchmark.store import Artifact, Store
from methods.errors import CoresetBenchError, UsageError
from methods.registry import get, method_names
from tests.scores.conftest import Released


def test_what_is_written_is_read(released: Released) -> None:
    found = read_release(released.path)
    assert found.about == released.release.about
    assert list(found.columns) == list(released.release.columns)
    for name, values in released.release.columns.items():
        assert found.columns[name].dtype == values.dtype
        np.testing.assert_array_equal(found.columns[name], values)
    assert released.path.read_bytes() == to_bytes(found)


def test_pandas_reads_it_in_one_line(released: Released) -> None:
    data = load(released.suite.dataset)
    scores = pd.read_parquet(released.path)
    np.testing.assert_array_equal(scores["position"], data.positions)
    np.testing.assert_array_equal(scores["label"], data.train.labels)
    assert scores["easycore/0"].dtype == np.float32
    assert scores["herding/0.5/1"].max() == 74
    assert (scores["herding/0.5/1"] == -1).sum() == 75
    assert (scores["craig/0.3/0/weight"] > 0).sum() == 45
    assert not scores.isna().any(axis=None)
    assert not np.array_equal(scores["easycore/0"], scores["easycore/1"])


def test_the_schema_says_what_made_it(released: Released) -> None:
    about = json.loads(parquet.read_schema(released.path).metadata[ABOUT])
    assert (about["suite"], about["version"], about["pool"], about["num_classes"]) == ("tiny", 1, 150, 10)
    assert about["checksum"] == fingerprint(released.suite.dataset)
    assert about["proxies"]["robust"]["recipe"]["objective"] == "trades"
    easycore = released.selections["easycore@balanced", 0.3, 1]
    assert about["seeds"]["1"] == easycore.seed
    (trace,) = easycore.traces
    assert {"proxy": "standard", "replicate": 1, "seed": trace.seed, "epochs": 3, "key": trace.proxy.key} in about[
        "runs"
    ]
    (entry,) = (each for each in about["entries"] if each["name"] == "easycore")
    assert (entry["keep"], entry["direction"], entry["hard"]) == ("low", "easy", "high")
    assert "nats" in entry["unit"]
    (row,) = (each for each in about["rows"] if each["name"] == "cut")
    assert row == {
        "name": "cut",
        "entry": "easycore",
        "policy": "stratified",
        "params": {"strata": 7, "beta": 0.2, "table": "default"},
    }
    assert "commit" in about["provenance"]["scores"]


def test_the_scores_are_those_of_the_stored_signals(released: Released) -> None:
    """Here the mean over epochs of a signal, as EasyCore's paper defines it."""
    (trace,) = released.selections["easycore", 0.3, 1].traces
    stored = Store(released.settings.store).read("signal", trace.signals["input_grad_norm"].key)
    assert stored is not None
    wanted = stored.arrays["values"].astype(np.float64).mean(axis=0)
    np.testing.assert_allclose(released.release.columns["easycore/1"], wanted, rtol=1e-6)


def test_every_built_in_score_has_a_unit() -> None:
    ranking = {name for name in method_names() if get(name).info.keep and ":" not in name}
    assert ranking == UNITS.keys()


def damaged(content: bytes) -> list[bytes]:
    flipped = bytearray(content)
    flipped[len(content) // 3] ^= 1
    about = content.rindex(b'"suite":"tiny"') if b'"suite":"tiny"' in content else len(content) - 100
    renamed = bytearray(content)
    renamed[about + 10] ^= 1
    return [bytes(flipped), bytes(renamed), content[: len(content) // 2], content[:-1], b"", b"no Parquet at all"]


def test_a_damaged_file_is_said_in_a_sentence(released: Released, tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    for content in damaged(released.path.read_bytes()):
        path.write_bytes(content)
        with pytest.raises(CoresetBenchError, match=r"x\.parquet (is damaged|cannot be read as Parquet).*again\.$"):
            read_release(path)


def test_a_foreign_file_is_said_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    with pytest.raises(UsageError, match="There is no file"):
        read_release(path)
    parquet.write_table(arrow.table({"easycore/0": [0.5, 1.0]}), path)
    with pytest.raises(UsageError, match=r"x\.parquet holds no released scores; name a file"):
        read_release(path)


def test_a_file_of_another_version_is_said_in_a_sentence(released: Released, tmp_path: Path) -> None:
    later = released.release.about.model_copy(update={"format": 2})
    write_release(tmp_path / "x.parquet", replace(released.release, about=later))
    with pytest.raises(
        CoresetBenchError, match=r"written by another version of coreset-bench \('format'.*write it again"
    ):
        read_release(tmp_path / "x.parquet")


def test_a_score_that_loses_its_coreset_by_rounding_stays_double(
    released: Released, monkeypatch: pytest.MonkeyPatch, quiet: Any
) -> None:
    monkeypatch.setattr(collecting, "in_single", lambda scores: np.zeros(len(scores), np.float32))
    found = collect(only(released, "easycore"), released.settings, quiet)
    assert found.columns["easycore/0"].dtype == np.float64
    np.testing.assert_allclose(found.columns["easycore/0"], released.release.columns["easycore/0"], rtol=1e-6)


def test_scores_that_do_not_give_the_coresets_of_the_store_are_not_released(released: Released, quiet: Any) -> None:
    selection = released.selections["loss", 0.3, 0]
    stored, store = released.coreset(selection), Store(released.settings.store)
    assert stored is not None
    other = Artifact({"indices": stored.arrays["indices"][::-1]}, stored.meta)
    stage = selection.coreset
    store.write(stage.kind, stage.key, other, stage.described)
    try:
        with pytest.raises(CoresetBenchError, match=r"row 'loss' do not give the coreset of the store at 0\.3"):
            collect(only(released, "loss"), released.settings, quiet)
    finally:
        store.write(stage.kind, stage.key, stored, stage.described)


def only(released: Released, row: str) -> Any:
    """The suite with one of its rows and one replicate."""
    rows = tuple(each for each in released.suite.rows if each.name == row)
    return released.suite.model_copy(update={"rows": rows, "replicates": 1})


def test_a_dynamic_suite_has_no_scores(tiny_suite: Any, settings_in: Any, tmp_path: Path, quiet: Any) -> None:
    settings: Settings = settings_in(tmp_path)
    with pytest.raises(UsageError, match="re-select while a model trains; they have no scores"):
        collect(tiny_suite(rows=["rs2"], proxies={}), settings, quiet)
