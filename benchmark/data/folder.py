"""Images in folders, one folder for each class, as torchvision's `ImageFolder` reads them: ImageNet and the like."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.data.entry import Entry, Source
from benchmark.data.interface import Images, Shape
from methods.errors import UsageError

if TYPE_CHECKING:
    import torch

    from benchmark.data.splits import Indices

_IN_MEMORY = 2 * 2**30  # bytes of decoded images up to which a set is held in memory
_HELD_OUT_TEST = 0.2  # of a folder without a test part
_EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")  # as torchvision has them


@dataclass(frozen=True)
class Tree:
    """A folder of class folders. Files and classes stand in the order of torchvision's `ImageFolder`."""

    class_names: tuple[str, ...]
    files: list[Path]
    labels: list[int]

    @classmethod
    def scan(cls, folder: Path) -> "Tree":
        """Finds the images, in subfolders too; other files, and names that begin with a dot, are passed over.

        Raises:
            UsageError: no folder, fewer than two classes, or a class without images.
        """
        names = _class_folders(folder)
        if len(names) < 2:
            found = f"only one class folder ('{names[0]}')" if names else "no class folders"
            raise UsageError(f"{folder} has {found}; it needs one folder of images for each of two or more classes.")
        tree = cls(tuple(names), [], [])
        for label, name in enumerate(names):
            files = _images(folder / name)
            if not files:
                raise UsageError(f"The class folder {folder / name} has no images; add some or remove the folder.")
            tree.files.extend(files)
            tree.labels.extend([label] * len(files))
        return tree


def _images(folder: Path) -> list[Path]:
    """Folder by folder in the order of their paths as text, and by name within each."""

    def refuse(error: OSError) -> None:
        raise error  # os.walk would pass over a folder that may not be read

    return [
        Path(place, name)
        for place, _, names in sorted(os.walk(folder, onerror=refuse, followlinks=True))
        for name in sorted(names)
        if name.lower().endswith(_EXTENSIONS) and not name.startswith(".")
    ]


def _class_folders(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}; name one that holds a folder of images for each class.")
    return sorted(entry.name for entry in os.scandir(folder) if entry.is_dir() and not entry.name.startswith("."))


def parts(folder: Path) -> tuple[Path, Path | None]:
    """The folders of the training and of the test images; None where a part of train is to be held out.

    Raises:
        UsageError: a folder `train` without `val` or `test` beside it.
    """
    if not (folder / "train").is_dir():
        return folder, None
    for name in ("val", "test"):
        if (folder / name).is_dir():
            return folder / "train", folder / name
    raise UsageError(
        f"{folder} has 'train' but neither 'val' nor 'test'; add one, or use 'imagefolder:{folder / 'train'}', "
        f"of which a fifth is then held out as test images."
    )


class FolderSource(Source):
    """The images below a folder, square with `size` pixels a side when read."""

    def __init__(self, name: str, folder: Path, size: int) -> None:
        import numpy as np

        from benchmark.data.splits import interleaved

        train_folder, test_folder = parts(folder)
        train = Tree.scan(train_folder)
        files, labels = train.files, train.labels
        if test_folder is None:
            self.test: Indices | int = max(1, round(_HELD_OUT_TEST * len(files)))
        else:
            test = Tree.scan(test_folder)
            if lone := sorted(set(test.class_names) ^ set(train.class_names)):
                raise UsageError(
                    f"{train_folder} and {test_folder} must have the same class folders, but only one has '{lone[0]}'; "
                    f"add it to the other or remove it."
                )
            self.test = len(files) + interleaved(np.array(test.labels, dtype=np.int64))
            files, labels = files + test.files, labels + test.labels
        self.class_names = train.class_names
        self.labels = np.array(labels, dtype=np.int64)
        self._name, self._files, self._size = name, files, size

    def images(self, parts: Sequence["Indices"], device: "torch.device") -> list[Images]:
        """In memory if all parts together, decoded, take at most 2 GiB; else streamed."""
        import torch

        from benchmark.data.memory import InMemory
        from benchmark.data.streamed import Streamed, decode_all

        labels = torch.from_numpy(self.labels)
        files = [[self._files[index] for index in part] for part in parts]
        if sum(map(len, parts)) * 3 * self._size**2 > _IN_MEMORY:
            return [Streamed(paths, labels[part], self._size, device) for paths, part in zip(files, parts, strict=True)]
        flat = [path for paths in files for path in paths]
        everything = decode_all(flat, self._size, device, f"Reading {self._name}")
        pixels = everything.split([len(part) for part in parts])
        return [InMemory(some, labels[part], device) for some, part in zip(pixels, parts, strict=True)]


@dataclass(frozen=True)
class Folder(Entry):
    """A set in a folder of the data root, or, where `path` is set, at that path.

    The folder is called `name`, or `name-SIDE` or `name-SIDE-mini` where the images are already resized (fastai's own
    `imagenette2-160` too). Of several, the one with the fewest pixels that are enough is taken, a `mini` only if no
    other is large enough; where none is large enough, the largest.
    """

    path: Path | None = None

    def here(self, root: Path) -> bool:
        return self._find(root, self.shape[-1]) is not None

    def content(self, root: Path, side: int) -> str:
        """From the relative paths and sizes of the files: editing a file without changing its size goes unseen."""
        folder = self._folder(root, side)
        digest = blake2b(digest_size=8)
        for part in parts(folder):
            for file in Tree.scan(part).files if part else ():
                digest.update(f"{file.relative_to(folder).as_posix()}\0{file.stat().st_size}\n".encode())
        return digest.hexdigest()

    def read(self, root: Path, side: int, download: bool) -> Source:
        return FolderSource(self.name, self._folder(root, side), side)

    def files(self, root: Path, side: int) -> list[str]:
        folder = self._folder(root, side)
        return [file.relative_to(folder).as_posix() for file in Tree.scan(parts(folder)[0]).files]

    def resized(self, size: int | None) -> Shape:
        return (3, size, size) if size else self.shape

    def _folder(self, root: Path, side: int) -> Path:
        folder = self._find(root, side)
        if folder is not None:
            return folder
        if self.path is not None:
            raise UsageError(f"There is no folder {self.path}; give the path of an image folder after 'imagefolder:'.")
        raise UsageError(
            f"{self.name} is not in {root} (no folder '{self.name}' with 'train' and 'val'); put it there, or set "
            f"CORESET_BENCH_DATA to the folder that holds it; it cannot be downloaded from here ({self.origin})."
        )

    def _find(self, root: Path, side: int) -> Path | None:
        if self.path is not None:
            return self.path if self.path.is_dir() else None
        found = []
        for folder in sorted(root.glob(f"{self.name}*")):
            match = re.fullmatch(rf"{self.name}2?(?:-(\d+))?(-mini)?", folder.name)
            if match and (folder / "train").is_dir():
                native = float(match[1] or "inf")
                enough = native >= side
                found.append((not enough, enough and bool(match[2]), native if enough else -native, folder))
        return min(found)[-1] if found else None
