"""Images read from files by Pillow: all at once into memory, or streamed, decoded by threads ahead of their use."""

import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from math import ceil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from benchmark.data.augment import crop_boxes, crop_draws, shift_and_flip
from benchmark.data.interface import Batch
from benchmark.spec import Augment
from methods.errors import CoresetBenchError

_AHEAD = 3  # batches in decoding while one is in use


def decode(path: Path, size: int, draw: Tensor | None = None) -> NDArray[np.uint8]:
    """The image as RGB, uint8 [size, size, 3]: its largest centred square, or the part that `draw` asks for.

    `draw` is a row of `augment.crop_draws`. JPEG files are decoded at the smallest scale that is large enough.

    Raises:
        CoresetBenchError: the file is missing, truncated or not an image.
    """
    try:
        with Image.open(path) as image:
            left, top, right, bottom = _box(image.width, image.height, draw)
            image.draft(None, (ceil(size * image.width / (right - left)), ceil(size * image.height / (bottom - top))))
            box = _box(image.width, image.height, draw)
            small = image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR, box=box)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise CoresetBenchError(f"The image {path} cannot be read ({reason}); replace or remove that file.") from None
    return np.asarray(small)


def _box(width: int, height: int, draw: Tensor | None) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in pixels."""
    if draw is None:
        side = min(width, height)
        left, top = (width - side) / 2, (height - side) / 2
        return left, top, left + side, top + side
    left, top, right, bottom = crop_boxes(draw[None], height, width)[0].tolist()
    return left, top, min(right, width), min(bottom, height)  # rounding may have pushed it past the edge


def decode_all(paths: Sequence[Path], size: int, device: torch.device, what: str) -> Tensor:
    """All images, uint8 [n, 3, size, size]; shows its progress where standard error is a terminal."""
    from rich.console import Console
    from rich.progress import track

    pixels = np.empty((len(paths), 3, size, size), dtype=np.uint8)
    with _threads(device) as pool:
        decoded = pool.map(decode, paths, repeat(size))
        hidden = not sys.stderr.isatty()
        shown = track(decoded, what, total=len(paths), console=Console(stderr=True), disable=hidden, transient=True)
        for index, image in enumerate(shown):
            pixels[index] = image.transpose(2, 0, 1)
    return torch.from_numpy(pixels)


def _threads(device: torch.device) -> ThreadPoolExecutor:
    """Threads to decode in. Workers on the CPU share its cores: each decodes on one thread more than it computes on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    count = torch.get_num_threads() + 1 if device.type == "cpu" else cores
    return ThreadPoolExecutor(min(32, cores, count), thread_name_prefix="decode")


class Streamed:
    """Images read from their files in every pass; see `Images` for the interface.

    Un-augmented, an image is its largest centred square resized to `size` pixels a side, as `decode_all` has it.
    """

    def __init__(self, paths: Sequence[Path], labels: Tensor, size: int, device: torch.device) -> None:
        self.labels = labels.cpu()
        self._paths = paths
        self._size = size
        self._device = device

    def __len__(self) -> int:
        return len(self.labels)

    def batches(
        self, ids: Tensor, size: int, key: int | None = None, augment: Augment | None = None
    ) -> Iterator[Batch]:
        ids = ids.cpu()
        pool = _threads(self._device)
        pending: deque[tuple[Tensor, Iterator[NDArray[np.uint8]]]] = deque()
        try:
            for chunk in ids.split(size) if len(ids) else ():
                pending.append((chunk, self._submit(pool, chunk, key, augment)))
                if len(pending) > _AHEAD:
                    yield self._finish(*pending.popleft(), key, augment)
            while pending:
                yield self._finish(*pending.popleft(), key, augment)
        finally:  # also when the caller stops early or a file is broken
            pool.shutdown(wait=True, cancel_futures=True)

    def _submit(
        self, pool: ThreadPoolExecutor, chunk: Tensor, key: int | None, augment: Augment | None
    ) -> Iterator[NDArray[np.uint8]]:
        crops = key is not None and augment is not None and augment.resized_crop
        draws: Iterator[Tensor | None] = iter(crop_draws(key, chunk)) if crops and key is not None else repeat(None)
        return pool.map(decode, [self._paths[index] for index in chunk.tolist()], repeat(self._size), draws)

    def _finish(
        self, chunk: Tensor, decoded: Iterator[NDArray[np.uint8]], key: int | None, augment: Augment | None
    ) -> Batch:
        x = torch.from_numpy(np.stack(list(decoded)))
        if self._device.type == "cuda":
            x = x.pin_memory()
        x = x.to(self._device, non_blocking=True).permute(0, 3, 1, 2).contiguous()
        ids = chunk.to(self._device)
        if key is not None and augment is not None:
            x = shift_and_flip(x, key, ids, augment.pad, augment.flip)
        return x.float().div_(255), self.labels[chunk].to(self._device), ids
