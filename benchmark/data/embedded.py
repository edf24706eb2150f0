"""The two sets that need no files: scikit-learn's digits, and points in the plane."""

from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from benchmark.data.entry import Entry, Source
from methods.errors import CoresetBenchError

_DIGITS = "cefd67273315516d"  # blake2b of pixels and labels as bytes
_DIGITS_TEST = 500
_TOY_TEST = 600


@dataclass(frozen=True)
class Digits(Entry):
    """1,797 handwritten digits scanned at 8x8 pixels with values 0 to 16 (Alpaydin and Kaynak, UCI 1998)."""

    def here(self, root: Path) -> bool:
        return True

    def content(self, root: Path, side: int) -> str:
        return _DIGITS

    def read(self, root: Path, side: int, download: bool) -> Source:
        import numpy as np
        import torch
        from sklearn.datasets import load_digits

        from benchmark.data.memory import ArraySource

        values, labels = load_digits(return_X_y=True)
        pixels = values.astype(np.uint8)
        found = blake2b(pixels.tobytes() + labels.astype(np.uint8).tobytes(), digest_size=8).hexdigest()
        if found != _DIGITS:
            raise CoresetBenchError(
                f"The digits of the installed scikit-learn have checksum {found} and not {_DIGITS}; reinstall it."
            )
        return ArraySource(
            pixels=torch.from_numpy(pixels.reshape(-1, 1, 8, 8)),
            labels=labels.astype(np.int64),
            class_names=tuple("0123456789"),
            test=_DIGITS_TEST,
            scale=16,
        )


@dataclass(frozen=True)
class Toy(Entry):
    """Two interleaved half moons in [0, 1]^2 as images of two pixels, for a figure like the EasyCore paper's.

    The paper's own points are not public. The pool has 1,200 points; the held-out parts are further draws.
    """

    def here(self, root: Path) -> bool:
        return True

    def content(self, root: Path, side: int) -> str:
        return "moons-1"  # the recipe below; not a hash of its values, whose last bits differ between machines

    def read(self, root: Path, side: int, download: bool) -> Source:
        import numpy as np
        import torch
        from sklearn.datasets import make_moons

        from benchmark.data.memory import ArraySource

        points, labels = make_moons(n_samples=self.images, noise=0.15, random_state=0)
        points = (points - points.min(axis=0)) / np.ptp(points, axis=0)
        return ArraySource(
            pixels=torch.from_numpy(points.astype(np.float32).reshape(-1, 2, 1, 1)),
            labels=labels.astype(np.int64),
            class_names=("upper moon", "lower moon"),
            test=_TOY_TEST,
        )
