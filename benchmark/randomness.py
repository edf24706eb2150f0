"""Seeds derived from what they are for, and draws that belong to a sample rather than to a position.

Everything random in training is a pure function of (seed, epoch, sample id), so two coresets share the draws
of the samples they share, the order of picks cannot leak into training, and CPU and GPU see the same shuffle
and augmentation. The hash is splitmix64 (Steele, Lea and Flood, OOPSLA 2014), here on int64 tensors.
"""

import hashlib
import json
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # torch takes seconds to import; planning needs only the seeds
    from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15
_MULTIPLY = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)


def derive_seed(purpose: str, *parts: str | int) -> int:
    """A seed in [0, 2**63), from sha256 of its purpose and parts. Distinct purposes never share a stream."""
    text = json.dumps([purpose, *parts], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _signed(value: int) -> int:
    """The int64 with the same 64 bits."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value


def _shift(x: "Tensor", bits: int) -> "Tensor":
    """Logical right shift: int64 shifts are arithmetic, so the sign's copies are masked off."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def hash64(key: int, ids: "Tensor", stream: int = 0) -> "Tensor":
    """splitmix64 of each id under a key; int64, same shape and device as `ids`.

    `stream` separates several draws for one sample (its crop from its flip, say).
    """
    start = derive_seed("hash64", key, stream)
    x = (ids + 1) * _signed(_GOLDEN) + _signed(start)
    x = (x ^ _shift(x, 30)) * _signed(_MULTIPLY[0])
    x = (x ^ _shift(x, 27)) * _signed(_MULTIPLY[1])
    return x ^ _shift(x, 31)


def uniform(key: int, ids: "Tensor", stream: int = 0) -> "Tensor":
    """Uniform float32 draws in the open interval (0, 1), one for each id."""
    return (_shift(hash64(key, ids, stream), 41).float() + 0.5) * 2.0**-23


def integers(key: int, ids: "Tensor", high: int, stream: int = 0) -> "Tensor":
    """Uniform int64 draws in [0, high), one for each id (bias below high / 2**32)."""
    return (_shift(hash64(key, ids, stream), 32) * high) >> 32


def _pixel_ids(ids: "Tensor", shape: tuple[int, ...]) -> "Tensor":
    import torch

    size = math.prod(shape)
    return ids[:, None] * size + torch.arange(size, device=ids.device)


def uniform_images(key: int, ids: "Tensor", shape: tuple[int, ...]) -> "Tensor":
    """Uniform float32 noise in (0, 1), shape [n, *shape], the draws of each image its own."""
    return uniform(derive_seed("uniform images", key), _pixel_ids(ids, shape)).view(len(ids), *shape)


def normal_images(key: int, ids: "Tensor", shape: tuple[int, ...]) -> "Tensor":
    """Standard normal float32 noise, shape [n, *shape] (Box and Muller 1958), the draws of each image its own."""
    import torch

    bits = hash64(derive_seed("normal images", key), _pixel_ids(ids, shape))
    radius = torch.sqrt(-2 * torch.log((_shift(bits, 41).float() + 0.5) * 2.0**-23))
    angle = (bits & (2**23 - 1)).float() * (2 * math.pi * 2.0**-23)
    return (radius * torch.cos(angle)).view(len(ids), *shape)


def shuffled(key: int, ids: "Tensor") -> "Tensor":
    """The ids in an order that depends on the key and on the set of ids, not on the order they came in.

    Independent of the ids' other draws under that key: an order by the hash that also decides an image's crop would
    fill each batch with images cropped alike.
    """
    import torch

    ids = torch.sort(ids).values
    return ids[torch.argsort(hash64(derive_seed("shuffle", key), ids), stable=True)]
