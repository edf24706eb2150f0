"""Images that live on the device as one tensor."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from benchmark.data.augment import resized_crop, shift_and_flip
from benchmark.data.entry import Source
from benchmark.data.interface import Batch, Images
from benchmark.data.splits import Indices
from benchmark.spec import Augment

# Several batches are prepared at once, so that a batch of tiny images costs a slice and not a dozen small operations.
_BLOCK_BYTES = 8 * 2**20


class InMemory:
    """Images as a tensor on the device; see `Images` for the interface.

    Args:
        pixels: uint8 [n, C, H, W] with values 0 to `scale`, or float32 in [0, 1].
        labels: int64 [n].
    """

    def __init__(self, pixels: Tensor, labels: Tensor, device: torch.device, scale: int = 255) -> None:
        self.labels = labels.cpu()
        self._labels = labels.to(device)
        self._pixels = pixels.to(device)
        self._scale = scale

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self, ids: Tensor, size: int, key: int | None = None, augment: Augment | None = None
    ) -> Iterator[Batch]:
        if not len(ids):
            return
        ids = ids.to(self._pixels.device)
        together = max(1, _BLOCK_BYTES // (4 * self._pixels[0].numel() * size))
        for block in ids.split(size * together):
            x = self._pixels[block]
            if key is not None and augment is not None:
                if augment.resized_crop:
                    x = resized_crop(self._unit(x), key, block)
                x = shift_and_flip(x, key, block, augment.pad, augment.flip)
            yield from zip(self._unit(x).split(size), self._labels[block].split(size), block.split(size), strict=True)

    def _unit(self, x: Tensor) -> Tensor:
        return x if x.is_floating_point() else x.float().div_(self._scale)


@dataclass(frozen=True)
class ArraySource(Source):
    """A data set read as arrays: pixels as `InMemory` takes them."""

    pixels: Tensor
    labels: Indices
    class_names: tuple[str, ...]
    test: Indices | int
    scale: int = 255

    def images(self, parts: Sequence[Indices], device: torch.device) -> list[Images]:
        labels = torch.from_numpy(self.labels)
        return [InMemory(self.pixels[part], labels[part], device, self.scale) for part in map(torch.from_numpy, parts)]
