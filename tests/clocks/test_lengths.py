"""How long a training is on the clock "cost": all of its budget in whole batches, under one schedule."""

import numpy as np
import pytest
import torch

from benchmark.data import Dataset, load
from benchmark.models import build
from benchmark.spec import Clock, DatasetSpec, Recipe
from benchmark.stages import train as module
from benchmark.stages.train import batches_per_epoch, total_steps, train


def sizes(samples: int, batch_size: int) -> list[int]:
    """The even batches of an epoch, larger ones first, counted out one sample at a time."""
    batches = [0] * batches_per_epoch(samples, batch_size)
    for sample in range(samples):
        batches[sample % len(batches)] += 1
    return batches


@pytest.mark.parametrize("seed", range(40))
def test_no_batch_more_fits_and_none_is_missing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples, batch_size = int(rng.integers(1, 400)), int(rng.integers(1, 70))
    asked = int(rng.integers(samples, 6 * samples + 1))
    recipe = Recipe(epochs=3, batch_size=batch_size, clock="cost")
    steps = total_steps(recipe, samples, 1000, asked)
    epoch = sizes(samples, batch_size)
    presented = [epoch[step % len(epoch)] for step in range(steps + 1)]
    assert sum(presented[:-1]) <= asked < sum(presented)


def test_something_is_trained_at_least() -> None:
    assert total_steps(Recipe(epochs=3, batch_size=8), 20, 100, 0) == 1


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load(DatasetSpec(name="digits", train=120, test=40))


@pytest.mark.parametrize("asked", [40, 97, 200])
def test_training_presents_that_many_under_one_schedule(
    asked: int, digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, int]] = []

    def watching(step: float, total: int, schedule: str) -> float:
        seen.append((step, total))
        return rate(step, total, schedule)

    rate = module.rate_factor
    monkeypatch.setattr(module, "rate_factor", watching)
    model = build("mlp", digits.num_classes, digits.shape, digits.mean, digits.std, seed=1)
    recipe = Recipe(epochs=3, batch_size=16, clock="cost")
    passes = train(model, digits.train, torch.arange(0, 120, 3), recipe, 5, presentations=asked)
    assert asked - 16 < passes.forward <= asked
    assert [step for step, _ in seen] == list(range(passes.steps))
    assert {total for _, total in seen} == {passes.steps}


def test_epochs_that_are_asked_for_in_samples_are_the_same_training(digits: Dataset) -> None:
    ids, weights = torch.arange(0, 120, 3), []
    trainings: list[tuple[Clock, int | None]] = [("epochs", None), ("cost", 3 * 40)]
    for clock, length in trainings:
        model = build("mlp", digits.num_classes, digits.shape, digits.mean, digits.std, seed=1)
        train(model, digits.train, ids, Recipe(epochs=3, batch_size=16, clock=clock), 5, presentations=length)
        weights.append(model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
