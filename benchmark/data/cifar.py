"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009), read and downloaded by torchvision, which verifies their MD5 sums."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark.data.entry import Entry, Source
from methods.errors import CoresetBenchError, UsageError


@dataclass(frozen=True)
class Cifar(Entry):
    """One of the two sets: 50,000 training and 10,000 test images in files of fixed content."""

    folder: str = ""
    reader: str = ""
    archive_md5: str = ""

    def here(self, root: Path) -> bool:
        return (root / self.folder).is_dir()

    def content(self, root: Path, side: int) -> str:
        return self.archive_md5

    def read(self, root: Path, side: int, download: bool) -> Source:
        import numpy as np
        import torch

        from benchmark.data.memory import ArraySource

        train, test = self._open(root, download)
        pixels = torch.from_numpy(np.concatenate([train.data, test.data])).permute(0, 3, 1, 2).contiguous()
        labels = np.array(train.targets + test.targets, dtype=np.int64)
        return ArraySource(
            pixels=pixels,
            labels=labels,
            class_names=tuple(train.classes),
            test=np.arange(len(train.targets), len(labels)),
        )

    def _open(self, root: Path, download: bool) -> tuple[Any, Any]:
        """torchvision's training and test part; only a download writes into the root."""
        from benchmark.vision import torchvision

        reader = getattr(torchvision.datasets, self.reader)
        if self.here(root):
            try:
                return reader(root, train=True), reader(root, train=False)
            except RuntimeError:
                if not download:
                    raise CoresetBenchError(
                        f"{self._fault(root / self.folder, reader)}; delete the folder and get it again with "
                        "--download."
                    ) from None
        elif not download:
            raise UsageError(
                f"{self.name} is not in {root} (no folder '{self.folder}'); "
                f"set CORESET_BENCH_DATA to the folder that holds it, or get it with --download."
            )
        return self._downloaded(root, reader)

    def _downloaded(self, root: Path, reader: Any) -> tuple[Any, Any]:
        """The same after a download: one, even where several workers start together."""
        from filelock import FileLock

        try:
            root.mkdir(parents=True, exist_ok=True)
            with FileLock(root / f".{self.name}.lock"):
                return reader(root, train=True, download=True), reader(root, train=False)
        except (OSError, RuntimeError) as error:
            raise CoresetBenchError(
                f"Downloading {self.name} from {reader.url} failed ({error}); "
                f"try again, or unpack that archive in {root} yourself."
            ) from None

    @staticmethod
    def _fault(folder: Path, reader: Any) -> str:
        """Which file torchvision refused."""
        from benchmark.vision import torchvision

        known = [*reader.train_list, *reader.test_list, (reader.meta["filename"], reader.meta["md5"])]
        for name, md5 in known:
            if not (folder / name).is_file():
                return f"{folder / name} is missing"
            if not torchvision.datasets.utils.check_integrity(folder / name, md5):
                return f"{folder / name} is damaged or cut short (its MD5 sum is not {md5})"
        return f"{folder} cannot be read"
