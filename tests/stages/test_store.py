"""The store: whole or absent, never trusted when damaged, computed once however many ask."""

import json
import os
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.store import Artifact, Store, content_key, require_writable, write_atomically
from methods.errors import CoresetBenchError, UsageError

KIND, KEY = "signal", "00112233445566778899aabbccddeeff"
SPEC = {"why": "a test"}


def made(value: float = 1.5) -> Artifact:
    # the transposed array is not contiguous, and a count has no axis (as in batch norm)
    values = np.arange(12, dtype=np.float32).reshape(3, 4).T + value
    arrays = {"values": values, "bits": np.array([True, False]), "count": np.array(7)}
    return Artifact(arrays, {"seconds": value, "counts": [1, 2]})


def refuse() -> Artifact:
    raise AssertionError("computed again")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def test_an_artifact_comes_back_as_it_went_in(store: Store) -> None:
    store.get(KIND, KEY, SPEC, made)
    found = store.get(KIND, KEY, SPEC, refuse)
    assert found.meta == made().meta
    assert found.arrays.keys() == made().arrays.keys()
    for name, array in made().arrays.items():
        assert (found.arrays[name].dtype, found.arrays[name].shape) == (array.dtype, array.shape)
        assert np.array_equal(found.arrays[name], array)
    assert json.loads((store.path(KIND, KEY) / "spec.json").read_text()) == SPEC


@pytest.mark.parametrize("moment", ["write_bytes", "write_text", "rename"])
def test_a_crash_while_writing_leaves_nothing_to_read(
    store: Store, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, moment, crash)
        with pytest.raises(KeyboardInterrupt):
            store.write(KIND, KEY, made(), SPEC)
    assert not store.has(KIND, KEY)
    assert store.read(KIND, KEY) is None
    assert not [path for path in store.root.rglob("*") if path.is_file()]
    assert store.get(KIND, KEY, SPEC, made).meta == made().meta


def test_a_draft_of_a_killed_process_is_not_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill runs no handlers: what it leaves lies beside the artifact's place, not in it."""
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", lambda *_: 1 / 0)
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(ZeroDivisionError):
            store.write(KIND, KEY, made(9.0), SPEC)
    assert list(store.root.rglob("meta.json"))  # the draft is whole, and still
    assert not store.has(KIND, KEY)
    assert store.get(KIND, KEY, SPEC, made).meta == made().meta


def _flip(data: bytes) -> bytes:
    return data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]


