"""Registered sets, what they hold, their augmentation, and one sentence for whatever is wrong with them."""

import hashlib
import os
import pickle
import tarfile
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from benchmark.data import Images, data_root, dataset_names, describe, fingerprint, load
from benchmark.data.augment import crop_boxes, crop_draws, resized_crop, shift_and_flip
from benchmark.data.cifar import Cifar
from benchmark.data.memory import InMemory
from benchmark.randomness import integers
from benchmark.spec import Augment, DatasetSpec
from benchmark.vision import torchvision
from methods.errors import CoresetBenchError, UsageError

EVERYTHING = Augment(pad=2, flip=True, resized_crop=True)
AUGMENTS = [Augment(pad=2), Augment(flip=True), Augment(resized_crop=True), EVERYTHING]


def pixels(
    images: Images, ids: Tensor, size: int = 64, key: int | None = None, augment: Augment | None = None
) -> Tensor:
    return torch.cat([x for x, _, _ in images.batches(ids, size, key, augment)])


def in_memory(count: int = 40, shape: tuple[int, int, int] = (3, 9, 7)) -> InMemory:
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=generator)
    return InMemory(values, torch.arange(count) % 3, torch.device("cpu"))


def test_digits_have_the_stated_parts_and_pixels() -> None:
    data = load(DatasetSpec(name="digits"))
    assert [len(part) for part in (data.train, data.tune, data.select, data.test)] == [1100, 100, 97, 500]
    assert data.shape == (1, 8, 8)
    assert data.num_classes == len(data.class_names) == 10
    for part in (data.train, data.tune, data.select, data.test):
        assert part.labels.dtype == torch.int64
        share = torch.bincount(part.labels, minlength=10) / len(part)
        assert (share - 0.1).abs().max() < 0.015
    images = [pixels(part, torch.arange(len(part))) for part in (data.train, data.tune, data.select, data.test)]
    together = torch.cat(images)
    assert together.dtype == torch.float32
    assert (together.min(), together.max()) == (0, 1)
    assert len(torch.unique((together * 16).flatten(1), dim=0)) == 1797  # all digits differ, so the parts are disjoint
    assert abs(images[0].mean().item() - data.mean[0]) < 0.01
    assert abs(images[0].std().item() - data.std[0]) < 0.01


def test_toy_points_are_in_the_unit_square() -> None:
    data = load(DatasetSpec(name="toy"))
    assert len(data.train) == 1200
    assert torch.bincount(data.train.labels).tolist() == [600, 600]
    x = pixels(data.train, torch.arange(1200))
    assert x.shape == (1200, 2, 1, 1)
    assert x.min() >= 0
    assert x.max() <= 1


def test_limits_cut_the_pool_and_the_test_part() -> None:
    whole = load(DatasetSpec(name="digits"))
    part = load(DatasetSpec(name="digits", train=200, test=50, tune=40, select=30))
    assert [len(images) for images in (part.train, part.tune, part.select, part.test)] == [200, 40, 30, 50]
    assert part.checksum == whole.checksum  # the limits are the specification's, the checksum the data's
    assert torch.bincount(part.train.labels).tolist() == pytest.approx([20] * 10, abs=1)


def test_batches_are_consecutive_chunks_in_the_given_order() -> None:
    images = in_memory()
    ids = torch.tensor([5, 3, 3, 39, 0])
    batches = list(images.batches(ids, 2))
    assert [batch[2].tolist() for batch in batches] == [[5, 3], [3, 39], [0]]
    assert [batch[1].tolist() for batch in batches] == [[2, 0], [0, 0], [0]]
    assert torch.equal(torch.cat([x for x, _, _ in batches]), pixels(images, torch.arange(40))[ids])
    assert list(images.batches(ids[:0], 2)) == []


def test_changing_a_batch_changes_nothing_else() -> None:
    images = in_memory()
    before = pixels(images, torch.arange(40))
    for x, _, _ in images.batches(torch.arange(40), 8):
        x.zero_()
    assert torch.equal(pixels(images, torch.arange(40)), before)


@pytest.mark.parametrize("augment", AUGMENTS)
def test_augmentation_depends_on_key_and_id_alone(augment: Augment) -> None:
    images = in_memory()
    whole = pixels(images, torch.arange(40), 40, key=7, augment=augment)
    ids = torch.tensor([31, 2, 2, 17, 8])
    torch.testing.assert_close(pixels(images, ids, 2, key=7, augment=augment), whole[ids])
    assert not torch.equal(pixels(images, torch.arange(40), 40, key=8, augment=augment), whole)
    assert torch.equal(pixels(images, ids, augment=augment), pixels(images, ids))  # without a key: as they are


