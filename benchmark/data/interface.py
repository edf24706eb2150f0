"""What the rest of the benchmark sees of a data set. Imports no torch, so that annotations cost nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from benchmark.spec import Augment

if TYPE_CHECKING:
    from torch import Tensor

Shape = tuple[int, int, int]  # channels, height, width
Batch = tuple["Tensor", "Tensor", "Tensor"]  # images, labels, ids


class Images(Protocol):
    """Labelled images with ids 0 to len - 1, held in memory or read as they are asked for."""

    @property
    def labels(self) -> "Tensor":
        """int64 [n], on the CPU."""

    def __len__(self) -> int: ...

    def batches(
        self, ids: "Tensor", size: int, key: int | None = None, augment: Augment | None = None
    ) -> Iterator[Batch]:
        """Consecutive chunks of `ids`, in the order given, the last one perhaps shorter.

        Args:
            ids: int64 [m], on any device; ids may repeat.
            size: images in a batch.
            key: the key of the augmentation's draws (see `benchmark.randomness`), which depend on it and on the id
                of the image alone; None leaves the images as they are.
            augment: which augmentation; None is none.

        Yields:
            Images float32 [b, C, H, W] in [0, 1], labels int64 [b] and ids int64 [b], all on the data set's device.
            The images are the caller's to change.

        Raises:
            CoresetBenchError: an image file that is read now is missing or broken.
        """


@dataclass(frozen=True)
class Dataset:
    """A data set, divided. `train` is the pool that coresets come from: train without `tune` and `select`.

    `mean` and `std` are per channel, in units of pixels in [0, 1]; `checksum` is `benchmark.data.fingerprint`'s.
    `positions`, int64 [N] on the CPU, says where each image of the pool stands in the data set's own training part, in
    the order of torchvision or scikit-learn.
    """

    name: str
    num_classes: int
    class_names: tuple[str, ...]
    shape: Shape
    mean: tuple[float, ...]
    std: tuple[float, ...]
    checksum: str
    positions: "Tensor"
    train: Images
    tune: Images
    select: Images
    test: Images


@dataclass(frozen=True)
class Description:
    """A row of `coreset-bench datasets`. What depends on the folder or path is None."""

    name: str
    images: int | None
    classes: int | None
    size: str
    origin: str
    here: bool | None
