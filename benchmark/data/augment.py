"""Augmentation of whole batches, each image by draws of its own: pure functions of a key and the images' ids."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.randomness import integers, uniform

_ROW, _COLUMN, _MIRROR, _AREA, _RATIO, _TOP, _LEFT = range(7)  # a stream of draws for each use


def shift_and_flip(x: Tensor, key: int, ids: Tensor, pad: int, flip: bool) -> Tensor:
    """Zero-pads each image by `pad` pixels, crops it back at a random place, and mirrors it with probability 1/2.

    Args:
        x: [b, C, H, W], of any dtype.
        ids: int64 [b], on the device of `x`.
    """
    if not pad and not flip:
        return x
    count, channels, height, width = x.shape
    rows = torch.arange(height, device=x.device).expand(count, height)
    columns = torch.arange(width, device=x.device).expand(count, width)
    if flip:
        columns = torch.where(integers(key, ids, 2, _MIRROR).bool()[:, None], width - 1 - columns, columns)
    if pad:
        x = F.pad(x, (pad, pad, pad, pad))
        rows = rows + integers(key, ids, 2 * pad + 1, _ROW)[:, None]
        columns = columns + integers(key, ids, 2 * pad + 1, _COLUMN)[:, None]
    index = (rows[:, :, None] * x.shape[3] + columns[:, None, :]).flatten(1)
    crops = x.flatten(2).gather(2, index[:, None, :].expand(-1, channels, -1))
    return crops.view(count, channels, height, width)


def crop_draws(key: int, ids: Tensor) -> Tensor:
    """The draws of a random resized crop, float32 [b, 4]: share of the area, aspect ratio, and place from top and left.

    Area uniform in [0.08, 1] and log-uniform ratio in [3/4, 4/3] (Szegedy et al. 2015, arXiv:1409.4842).
    """
    area = 0.08 + 0.92 * uniform(key, ids, _AREA)
    ratio = torch.exp((2 * uniform(key, ids, _RATIO) - 1) * math.log(4 / 3))
    return torch.stack([area, ratio, uniform(key, ids, _TOP), uniform(key, ids, _LEFT)], dim=1)


def crop_boxes(draws: Tensor, height: int, width: int) -> Tensor:
    """Boxes float32 [b, 4] (left, top, right, bottom), in pixels of an image of that height and width.

    A box that would stick out is cut to the image; torchvision draws again, which needs a stream of draws.
    """
    area, ratio, top, left = draws.unbind(1)
    across = torch.sqrt(area * ratio * (height * width)).clamp(max=width)
    down = torch.sqrt(area / ratio * (height * width)).clamp(max=height)
    left, top = left * (width - across), top * (height - down)
    return torch.stack([left, top, left + across, top + down], dim=1)


def resized_crop(x: Tensor, key: int, ids: Tensor) -> Tensor:
    """A random part of each image, enlarged bilinearly to the whole; x float32 [b, C, H, W]."""
    height, width = x.shape[2:]
    left, top, right, bottom = crop_boxes(crop_draws(key, ids), height, width).unbind(1)
    zero = torch.zeros_like(left)
    across = torch.stack([(right - left) / width, zero, (left + right) / width - 1], dim=1)
    down = torch.stack([zero, (bottom - top) / height, (top + bottom) / height - 1], dim=1)
    grid = F.affine_grid(torch.stack([across, down], dim=1), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)
