"""The store of stage results: content-addressed folders, written atomically and verified when read.

An artifact is `STORE/KIND/KEY[:2]/KEY/` with `spec.json` (what it is), arrays in `data.safetensors` and `meta.json`
(scalars, cost, and a checksum of it all). It appears by one rename, so it is either whole or absent; whether a
stage is done is decided by the store alone. A damaged artifact is computed again.

An artifact may be bare: `meta.json` without arrays, where these stayed on the machine that computed them (see
`benchmark.execution.parcel`). Records need no more of a model; whoever needs its weights computes them again.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from methods.errors import CoresetBenchError, UsageError

Arrays = dict[str, NDArray[Any]]


def content_key(kind: str, version: int, spec: Mapping[str, Any], parents: Mapping[str, str]) -> str:
    """The address of a stage: blake2b of the canonical JSON of its spec, its parents' keys and its version."""
    text = json.dumps([kind, version, spec, parents], sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Writes a file so that a reader sees the old content or the new, never a part.

    Raises:
        CoresetBenchError: the folder cannot be written.
    """
    with _writable(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise CoresetBenchError(
            f"Cannot write {path} ({reason}); free space, or name another folder with --store and --results."
        ) from None


def _checksum(data: bytes, values: Mapping[str, Any]) -> str:
    return hashlib.blake2b(data + json.dumps(values, sort_keys=True).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Artifact:
    """A stage's result: arrays by name, and JSON values beside them."""

    arrays: Arrays
    meta: dict[str, Any]


class _DamagedError(Exception):
    """An artifact is cut short, or does not have its checksum."""


class Store:
    """A folder of artifacts. Safe for several processes: one computes, the others wait and read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._locks: dict[Path, FileLock] = {}

    def path(self, kind: str, key: str) -> Path:
        return self.root / kind / key[:2] / key

    def has(self, kind: str, key: str) -> bool:
        return (self.path(kind, key) / "meta.json").is_file()

    def whole(self, kind: str, key: str) -> bool:
        """Whether an artifact that is there has its arrays; the checksum says whether they are right."""
        return (self.path(kind, key) / "data.safetensors").is_file()

    def artifacts(self) -> Iterator[tuple[str, str]]:
        """Kind and key of all that is there, in order."""
        for file in sorted(self.root.glob("[!.]*/??/[!.]*/meta.json")):
            yield file.parts[-4], file.parts[-2]

    def spec(self, kind: str, key: str) -> dict[str, Any]:
        """What an artifact is, as it was written for people to read; empty where that is gone."""
        try:
            found: dict[str, Any] = json.loads((self.path(kind, key) / "spec.json").read_bytes())
            return found
        except (OSError, ValueError):
            return {}

    def read(self, kind: str, key: str, whole: bool = True) -> Artifact | None:
        """The artifact, or None where there is none, or one cut short or damaged, which is removed.

        A bare one is None as well, and stays; with `whole=False` it is an artifact without arrays.
        """
        try:
            return self._read(kind, key, whole)
        except _DamagedError:
            pass
        # It may have been seen while another process put it in place. Only who holds it may say that it is damaged.
        try:
            with self.lock(kind, key, wait=False) as held:
                return self._mended(kind, key, whole) if held else None
        except CoresetBenchError:  # a store that may only be read
            return None

    def _mended(self, kind: str, key: str, whole: bool) -> Artifact | None:
        """Read by who holds it: what is damaged still is removed, so that planning sees it missing too."""
        try:
            return self._read(kind, key, whole)
        except _DamagedError:
            self.remove(kind, key)
            return None

    def _read(self, kind: str, key: str, whole: bool) -> Artifact | None:
        from safetensors import SafetensorError
        from safetensors.numpy import load

        folder = self.path(kind, key)
        try:
            meta = json.loads((folder / "meta.json").read_bytes())
            bare = "bare" in meta
            data = b"" if bare else (folder / "data.safetensors").read_bytes()
            if _checksum(data, meta["values"]) != meta["checksum"]:
                raise _DamagedError
            if bare:
                return None if whole else Artifact({}, meta["values"])
            return Artifact(load(data), meta["values"])
        except (FileNotFoundError, NotADirectoryError):
            if not folder.is_dir():
                return None
            raise _DamagedError from None
        except OSError as error:
            raise CoresetBenchError(
                f"Cannot read {folder} ({error.strerror}); mend its rights, or name another folder with --store."
            ) from None
        except (ValueError, TypeError, KeyError, SafetensorError):  # half a file or a flipped bit
            raise _DamagedError from None

    def write(self, kind: str, key: str, artifact: Artifact, spec: Mapping[str, Any], bare: bool = False) -> None:
        """Puts the artifact in place by one rename; with `bare`, without its arrays.

        Raises:
            CoresetBenchError: the folder cannot be written.
        """
        from safetensors.numpy import save

        folder = self.path(kind, key)
        data = b"" if bare else save({name: np.asarray(array, order="C") for name, array in artifact.arrays.items()})
        meta = {"checksum": _checksum(data, artifact.meta), "values": artifact.meta} | ({"bare": True} if bare else {})
        with _writable(folder):
            folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".draft."))
            try:
                if not bare:
                    (draft / "data.safetensors").write_bytes(data)
                (draft / "spec.json").write_text(json.dumps(spec, indent=1, sort_keys=True))
                (draft / "meta.json").write_text(json.dumps(meta))
                draft.chmod(0o755)
                if folder.exists():
                    shutil.rmtree(folder)
                draft.rename(folder)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise

    def remove(self, kind: str, key: str) -> None:
        """Takes an artifact away; it may be absent."""
        shutil.rmtree(self.path(kind, key), ignore_errors=True)

    def get(self, kind: str, key: str, spec: Mapping[str, Any], compute: Callable[[], Artifact]) -> Artifact:
        """The artifact, computed and stored first where it is absent, bare or damaged; once, however many ask."""
        found = self.read(kind, key)
        if found is not None:
            return found
        with self.lock(kind, key):
            found = self.read(kind, key)
            if found is None:
                found = compute()
                self.write(kind, key, found, spec)
            return found

    @contextmanager
    def lock(self, kind: str, key: str, wait: bool = True) -> Iterator[bool]:
        """Holds the stage for this process; the operating system frees it if the process dies.

        Who holds it may lock it again. Without `wait` the answer is False where another process holds it.
        """
        path = self.root / ".locks" / f"{kind}-{key}"
        with _writable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = self._locks.setdefault(path, FileLock(path))
            try:
                lock.acquire(blocking=wait)
                held = True
            except Timeout:
                held = False
        try:
            yield held
        finally:
            if held:
                lock.release()


def require_writable(folder: Path) -> None:
    """Fails before any work is done if the folder cannot be written.

    Raises:
        UsageError: with the folder's name and the operating system's reason.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(f"Cannot write to {folder} ({error.strerror}); name another folder.") from None
