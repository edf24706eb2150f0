"""A store's results in one file, for whoever computes on several machines.

Weights and signals are large, and records need none of them: they may stay where they were computed. What stays behind
leaves its values (cost, machine) in a bare artifact, or nothing where it has none.
"""

import re
import tarfile
import tempfile
import zlib
from collections.abc import Collection
from pathlib import Path

from benchmark.store import Store, require_writable
from methods.errors import CoresetBenchError, UsageError, unknown

SUFFIX = ".tar.gz"
LEFT = ("model", "dynamic", "proxy", "signal")  # kinds whose arrays may stay behind
_MEMBER = re.compile(r"[a-z]+/[0-9a-f]{2}/[0-9a-f]{32}/(meta\.json|spec\.json|data\.safetensors)")


def pack(store: Store, target: Path, without: Collection[str] = ()) -> int:
    """Writes all that the store holds to one compressed file; the number of artifacts in it.

    `without` names the kinds whose arrays stay behind. Damaged artifacts are left out.

    Raises:
        UsageError: a name that does not end in .tar.gz, an unknown kind, or an empty store.
        CoresetBenchError: the file cannot be written.
    """
    if not target.name.endswith(SUFFIX):
        raise UsageError(f"Cannot write '{target}': end the name in {SUFFIX}.")
    for kind in without:
        if kind not in LEFT:
            raise unknown("kind whose arrays may stay behind", kind, LEFT)
    require_writable(target.parent)
    draft, count = target.with_name(f".{target.name}.draft"), 0
    try:
        with tempfile.TemporaryDirectory() as folder, tarfile.open(draft, "w:gz") as tar:
            left = Store(Path(folder))
            for kind, key in store.artifacts():
                artifact, held = store.read(kind, key, whole=False), store
                if artifact and kind in without and store.whole(kind, key):
                    if not artifact.meta:
                        continue
                    left.write(kind, key, artifact, store.spec(kind, key), bare=True)
                    held = left
                if artifact:
                    _add(tar, held, kind, key)
                    count += 1
        if not count:
            raise UsageError(f"There is nothing to pack in {store.root}; run a suite first, or name it with --store.")
        draft.replace(target)
    except OSError as error:
        raise CoresetBenchError(f"Cannot write {target} ({error.strerror}); free space, or name another.") from None
    finally:
        draft.unlink(missing_ok=True)
    return count


def _add(tar: tarfile.TarFile, store: Store, kind: str, key: str) -> None:
    for file in sorted(store.path(kind, key).iterdir()):
        tar.add(file, file.relative_to(store.root).as_posix(), filter=_nameless)


def _nameless(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the user it belongs to."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def unpack(store: Store, source: Path) -> tuple[int, int]:
    """Adds what a packed file holds; how many artifacts were added, and how many were there already, which stay.

    A bare artifact of the store gives way to a whole one.

    Raises:
        UsageError: there is no such file, or `pack` did not write it.
        CoresetBenchError: it is damaged: what came before the damage has been added.
    """
    if not source.is_file():
        raise UsageError(f"There is no file '{source}'; name one that coreset-bench pack wrote.")
    require_writable(store.root)
    added = there = 0
    with tempfile.TemporaryDirectory(dir=store.root, prefix=".unpacked.") as folder:
        _extract(source, Path(folder))
        packed = Store(Path(folder))
        for kind, key in packed.artifacts():
            artifact = packed.read(kind, key, whole=False)
            if artifact is None:
                raise CoresetBenchError(f"{source} is damaged at {kind}/{key}; pack the results again.")
            whole = packed.whole(kind, key)
            if store.read(kind, key, whole=whole) is not None:
                there += 1
                continue
            store.write(kind, key, artifact, packed.spec(kind, key), bare=not whole)
            added += 1
    return added, there


def _extract(source: Path, folder: Path) -> None:
    """Only files that a store has: nothing else that an archive may hold reaches the disk."""
    try:
        with tarfile.open(source, "r:gz") as tar:
            for member in tar:
                data = tar.extractfile(member) if member.isfile() else None
                if data is None or not _MEMBER.fullmatch(member.name):
                    raise UsageError(f"{source} holds '{member.name}', which is no result of a store; name another.")
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data.read())
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise UsageError(f"{source} cannot be read as a packed store ({error}); pack the results again.") from None
