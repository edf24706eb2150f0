"""Data sets behind one registry: `load` gives any of them as a `Dataset`, divided the same way every time.

Importing this package is cheap: torch, torchvision and scikit-learn are imported when a set is loaded.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.data.cifar import Cifar
from benchmark.data.embedded import Digits, Toy
from benchmark.data.entry import HELD_OUT, Entry
from benchmark.data.folder import Folder
from benchmark.data.interface import Batch, Dataset, Description, Images, Shape
from benchmark.spec import DatasetSpec
from methods.errors import CoresetBenchError, UsageError, unknown

if TYPE_CHECKING:
    import torch

__all__ = [
    "Batch",
    "Dataset",
    "Description",
    "Images",
    "Shape",
    "data_root",
    "dataset_names",
    "describe",
    "files",
    "fingerprint",
    "load",
    "side",
]

_DIVISION = 1  # raise it when `splits` divides differently

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_ANY_FOLDER = Folder(
    "imagefolder:PATH", None, None, (3, 224, 224), _IMAGENET_MEAN, _IMAGENET_STD, "your own folder of class folders"
)
_ENTRIES = {
    entry.name: entry
    for entry in (
        Digits("digits", 1797, 10, (1, 8, 8), (0.305,), (0.376,), "inside scikit-learn", tune=100, select=97),
        Cifar(
            "cifar10", 60_000, 10, (3, 32, 32), (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616),
            "https://www.cs.toronto.edu/~kriz/cifar.html, on request", tune=2500, select=2500,
            folder="cifar-10-batches-py", reader="CIFAR10", archive_md5="c58f30108f718f92721af3b95e74349a",
        ),
        Cifar(
            "cifar100", 60_000, 100, (3, 32, 32), (0.5071, 0.4866, 0.4409), (0.2673, 0.2564, 0.2762),
            "https://www.cs.toronto.edu/~kriz/cifar.html, on request", tune=2500, select=2500,
            folder="cifar-100-python", reader="CIFAR100", archive_md5="eb9058c3a382ffc7106e4002c42a8d85",
        ),
        Folder(
            "imagenet", 1_331_167, 1000, (3, 224, 224), _IMAGENET_MEAN, _IMAGENET_STD,
            "https://www.image-net.org, under its terms",
        ),
        Folder(
            "imagenette", 13_394, 10, (3, 64, 64), _IMAGENET_MEAN, _IMAGENET_STD,
            "https://github.com/fastai/imagenette",
        ),
        _ANY_FOLDER,
        Toy("toy", 2000, 2, (2, 1, 1), (0.515, 0.485), (0.231, 0.233), "generated", tune=100, select=100),
    )
}  # fmt: skip


def dataset_names() -> list[str]:
    """The names that a specification may give; `imagefolder:PATH` stands for any path."""
    return sorted(_ENTRIES)


def data_root(root: Path | None = None) -> Path:
    """The folder that holds the data: the argument, else $CORESET_BENCH_DATA, else `data` in the working folder."""
    return Path(root or os.environ.get("CORESET_BENCH_DATA") or "data").expanduser()


def describe(root: Path | None = None) -> list[Description]:
    """What is registered, in order of name, and whether it is in the data root now."""
    root = data_root(root)
    return [
        Description(
            name=name,
            images=entry.images,
            classes=entry.classes,
            size="x".join(map(str, entry.shape)),
            origin=entry.origin,
            here=None if entry is _ANY_FOLDER else entry.here(root),
        )
        for name, entry in sorted(_ENTRIES.items())
    ]


def fingerprint(spec: DatasetSpec, root: Path | None = None) -> str:
    """A checksum (16 hexadecimal digits) of the images and of all that the registry adds to the specification.

    Found without reading the images: from known checksums, or from the paths and sizes of files.

    Raises:
        UsageError: unknown data set, or an image folder that is missing or laid out wrongly.
        CoresetBenchError: a folder that may not be read.
    """
    entry = _find(spec.name)
    shape = entry.resized(spec.size)
    with _reading(spec.name):
        content = entry.content(data_root(root), shape[-1])
    parts = [_DIVISION, content, shape, entry.mean, entry.std, entry.tune, entry.select]
    return blake2b(json.dumps(parts).encode(), digest_size=8).hexdigest()


def files(spec: DatasetSpec, root: Path | None = None) -> list[str] | None:
    """The files of the set's own training images, in the order that indices count; None where images are no files.

    Raises:
        UsageError: unknown data set, or an image folder that is missing or laid out wrongly.
        CoresetBenchError: a folder that may not be read.
    """
    entry = _find(spec.name)
    with _reading(spec.name):
        return entry.files(data_root(root), entry.resized(spec.size)[-1])


def side(spec: DatasetSpec) -> int:
    """Pixels a side of its images, as a model sees them."""
    return _find(spec.name).resized(spec.size)[-1]


def load(
    spec: DatasetSpec, root: Path | None = None, device: "str | torch.device" = "cpu", download: bool = False
) -> Dataset:
    """Reads and divides a data set. Sets that take at most 2 GiB as bytes live on the device, larger ones stream.

    Args:
        spec: which set, how much of it.
        root: where data are; see `data_root`.
        device: where batches are delivered.
        download: whether CIFAR may be downloaded into the root if it is not there.

    Raises:
        UsageError: unknown data set, data that are not there or laid out wrongly, or limits larger than the data.
        CoresetBenchError: damaged data, or a download that failed.
    """
    import torch

    from benchmark.data.splits import divide, limited

    entry, root = _find(spec.name), data_root(root)
    shape = entry.resized(spec.size)
    with _reading(spec.name):
        source = entry.read(root, shape[-1], download)
        trained_on = len(source.labels) - (source.test if isinstance(source.test, int) else len(source.test))
        share = max(1, round(HELD_OUT * trained_on))
        tune, select = spec.tune or entry.tune or share, spec.select or entry.select or share
        parts = divide(spec.name, source.labels, source.test, tune, select)
        parts = limited(spec.name, source.labels, parts, spec.train, spec.test)
        train, tuned, selected, test = source.images(parts, torch.device(device))
    return Dataset(
        name=spec.name,
        num_classes=len(source.class_names),
        class_names=source.class_names,
        shape=shape,
        mean=entry.mean,
        std=entry.std,
        checksum=fingerprint(spec, root),
        positions=torch.from_numpy(parts.train),
        train=train,
        tune=tuned,
        select=selected,
        test=test,
    )


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CoresetBenchError(f"Reading '{name}' failed ({error}); check the folder and its rights.") from None


def _find(name: str) -> Entry:
    kind, colon, path = name.partition(":")
    if colon and kind == "imagefolder":
        if not path or path == "PATH":
            raise UsageError("'imagefolder:' needs a path after the colon, such as 'imagefolder:photos'.")
        return replace(_ANY_FOLDER, name=name, path=Path(path).expanduser())
    if name not in _ENTRIES:
        raise unknown("data set", name, _ENTRIES)
    return _ENTRIES[name]