DAMAGES = {
    "data cut short": ("data.safetensors", lambda data: data[:-5]),
    "data emptied": ("data.safetensors", lambda data: b""),
    "a bit of the data flipped": ("data.safetensors", _flip),
    "data gone": ("data.safetensors", None),
    "meta cut short": ("meta.json", lambda data: data[: len(data) // 2]),
    "meta emptied": ("meta.json", lambda data: b""),
    "meta of another kind": ("meta.json", lambda data: b"[]"),
    "meta without values": ("meta.json", lambda data: b'{"checksum": ""}'),
    "a value of the meta changed": ("meta.json", lambda data: data.replace(b'"seconds": 1.5', b'"seconds": 7.5')),
    "meta gone": ("meta.json", None),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_artifact_is_computed_again(store: Store, damage: str) -> None:
    name, change = DAMAGES[damage]
    store.write(KIND, KEY, made(), SPEC)
    file = store.path(KIND, KEY) / name
    if change is None:
        file.unlink()
    else:
        before = file.read_bytes()
        file.write_bytes(change(before))
        assert file.read_bytes() != before
    assert store.read(KIND, KEY) is None
    assert not store.has(KIND, KEY)  # set aside, so that planning sees it too
    assert store.get(KIND, KEY, SPEC, lambda: made(2.5)).meta == made(2.5).meta
    assert store.get(KIND, KEY, SPEC, refuse).meta == made(2.5).meta


def test_a_computation_that_fails_leaves_the_stage_free(store: Store) -> None:
    with pytest.raises(AssertionError, match="computed again"):
        store.get(KIND, KEY, SPEC, refuse)
    assert store.get(KIND, KEY, SPEC, made).meta == made().meta


def _ask(root: Path, ready: Any) -> None:
    """A process that wants the artifact at the same moment as the others, and tells whether it computed it."""

    def compute() -> Artifact:
        (root / f"computed-by-{os.getpid()}").touch()
        return made()

    ready.wait()
    assert Store(root / "store").get(KIND, KEY, SPEC, compute).meta == made().meta


def test_many_processes_compute_once(tmp_path: Path) -> None:
    context = get_context("spawn")
    ready = context.Barrier(4)
    processes = [context.Process(target=_ask, args=(tmp_path, ready)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert len(list(tmp_path.glob("computed-by-*"))) == 1


def test_an_artifact_that_appears_meanwhile_is_not_taken_for_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a reader finds no file, and then the folder that another process has just put in place."""
    store = Store(tmp_path)
    store.write("model", KEY, Artifact({"w": np.ones(3)}, {}), {})
    seen: list[Path] = []
    read_bytes = Path.read_bytes

    def too_early(path: Path) -> bytes:
        if not seen:
            seen.append(path)
            raise FileNotFoundError(path)
        return read_bytes(path)

    monkeypatch.setattr(Path, "read_bytes", too_early)
    found = store.read("model", KEY)
    assert seen
    assert found is not None
    assert found.arrays["w"].tolist() == [1, 1, 1]


def test_what_another_process_is_at_is_not_removed(tmp_path: Path) -> None:
    store, other = Store(tmp_path), Store(tmp_path)
    store.write("model", KEY, Artifact({"w": np.ones(3)}, {}), {})
    file = store.path("model", KEY) / "data.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with other.lock("model", KEY):
        assert store.read("model", KEY) is None
        assert file.is_file()
        with other.lock("model", KEY) as held:  # who holds it may lock it again
            assert held
    assert store.read("model", KEY) is None
    assert not file.exists()


def test_a_file_in_the_place_of_the_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file")
    assert store.read(KIND, KEY) is None
    with pytest.raises(CoresetBenchError, match=r"^Cannot write .*name another folder with --store"):
        store.get(KIND, KEY, SPEC, made)
    with pytest.raises(CoresetBenchError, match=r"^Cannot write "):
        store.write(KIND, KEY, made(), SPEC)
    with pytest.raises(CoresetBenchError, match=r"^Cannot write "):
        write_atomically(tmp_path / "file" / "records.jsonl", b"")
    with pytest.raises(UsageError, match=r"^Cannot write to .*; name another folder"):
        require_writable(tmp_path / "file")


def test_what_cannot_be_read_is_one_sentence(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    store.write(KIND, KEY, made(), SPEC)
    monkeypatch.setattr(Path, "read_bytes", forbidden)
    with pytest.raises(CoresetBenchError, match=r"^Cannot read .* \(Permission denied\); mend its rights"):
        store.read(KIND, KEY)
    monkeypatch.undo()
    assert store.read(KIND, KEY) is not None  # and it is still there


def test_write_atomically_keeps_the_old_file_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "records.jsonl"
    write_atomically(file, b"old")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(CoresetBenchError, match="No space left"):
            write_atomically(file, b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["records.jsonl"]
    assert file.read_bytes() == b"old"


def test_content_keys_depend_on_every_part_and_on_nothing_else() -> None:
    parts = ("model", 1, {"lr": 0.1, "epochs": 3}, {"coreset": "ab"})
    changed = [
        ("outcome", *parts[1:]),
        ("model", 2, *parts[2:]),
        ("model", 1, {"lr": 0.2, "epochs": 3}, parts[3]),
        ("model", 1, {"lr": 0.1}, parts[3]),
        ("model", 1, parts[2], {"coreset": "cd"}),
        ("model", 1, parts[2], {"signal": "ab"}),
        ("model", 1, parts[2], {}),
    ]
    assert len({content_key(*p) for p in [parts, *changed]}) == 1 + len(changed)
    assert content_key("model", 1, {"epochs": 3, "lr": 0.1}, {"coreset": "ab"}) == content_key(*parts)


def test_content_keys_never_move() -> None:
    """Pinned: another key for the same stage would orphan every store there is."""
    assert content_key("model", 1, {"lr": 0.1}, {"coreset": "ab"}) == "c8d505945bbdce8f0d8604c223805230"
