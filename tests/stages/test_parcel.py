"""Results that move to another machine: what arrives is what left, weights may stay, and nothing else gets in."""

import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmark.execution.parcel import pack, unpack
from benchmark.execution.run import Settings, run_suite
from benchmark.plan import Cell, make_plan
from benchmark.spec import Suite
from benchmark.store import Artifact, Store
from methods.errors import CoresetBenchError, UsageError

SettingsIn = Callable[..., Settings]
KEY, OTHER = "00112233445566778899aabbccddeeff", "ff112233445566778899aabbccddeeff"
MADE = Artifact({"values": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"seconds": 1.5})
HEAVY = ("model", "proxy", "signal")


def arrays(store: Store, kind: str, key: str = KEY) -> list[float] | None:
    found = store.read(kind, key)
    return found and found.arrays["values"].ravel().tolist()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A coreset, a model, and a signal, which has no values."""
    made = Store(tmp_path / "here")
    made.write("coreset", KEY, MADE, {"why": "a test"})
    made.write("model", OTHER, MADE, {})
    made.write("signal", KEY, Artifact(MADE.arrays, {}), {})
    return made


def packed(store: Store, *without: str) -> Path:
    file = store.root.parent / "packed.tar.gz"
    pack(store, file, without)
    return file


def test_everything_arrives_as_it_left(store: Store, tmp_path: Path) -> None:
    there = Store(tmp_path / "there")
    assert unpack(there, packed(store)) == (3, 0)
    assert list(there.artifacts()) == list(store.artifacts())
    for kind, key in store.artifacts():
        for file in store.path(kind, key).iterdir():
            assert (there.path(kind, key) / file.name).read_bytes() == file.read_bytes()
    assert unpack(there, packed(store)) == (0, 3)
    assert not [path for path in tmp_path.rglob("*") if ".draft" in path.name or ".unpacked" in path.name]


def test_arrays_that_stay_behind_leave_their_values(store: Store, tmp_path: Path) -> None:
    there = Store(tmp_path / "there")
    assert unpack(there, packed(store, *HEAVY)) == (2, 0)
    assert arrays(there, "coreset") == arrays(store, "coreset")
    assert there.has("model", OTHER)
    assert there.read("model", OTHER) is None
    assert there.read("model", OTHER, whole=False) == Artifact({}, MADE.meta)
    assert not there.has("signal", KEY)
    assert unpack(there, packed(there)) == (0, 2)  # a bare artifact travels on


def test_weights_that_are_needed_are_computed_again(store: Store, tmp_path: Path) -> None:
    there = Store(tmp_path / "there")
    unpack(there, packed(store, *HEAVY))
    again = Artifact({"values": np.zeros(2)}, {"seconds": 2.0})
    assert there.get("model", OTHER, {}, lambda: again) is again
    assert arrays(there, "model", OTHER) == [0, 0]
    assert unpack(there, packed(store)) == (1, 2)  # the signal; what is there stays
    assert arrays(there, "model", OTHER) == [0, 0]


def test_a_whole_artifact_takes_the_place_of_a_bare_one(store: Store, tmp_path: Path) -> None:
    there = Store(tmp_path / "there")
    unpack(there, packed(store, "model"))
    assert unpack(there, packed(store)) == (1, 2)
    assert arrays(there, "model", OTHER) == arrays(store, "model", OTHER)
    unpack(there, packed(store, "model"))
    assert arrays(there, "model", OTHER) is not None


def test_a_bare_artifact_is_held_to_its_checksum_too(store: Store, tmp_path: Path) -> None:
    there = Store(tmp_path / "there")
    unpack(there, packed(store, "model"))
    meta = there.path("model", OTHER) / "meta.json"
    meta.write_text(meta.read_text().replace("1.5", "7.5"))
    assert there.read("model", OTHER, whole=False) is None
    assert not there.has("model", OTHER)


def test_what_is_damaged_here_is_not_packed(store: Store, tmp_path: Path) -> None:
    (store.path("coreset", KEY) / "data.safetensors").write_bytes(b"half")
    assert pack(store, tmp_path / "packed.tar.gz") == 2


def archive(path: Path, name: str, data: bytes = b"") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        tar.addfile(member, BytesIO(data))
    return path


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", f"model/../{KEY}/meta.json", f"model/00/{KEY}/run.py"])
def test_nothing_but_results_gets_in(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="which is no result of a store"):
        unpack(Store(tmp_path / "there"), archive(tmp_path / "odd.tar.gz", name))
    assert [path.name for path in tmp_path.iterdir() if path.name != "there"] == ["odd.tar.gz"]
    assert list((tmp_path / "there").iterdir()) == []


def test_what_cannot_be_done_is_one_sentence(store: Store, tmp_path: Path) -> None:
    file = packed(store)
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(file.read_bytes()[:-40])
    damaged = archive(tmp_path / "damaged.tar.gz", f"model/00/{KEY}/meta.json", b'{"values": {}, "checksum": "no"}')
    there = Store(tmp_path / "there")
    with pytest.raises(
        UsageError, match=r"cut\.tar\.gz cannot be read as a packed store \(.*\); pack the results again"
    ):
        unpack(there, cut)
    with pytest.raises(CoresetBenchError, match=f"is damaged at model/{KEY}; pack the results again"):
        unpack(there, damaged)
    with pytest.raises(UsageError, match="There is no file"):
        unpack(there, tmp_path / "nowhere.tar.gz")
    with pytest.raises(UsageError, match=r"end the name in \.tar\.gz"):
        pack(store, tmp_path / "packed.zip")
    with pytest.raises(UsageError, match="Unknown kind whose arrays may stay behind 'modle'; did you mean 'model'"):
        pack(store, file, ["modle"])
    with pytest.raises(UsageError, match="There is nothing to pack"):
        pack(Store(tmp_path / "empty"), tmp_path / "none.tar.gz")
    assert not (tmp_path / "none.tar.gz").exists()


def test_a_run_goes_on_elsewhere_without_the_weights(
    tiny_suite: Callable[..., Suite], tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    """What is done needs no weights; where an attack is missing, the network is trained anew.

    On the same machine it is the same network, and the outcomes that came along stay.
    """
    suite, here, there = tiny_suite(), settings_in(tmp_path / "here"), settings_in(tmp_path / "there")
    first = run_suite(suite, here, quiet)
    file = tmp_path / "packed.tar.gz"
    pack(Store(here.store), file, HEAVY)
    unpack(Store(there.store), file)
    again = run_suite(suite, there, quiet)
    assert (again.computed, again.records) == (0, first.records)

    store, plan = Store(there.store), make_plan(suite)
    cell, other = plan.find("tiny/easycore/0.3/trades/0"), plan.find("tiny/random/0.3/trades/0")
    store.remove("outcome", cell.outcomes["pgd"].key)

    def written(cell: Cell) -> dict[str, int]:
        return {
            name: store.path("outcome", stage.key).stat().st_mtime_ns
            for name, stage in cell.outcomes.items()
            if stage.done(store)
        }

    before = written(cell), written(other)
    final = run_suite(suite, there, quiet)
    assert final.computed == 1
    assert [store.whole("model", each.model.key) for each in (cell, other)] == [True, False]
    assert written(other) == before[1]
    after = written(cell)
    assert after.pop("pgd") > max(before[0].values())
    assert after == before[0]
    results = [{r.cell: r.results for r in ran.records}[cell.id] for ran in (first, final)]
    assert results[0] == results[1]
