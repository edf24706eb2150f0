"""VoG: running moments against all gradients kept, and the score within classes (arXiv:2008.11600)."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from methods.errors import CoresetBenchError, UsageError
from methods.signals import get_signal
from methods.signals.recorder import Recorder
from tests.oracles.snapshots import Network, batches, convolutional, one_by_one, perceptron, random_images
from tests.oracles.worlds import SEEDS, assert_highest, chosen, context


def label_gradient(model: Any, x: Tensor, label: int) -> list[float]:
    """Of the logit and not of the probability."""
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[0, label], x)
    return gradient.flatten().tolist()


@pytest.mark.parametrize("network", [perceptron, convolutional])
@pytest.mark.parametrize("size", [1, 22])
def test_running_moments_are_those_of_all_snapshots(network: Any, size: int) -> None:
    epochs, (x, y) = 4, random_images(1)
    recorder = Recorder([get_signal("label_logit_variation")], len(x), epochs, seed=0)
    kept = []
    for epoch in range(epochs):
        torch.manual_seed(epoch)
        model = network()
        recorder.snapshot(epoch, batches(x, y, size), model)
        kept.append(one_by_one(model, x, y, label_gradient))
        recorded = recorder.arrays()["label_logit_variation"][epoch]
        for i in range(len(x)):
            spreads = []
            for pixel in range(len(kept[0][i])):
                values = [float(gradients[i, pixel]) for gradients in kept]
                middle = math.fsum(values) / len(values)
                spreads.append(math.fsum((v - middle) ** 2 for v in values) / len(values))
            expected = [np.mean(spreads), np.mean([math.sqrt(v) for v in spreads])]
            np.testing.assert_allclose(recorded[i], expected, rtol=1e-4, atol=1e-7)
    assert np.ptp(recorded, axis=0).min() > 1e-5


def test_moments_hold_far_from_zero() -> None:
    """A large gradient that hardly changes: the mean of squares minus the square of the mean would be lost."""
    x, y = random_images(2)
    model = Network(nn.Flatten(), 16)
    weight = model.head.weight
    recorder = Recorder([get_signal("label_logit_variation")], len(x), 3, seed=0)
    with torch.no_grad():
        weight.fill_(1000.0)
    for epoch in range(3):
        recorder.snapshot(epoch, batches(x, y, 7), model)
        with torch.no_grad():
            weight += 0.125
    variance = 0.125**2 * 2 / 3
    np.testing.assert_allclose(recorder.arrays()["label_logit_variation"][2, :, 0], variance, rtol=1e-3)


def within_class(values: list[float], labels: list[int]) -> list[float]:
    scores = []
    for value, label in zip(values, labels, strict=True):
        own = [v for v, c in zip(values, labels, strict=True) if c == label]
        mean = math.fsum(own) / len(own)
        scale = math.sqrt(math.fsum((v - mean) ** 2 for v in own) / len(own))
        scores.append((value - mean) / scale if scale > 1e-12 else 0.0)
    return scores


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("spread", "axis"), [("variance", 0), ("std", 1)])
@pytest.mark.parametrize(("at", "epoch"), [(1.0, 9), (0.25, 2)])
def test_highest_within_its_class(seed: int, spread: str, axis: int, at: float, epoch: int) -> None:
    rng = np.random.default_rng(seed)
    labels, variation = rng.integers(0, 4, 50), rng.gamma(1.0, 2.0, (10, 50, 2)).astype(np.float32)
    variation *= 10.0 ** labels[:, None]  # one class varies a thousandfold, and yet has no more picks
    given = context(labels, {"label_logit_variation": variation}, epochs=10, seed=seed)
    scores = within_class(variation[epoch, :, axis].tolist(), labels.tolist())
    for k in (1, 13, 50):
        assert_highest(chosen("vog", given, k, {"spread": spread, "at": at}), scores)


def test_without_the_class_one_class_would_take_all() -> None:
    variation = np.array([1.0, 2.0, 3.0, 100.0, 200.0, 300.0])[None, :, None].repeat(2, axis=2)
    given = context([0, 0, 0, 1, 1, 1], {"label_logit_variation": variation}, epochs=1)
    assert set(chosen("vog", given, 2)) == {2, 5}
    assert set(np.argsort(variation[0, :, 0])[-2:]) == {4, 5}


def test_a_class_without_any_spread_scores_zero() -> None:
    """Between the ends of another class, also where rounding leaves the mean of equal values beside them."""
    variation = np.array([0.1] * 3 + [1.0, 2.0, 5.0] + [7.0])[None, :, None].repeat(2, axis=2)
    given = context([0, 0, 0, 1, 1, 1, 2], {"label_logit_variation": variation}, epochs=1)
    picks = chosen("vog", given, 7)
    assert picks[0] == 5
    assert set(picks[1:5]) == {0, 1, 2, 6}
    assert picks[5:] == [4, 3]


def test_what_is_not_finite_or_unknown_is_refused() -> None:
    variation = np.ones((1, 4, 2))
    variation[0, 2, 0] = np.nan
    given = context([0, 0, 1, 1], {"label_logit_variation": variation}, epochs=1)
    with pytest.raises(CoresetBenchError, match="NaN or infinite"):
        chosen("vog", given, 1)
    with pytest.raises(UsageError, match="did you mean 'variance'"):
        chosen("vog", given, 1, {"spread": "varianc"})
