"""What an evaluation stores, on two classes of points in the plane."""

import numpy as np
import pytest
import torch

from benchmark.data import Dataset, load
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.spec import PGD, DatasetSpec, Recipe, SmallestEpsilon
from benchmark.stages.evaluate import evaluate
from benchmark.stages.train import train

IMAGES = 40


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load(DatasetSpec(name="toy"))


@pytest.fixture(scope="module")
def model(data: Dataset) -> Classifier:
    network = build("mlp", data.num_classes, data.shape, data.mean, data.std, seed=0)
    train(network, data.train, torch.arange(len(data.train)), Recipe(epochs=5, lr=0.1), seed=0)
    return network


def test_clean_sees_every_test_image_and_counts_by_class(model: Classifier, data: Dataset) -> None:
    made = evaluate({"attack": "clean", "folded": True}, model, data)
    x, y, _ = next(data.test.batches(torch.arange(len(data.test)), len(data.test)))
    right = (model(x).argmax(dim=1) == y).numpy()
    assert (made.arrays["bits"] == right).all()
    assert made.meta["clean_by_class"] == [int(right[y.numpy() == c].sum()) for c in range(2)]
    assert made.meta["forward"] == len(data.test)
    assert made.meta["backward"] == 0


def test_attacks_see_the_images_that_the_spec_names(model: Classifier, data: Dataset) -> None:
    clean = evaluate({"attack": "clean", "folded": True}, model, data).arrays["bits"][:IMAGES]
    pgd = {"attack": "pgd", "images": IMAGES, "folded": True, **PGD().canonical(), "epsilons": [0.02, 0.2], "seed": 1}
    bits = evaluate(pgd, model, data).arrays["bits"]
    assert bits.shape == (2, IMAGES)
    assert (bits[1] <= bits[0]).all()
    assert (bits[0] <= clean).all()
    radii = {
        "attack": "radii",
        "images": IMAGES,
        "folded": True,
        **SmallestEpsilon().canonical(),
        "largest": 0.2,
        "seed": 1,
    }
    levels = evaluate(radii, model, data).arrays["levels"]
    assert ((levels == 0) == ~clean).all()
    assert levels.max() <= SmallestEpsilon().levels + 1


def test_two_classes_leave_apgd_t_out_and_say_so(model: Classifier, data: Dataset) -> None:
    spec = {"attack": "autoattack", "images": IMAGES, "folded": True, "epsilon": 0.05, "batch_size": IMAGES, "seed": 1}
    made = evaluate(spec, model, data)
    assert set(made.arrays) == {"apgd-ce", "fab-t", "square"}
    assert made.meta["notes"]["omitted"] == ["apgd-t: needs at least 4 classes, there are 2"]
    assert 0 <= made.meta["notes"]["square_gain"] <= 1
    assert all(np.isin(bits, (0, 1)).all() for bits in made.arrays.values())