@pytest.mark.parametrize(("pad", "flip"), [(0, True), (2, False), (3, True)])
def test_shift_and_flip_agrees_with_a_loop_over_images(pad: int, flip: bool) -> None:
    x = torch.randint(0, 256, (60, 2, 5, 6), dtype=torch.uint8)
    ids = torch.arange(100, 160)
    got = shift_and_flip(x, 11, ids, pad, flip).numpy()
    rows, columns, mirrored = (integers(11, ids, high, stream) for stream, high in enumerate([2 * pad + 1] * 2 + [2]))
    for index, image in enumerate(x.numpy()):
        padded = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))
        row, column = int(rows[index]), int(columns[index])
        crop = padded[:, row : row + 5, column : column + 6]
        np.testing.assert_array_equal(got[index], crop[:, :, ::-1] if flip and mirrored[index] else crop)


def test_every_shift_and_both_mirrorings_occur() -> None:
    x = torch.zeros(400, 1, 3, 3)
    x[:, 0, 1, 0] = 1  # off the axis of the mirror
    places = {
        tuple(place.tolist()) for place in shift_and_flip(x, 0, torch.arange(400), 1, True)[:, 0].nonzero()[:, 1:]
    }
    assert places == set(product(range(3), range(3)))


def test_crop_boxes_stay_inside_and_have_the_drawn_area() -> None:
    draws = crop_draws(3, torch.arange(2000))
    left, top, right, bottom = crop_boxes(draws, 60, 80).unbind(1)
    assert left.min() >= 0
    assert top.min() >= 0
    assert right.max() <= 80.001
    assert bottom.max() <= 60.001
    share = (right - left) * (bottom - top) / 4800
    assert (share <= draws[:, 0] + 1e-5).all()
    free = ((right - left) < 79.9) & ((bottom - top) < 59.9)
    torch.testing.assert_close(share[free], draws[free, 0])


