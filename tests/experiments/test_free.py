"""Free input gradients: exact where nothing sets them apart from AIGN's, and without a trace in the training."""

import numpy as np
import pytest
import torch

from benchmark.data import load
from benchmark.experiments.free import free_norms
from benchmark.randomness import derive_seed
from benchmark.spec import Augment, DatasetSpec, Recipe, Training
from benchmark.stages.trace import trace, unreported

DATA = DatasetSpec(name="digits", train=90)


def recipe(**changes: object) -> Recipe:
    return Recipe.model_validate({"epochs": 2, "batch_size": 32, "lr": 0.05, **changes})


def test_they_are_exact_while_the_network_stands_still() -> None:
    """No batch norm, no augmentation, no step to speak of: 90 samples make batches of 30, and 32 would be wrong."""
    data, training = load(DATA), Training(model="mlp", recipe=recipe(lr=1e-12, weight_decay=0))
    norms, _ = free_norms(data, training, derive_seed("test"), "cpu", unreported)
    arrays, *_ = trace(data, training, derive_seed("test"), 2, ["input_grad_norm"], "cpu")
    np.testing.assert_allclose(norms, arrays["input_grad_norm"], rtol=1e-4)
    assert np.ptp(norms) > 0.1


@pytest.mark.parametrize("model", ["mlp", "cnn-tiny"])
@pytest.mark.parametrize("augment", [Augment(), Augment(pad=1, flip=True)])
def test_watching_changes_no_bit_of_the_training(model: str, augment: Augment) -> None:
    data, training = load(DATA), Training(model=model, recipe=recipe(augment=augment))
    norms, watched = free_norms(data, training, 7, "cpu", unreported)
    _, plain, *_ = trace(data, training, 7, 2, [], "cpu")
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, watched.state_dict()[name]), name
    assert np.isfinite(norms).all()
    assert (norms > 0).all()
    with torch.no_grad():  # no hook is left behind
        assert not watched(torch.rand(2, *data.shape)).requires_grad
