"""What the registry knows of a data set before any of it is read. Imports no torch."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmark.data.interface import Images, Shape
from methods.errors import UsageError

if TYPE_CHECKING:
    import torch

    from benchmark.data.splits import Indices

HELD_OUT = 0.05  # the share of train that `tune` and `select` take where the registry states no count


class Source(ABC):
    """All images of a data set, undivided. `test`: indices of the official test part, or how many to hold out."""

    labels: "Indices"
    class_names: tuple[str, ...]
    test: "Indices | int"

    @abstractmethod
    def images(self, parts: Sequence["Indices"], device: "torch.device") -> list[Images]:
        """One `Images` for each part, its ids the positions in that part."""


@dataclass(frozen=True)
class Entry(ABC):
    """A registered data set. `shape` is the one at the registry's own image size."""

    name: str
    images: int | None
    classes: int | None
    shape: Shape
    mean: tuple[float, ...]
    std: tuple[float, ...]
    origin: str
    tune: int | None = None
    select: int | None = None

    @abstractmethod
    def here(self, root: Path) -> bool | None:
        """Whether the data are in the folder `root`; None where that is not known without a path."""

    @abstractmethod
    def content(self, root: Path, side: int) -> str:
        """A checksum of the images and labels, found without reading the images."""

    @abstractmethod
    def read(self, root: Path, side: int, download: bool) -> Source:
        """The images and labels.

        Raises:
            UsageError: the data are not there, or are laid out wrongly.
            CoresetBenchError: the data are damaged.
        """

    def files(self, root: Path, side: int) -> list[str] | None:
        """The training images' files in their order, relative to the set's folder; None where images are no files.

        Raises:
            UsageError: the data are not there, or are laid out wrongly.
        """
        return None

    def resized(self, size: int | None) -> Shape:
        """The shape of the images when a specification asks for `size` pixels a side."""
        if size not in (None, self.shape[-1]):
            raise UsageError(
                f"'{self.name}' has images of {self.shape[1]}x{self.shape[2]}; only image folders take a size, "
                f"so leave `size = {size}` out."
            )
        return self.shape
