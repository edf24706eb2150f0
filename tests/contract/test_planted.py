"""The planted world: what is easy is learnt, what is mislabelled is not, and nothing outside it moves."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch

import methods.signals
from methods.contract.planted import BATCH, BOUNDARY, EASY, EPOCHS, HARD, MISLABELLED, planted, world_for
from methods.signals import signal_names


def test_shapes_and_shares() -> None:
    world = world_for(("loss", "probability", "correct"))
    assert world.n == 240
    assert np.bincount(world.labels).tolist() == [80, 80, 80]
    assert np.bincount(world.grades).tolist() == [120, 60, 24, 36]
    assert world.proxies[0]["loss"].shape == (EPOCHS, 240)
    assert world.proxies[0]["probability"].shape == (240, 3)
    assert world.proxies[0]["correct"].dtype == bool
    images = planted(3, 0).images
    assert images.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 1
    assert BATCH < world.n


@pytest.mark.parametrize("num_classes", [2, 3, 4])
def test_the_proxy_learns_the_easy_and_not_the_mislabelled(num_classes: int) -> None:
    world = world_for(("loss",), num_classes=num_classes)
    last = world.proxies[0]["loss"][-1]
    assert last[world.grades == EASY].max() < last[world.grades == MISLABELLED].min()
    means = [last[world.grades == grade].mean() for grade in (EASY, BOUNDARY, HARD, MISLABELLED)]
    assert means == sorted(means)
    assert means[BOUNDARY] < np.log(num_classes) < means[MISLABELLED]


def test_further_proxies_differ_and_are_as_short_as_read() -> None:
    world = world_for(("error_norm",), {"proxies": 10, "at": 0.1})
    first, second = (proxy["error_norm"] for proxy in world.proxies)
    assert first.shape == (EPOCHS, 240)
    assert second.shape == (2, 240)
    assert not np.allclose(first[:2], second)


def test_a_signal_of_an_early_epoch_is_read_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever runs longer records it at the same epoch; a further proxy stops there."""
    signal_names()
    known = methods.signals._signals
    monkeypatch.setattr(
        methods.signals, "_signals", known | {"early": replace(known["probability"], name="early", at=0.1)}
    )
    world = world_for(("early", "error_norm"), {"proxies": 2, "at": 0.05})
    first, second = world.proxies
    assert [len(proxy["error_norm"]) for proxy in world.proxies] == [EPOCHS, 2]
    for proxy in (first, second):
        error = proxy["early"] - np.eye(3)[world.labels]
        np.testing.assert_allclose(np.linalg.norm(error, axis=1), proxy["error_norm"][1], rtol=1e-5)


def test_tracing_leaves_global_generators_alone() -> None:
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    world_for(("loss", "features", "input_grad_norm"), num_classes=4)
    assert states == (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())


def test_renaming_moves_class_axes_and_labels_together() -> None:
    world = world_for(("probability",))
    renamed = world.renamed(np.array([2, 0, 1]))
    of_label = world.proxies[0]["probability"][np.arange(world.n), world.labels]
    np.testing.assert_array_equal(of_label, renamed.proxies[0]["probability"][np.arange(world.n), renamed.labels])


def test_taking_samples_takes_their_signals() -> None:
    world = world_for(("loss", "features"))
    order = np.random.default_rng(0).permutation(world.n)[:50]
    part = world.at(order)
    np.testing.assert_array_equal(part.proxies[0]["loss"], world.proxies[0]["loss"][:, order])
    np.testing.assert_array_equal(part.proxies[0]["features"], world.proxies[0]["features"][order])
    np.testing.assert_array_equal(part.grades, world.grades[order])
