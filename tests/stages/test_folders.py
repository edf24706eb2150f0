"""Image folders: layouts, decoding, streaming, and one sentence for whatever is wrong with them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmark.data import Dataset, Images, fingerprint, folder, load
from benchmark.data.folder import Tree
from benchmark.data.memory import InMemory
from benchmark.data.streamed import Streamed, _threads, decode
from benchmark.spec import Augment, DatasetSpec
from benchmark.vision import torchvision
from methods.errors import CoresetBenchError, UsageError

SIDE = 16


def write_images(place: Path, count: int, seed: int = 0) -> None:
    """Smooth colour images of several shapes; every third one is grey, every second one a PNG."""
    place.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for index in range(count):
        coarse = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((30 + index, 24), Image.Resampling.BICUBIC)
        image = image.convert("L") if index % 3 == 0 else image
        image.save(place / f"{index}.{'png' if index % 2 else 'JPEG'}")


def write_set(place: Path, per_class: int = 12, names: tuple[str, ...] = ("ant", "bee", "cat")) -> Path:
    for seed, name in enumerate(names):
        write_images(place / "train" / name, per_class, seed)
        write_images(place / "val" / name, 4, seed + 50)
    return place


def spec(place: Path, size: int | None = SIDE, **limits: int) -> DatasetSpec:
    return DatasetSpec(name=f"imagefolder:{place}", size=size, **limits)


def pixels(images: Images, key: int | None = None, augment: Augment | None = None) -> torch.Tensor:
    return torch.cat([x for x, _, _ in images.batches(torch.arange(len(images)), 5, key, augment)])


def test_train_and_val_folders_make_the_parts(tmp_path: Path) -> None:
    data = load(spec(write_set(tmp_path)))
    assert [len(part) for part in (data.train, data.tune, data.select, data.test)] == [32, 2, 2, 12]
    assert data.class_names == ("ant", "bee", "cat")
    assert data.shape == (3, SIDE, SIDE)
    assert data.test.labels.tolist() == [0, 1, 2] * 4  # every beginning of the test part holds all classes


def test_files_stand_in_the_order_of_torchvision(tmp_path: Path) -> None:
    """Nested folders, names that sort otherwise as paths than as text, capitals, and files that are no images."""
    pixel = Image.new("RGB", (2, 2))
    nested = ("a/z.jpg", "a-b/y.jpeg", "a/x/c.bmp", "deep/er/1.ppm", "Z/0.tif")
    for name in ("b.png", "A.PNG", "10.webp", "9.tiff", *nested):
        for kind in ("wren", "Auk", "owl"):
            place = tmp_path / kind / name
            place.parent.mkdir(parents=True, exist_ok=True)
            pixel.save(place)
    pixel.save(tmp_path / "owl" / "moving.gif")
    (tmp_path / "owl" / "notes.txt").write_text("no image")
    (tmp_path / "elsewhere.png").write_bytes(b"outside the class folders")
    linked = tmp_path.with_name(f"{tmp_path.name}-linked")
    linked.mkdir()
    pixel.save(linked / "l.png")
    (tmp_path / "owl" / "m").symlink_to(linked)
    theirs, ours = torchvision.datasets.ImageFolder(tmp_path), Tree.scan(tmp_path)
    assert [(str(path), label) for path, label in zip(ours.files, ours.labels, strict=True)] == theirs.samples
    assert list(ours.class_names) == theirs.classes
    assert len(ours.files) == 28


def test_class_folders_alone_have_a_fifth_held_out(tmp_path: Path) -> None:
    data = load(spec(write_set(tmp_path, per_class=20) / "train"))
    assert len(data.test) == 12
    assert torch.bincount(data.test.labels).tolist() == [4, 4, 4]


@pytest.fixture
def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Dataset, Dataset]:
    """The same set in memory and streamed."""
    wanted = spec(write_set(tmp_path))
    held = load(wanted)
    monkeypatch.setattr(folder, "_IN_MEMORY", 0)
    streamed = load(wanted)
    assert isinstance(held.train, InMemory)
    assert isinstance(streamed.train, Streamed)
    return held, streamed


@pytest.mark.parametrize("augment", [None, Augment(pad=2, flip=True)])
def test_streaming_equals_memory(both: tuple[Dataset, Dataset], augment: Augment | None) -> None:
    held, streamed = both
    key = None if augment is None else 4
    assert torch.equal(pixels(streamed.train, key, augment), pixels(held.train, key, augment))
    assert torch.equal(streamed.train.labels, held.train.labels)
    ids = torch.tensor([4, 1, 1, 30])
    for (x, y, chunk), (x2, y2, chunk2) in zip(streamed.train.batches(ids, 3), held.train.batches(ids, 3), strict=True):
        assert torch.equal(x, x2)
        assert torch.equal(y, y2)
        assert torch.equal(chunk, chunk2)


def test_streamed_crops_depend_on_key_and_id_alone(both: tuple[Dataset, Dataset]) -> None:
    held, streamed = both
    augment = Augment(resized_crop=True, flip=True)
    whole = pixels(streamed.train, 3, augment)
    ids = torch.tensor([20, 5, 9])
    parts = torch.cat([x for x, _, _ in streamed.train.batches(ids, 2, 3, augment)])
    assert torch.equal(parts, whole[ids])
    assert not torch.equal(pixels(streamed.train, 4, augment), whole)
    assert not torch.equal(whole, pixels(streamed.train))
    assert whole.mean().item() == pytest.approx(pixels(held.train, 3, augment).mean().item(), abs=0.02)


def test_a_consumer_may_stop_early(both: tuple[Dataset, Dataset]) -> None:
    batches = both[1].train.batches(torch.arange(32), 2)
    assert next(batches)[2].tolist() == [0, 1]
    batches.close()  # type: ignore[attr-defined]


def test_decoding_threads_leave_the_cores_to_the_other_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmark.data.streamed.os.sched_getaffinity", lambda _: range(64), raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    assert _threads(torch.device("cpu"))._max_workers == 4
    assert _threads(torch.device("cuda"))._max_workers == 32


def test_decoding_is_the_shorter_side_resized_and_the_centre_cropped(tmp_path: Path) -> None:
    wide = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 60), dtype=np.uint8))
    wide.save(tmp_path / "grey.png")
    expected = np.asarray(wide.convert("RGB").resize((30, 10), Image.Resampling.BILINEAR))[:, 10:20]
    got = decode(tmp_path / "grey.png", 10)
    assert got.shape == (10, 10, 3)
    assert np.abs(got.astype(int) - expected).max() <= 1


def test_large_photographs_are_decoded_small_and_alike(tmp_path: Path) -> None:
    coarse = np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    photograph = Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC)
    photograph.save(tmp_path / "photograph.jpg", quality=95)
    photograph.save(tmp_path / "photograph.png")
    small, exact = (decode(tmp_path / f"photograph.{kind}", 32).astype(int) for kind in ("jpg", "png"))
    assert np.abs(small - exact).max() < 12


def test_the_fingerprint_follows_names_and_sizes_but_not_the_place(tmp_path: Path) -> None:
    one, other = write_set(tmp_path / "one"), write_set(tmp_path / "other")
    first = fingerprint(spec(one))
    assert fingerprint(spec(other)) == first
    assert fingerprint(spec(one, size=20)) != first
    (other / "train" / "ant" / "0.JPEG").rename(other / "train" / "ant" / "0b.JPEG")
    assert fingerprint(spec(other)) != first
    with (one / "val" / "bee" / "1.png").open("ab") as file:
        file.write(b"\0")
    assert fingerprint(spec(one)) != first


def test_imagenette_folder_is_chosen_by_size(tmp_path: Path) -> None:
    for number, name in enumerate(["imagenette-64", "imagenette-224-mini", "imagenette2-160"]):
        write_set(tmp_path / name, names=("ant", f"b{number}"))

    def found(size: int | None) -> str:
        return load(DatasetSpec(name="imagenette", size=size), tmp_path).class_names[1]

    assert [found(None), found(64), found(65), found(224), found(250)] == ["b0", "b0", "b2", "b1", "b1"]


def test_a_missing_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"There is no folder {tmp_path / 'none'}; give the path"):
        load(spec(tmp_path / "none"))
    with pytest.raises(UsageError, match="'imagefolder:' needs a path"):
        load(DatasetSpec(name="imagefolder:"))


def test_a_folder_that_may_not_be_read_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(place: Path) -> None:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr(folder.os, "scandir", refuse)
    for use in (load, fingerprint):
        with pytest.raises(CoresetBenchError, match=r"Permission denied.*; check the folder and its rights"):
            use(spec(tmp_path))


def test_one_class_is_one_sentence(tmp_path: Path) -> None:
    write_images(tmp_path / "ant", 3)
    with pytest.raises(
        UsageError, match=r"has only one class folder \('ant'\); it needs one folder of images for each"
    ):
        load(spec(tmp_path))


def test_an_empty_class_folder_is_named(tmp_path: Path) -> None:
    (write_set(tmp_path) / "train" / "dog").mkdir()
    with pytest.raises(
        UsageError, match=f"class folder {tmp_path / 'train' / 'dog'} has no images; add some or remove"
    ):
        load(spec(tmp_path))


def test_classes_of_train_and_val_must_agree(tmp_path: Path) -> None:
    write_images(write_set(tmp_path) / "val" / "dog", 2)
    with pytest.raises(UsageError, match="must have the same class folders, but only one has 'dog'"):
        load(spec(tmp_path))


def test_train_without_val_says_what_to_do(tmp_path: Path) -> None:
    write_images(tmp_path / "train" / "ant", 2)
    with pytest.raises(UsageError, match="has 'train' but neither 'val' nor 'test'; add one, or use 'imagefolder:"):
        load(spec(tmp_path))


def read_everything(wanted: DatasetSpec) -> None:
    data = load(wanted)
    for part in (data.train, data.tune, data.select):
        pixels(part)


@pytest.mark.parametrize("budget", [folder._IN_MEMORY, 0])
@pytest.mark.parametrize("kept", [0, 0.5, 0.95])
@pytest.mark.parametrize("name", ["4.JPEG", "5.png"])
def test_a_broken_image_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, budget: int, kept: float, name: str
) -> None:
    broken = write_set(tmp_path) / "train" / "bee" / name
    broken.write_bytes(broken.read_bytes()[: int(kept * broken.stat().st_size)])
    monkeypatch.setattr(folder, "_IN_MEMORY", budget)
    with pytest.raises(CoresetBenchError, match=f"The image {broken} cannot be read .*; replace or remove that file"):
        read_everything(spec(tmp_path))