def test_resized_crop_of_a_ramp_is_the_box() -> None:
    size, ids = 32, torch.arange(50)
    ramp = (torch.arange(size) + 0.5).expand(50, 1, size, size).contiguous()
    across = torch.cat([ramp, ramp.transpose(2, 3)], dim=1)
    got = resized_crop(across, 5, ids)
    left, top, right, bottom = crop_boxes(crop_draws(5, ids), size, size).unbind(1)
    steps = (torch.arange(size) + 0.5) / size
    want_x = (left[:, None] + (right - left)[:, None] * steps).clamp(0.5, size - 0.5)
    want_y = (top[:, None] + (bottom - top)[:, None] * steps).clamp(0.5, size - 0.5)
    torch.testing.assert_close(got[:, 0, 7], want_x, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(got[:, 1, :, 9], want_y, rtol=1e-4, atol=1e-3)


def test_the_root_is_the_argument_then_the_variable_then_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORESET_BENCH_DATA", "/elsewhere")
    assert data_root(Path("/here")) == Path("/here")
    assert data_root() == Path("/elsewhere")
    monkeypatch.delenv("CORESET_BENCH_DATA")
    assert data_root() == Path("data")


def test_descriptions_say_what_is_here(tmp_path: Path) -> None:
    rows = {row.name: row for row in describe(tmp_path)}
    assert sorted(rows) == dataset_names()
    assert [name for name, row in rows.items() if row.here] == ["digits", "toy"]
    (tmp_path / "cifar-10-batches-py").mkdir()
    assert {row.name for row in describe(tmp_path) if row.here} == {"digits", "toy", "cifar10"}


def test_descriptions_count_what_loads(tmp_path: Path) -> None:
    for row in describe(tmp_path):
        if row.here:
            data = load(DatasetSpec(name=row.name), tmp_path)
            assert row.images == sum(len(part) for part in (data.train, data.tune, data.select, data.test))
            assert row.classes == data.num_classes


def test_fingerprints_know_cifar_without_its_files(tmp_path: Path) -> None:
    names = ["digits", "toy", "cifar10", "cifar100"]
    assert len({fingerprint(DatasetSpec(name=name), tmp_path) for name in names}) == 4
    for name, reader in (("cifar10", torchvision.datasets.CIFAR10), ("cifar100", torchvision.datasets.CIFAR100)):
        entry = next(entry for entry in _cifars() if entry.name == name)
        assert (entry.folder, entry.archive_md5) == (reader.base_folder, reader.tgz_md5)


def _cifars() -> list[Cifar]:
    from benchmark.data import _ENTRIES

    return [entry for entry in _ENTRIES.values() if isinstance(entry, Cifar)]


def test_unknown_set_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Unknown data set 'cifar11'; did you mean 'cifar10'\?"):
        load(DatasetSpec(name="cifar11"))


def test_a_size_is_for_folders() -> None:
    with pytest.raises(UsageError, match=r"'digits' has images of 8x8; .* leave `size = 32` out"):
        load(DatasetSpec(name="digits", size=32))


@pytest.mark.parametrize("name", ["cifar10", "imagenet", "imagenette"])
def test_data_that_are_not_there_say_where_they_belong(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"{name} is not in {tmp_path} .*CORESET_BENCH_DATA") as caught:
        load(DatasetSpec(name=name), tmp_path)
    assert ("get it with --download" in str(caught.value)) == (name == "cifar10")


def test_a_damaged_cifar_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    with pytest.raises(CoresetBenchError, match="data_batch_1 is missing; delete the folder and get it again"):
        load(DatasetSpec(name="cifar10"), tmp_path)
    (folder / "data_batch_1").write_bytes(b"cut short")
    with pytest.raises(CoresetBenchError, match=r"data_batch_1 is damaged or cut short \(its MD5 sum is not c99cafc"):
        load(DatasetSpec(name="cifar10"), tmp_path)


@pytest.fixture
def small_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in CIFAR-10's format, of 120 images a file, whose checksums torchvision accepts."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    reader, rng = torchvision.datasets.CIFAR10, np.random.default_rng(0)

    def written(name: str, content: dict[str, object]) -> tuple[str, str]:
        (folder / name).write_bytes(pickle.dumps(content))
        return name, hashlib.md5((folder / name).read_bytes()).hexdigest()

    def batch(name: str) -> tuple[str, str]:
        values = rng.integers(0, 256, (120, 3072), dtype=np.uint8)
        return written(name, {"data": values, "labels": [i % 10 for i in range(120)]})

    monkeypatch.setattr(reader, "train_list", [batch("data_batch_1")])
    monkeypatch.setattr(reader, "test_list", [batch("test_batch")])
    name, md5 = written("batches.meta", {"label_names": list("abcdefghij")})
    monkeypatch.setattr(reader, "meta", {"filename": name, "key": "label_names", "md5": md5})
    return tmp_path


def test_data_that_are_there_are_read_without_writing(small_cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--download in a folder that is shared and read-only."""

    def refuse(place: Path) -> None:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr("filelock.FileLock", refuse)
    spec = DatasetSpec(name="cifar10", tune=10, select=10)
    assert len(load(spec, small_cifar, download=True).train) == 100
    assert not list(small_cifar.glob(".*"))
    (small_cifar / "cifar-10-batches-py" / "test_batch").write_bytes(b"cut short")
    with pytest.raises(CoresetBenchError, match=r"Downloading cifar10 .* failed .*Permission denied"):
        load(spec, small_cifar, download=True)


def test_a_damaged_file_is_downloaded_again_if_asked(small_cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = torchvision.datasets.CIFAR10
    folder, archive = small_cifar / "cifar-10-batches-py", small_cifar / reader.filename  # as if fetched already
    with tarfile.open(archive, "w:gz") as made:
        made.add(folder, folder.name)
    monkeypatch.setattr(reader, "tgz_md5", hashlib.md5(archive.read_bytes()).hexdigest())
    (folder / "data_batch_1").write_bytes(b"cut short")
    spec = DatasetSpec(name="cifar10", tune=10, select=10)
    with pytest.raises(CoresetBenchError, match="data_batch_1 is damaged or cut short"):
        load(spec, small_cifar)
    assert len(load(spec, small_cifar, download=True).train) == 100


def test_a_failed_download_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", (tmp_path / "none.tar.gz").as_uri())
    with pytest.raises(CoresetBenchError, match=r"Downloading cifar10 from file:.* failed .*; try again, or unpack"):
        load(DatasetSpec(name="cifar10"), tmp_path / "new", download=True)


@pytest.mark.data
@pytest.mark.skipif(
    not (data_root() / "cifar-10-batches-py").is_dir() or "CORESET_BENCH_DATA" not in os.environ,
    reason="CORESET_BENCH_DATA does not name a folder with CIFAR-10",
)
def test_cifar10_as_published() -> None:
    data = load(DatasetSpec(name="cifar10", train=5000))
    assert [len(part) for part in (data.train, data.tune, data.select, data.test)] == [5000, 2500, 2500, 10_000]
    assert torch.bincount(data.train.labels).tolist() == [500] * 10
    assert data.test.labels[:8].tolist() == [3, 8, 8, 0, 6, 6, 1, 6]  # a cat, two ships, an aeroplane, two frogs …
    assert data.class_names[3] == "cat"
    x = pixels(data.train, torch.arange(5000))
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.tensor(data.mean), rtol=0, atol=0.01)
    torch.testing.assert_close(x.std((0, 2, 3)), torch.tensor(data.std), rtol=0, atol=0.01)
