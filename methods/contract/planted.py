"""A world with known answers: planted easy, boundary, hard and mislabelled samples, and a real proxy trained on them.

Each class is a cluster in the plane, shown to the network as 4x4 images. Easy samples lie at their cluster's centre,
boundary samples just before the middle between it and the next, hard ones just behind that middle, mislabelled ones
at the centre of a cluster that is not theirs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from methods.api import HELD_OUT, Floats, Integers, Scalar, epoch_index
from methods.contract.world import Arrays, World
from methods.signals import Signal, get_signal, read_share
from methods.signals.recorder import Recorder

EASY, BOUNDARY, HARD, MISLABELLED = range(4)
PER_CLASS = {EASY: 40, BOUNDARY: 20, HARD: 8, MISLABELLED: 12}
TOWARDS = {EASY: 0.0, BOUNDARY: 0.4, HARD: 0.6, MISLABELLED: 1.0}  # the share of the way to the other cluster
EPOCHS = 20
PROXIES = 2  # a method that averages more gets as many as this: enough to tell a mean from the first one
SIDE = 4
BATCH = 16


def world_for(needs: Iterable[str], params: dict[str, Scalar] | None = None, num_classes: int = 3) -> World:
    """The planted world with the signals that a method declares, kept for the life of the process.

    A method with a parameter `proxies` gets up to two distinct ones; the further one is as short as the harness would
    train it. Takes a fraction of a second for each new set of signals.
    """
    params = params or {}
    proxies = min(PROXIES, int(params.get("proxies", 1)))
    needs = tuple(sorted(set(needs)))
    short = epoch_index(read_share(needs, params), EPOCHS) + 1
    return _world(needs, proxies, short, num_classes)


@lru_cache(maxsize=64)
def _world(needs: tuple[str, ...], proxies: int, short: int, num_classes: int) -> World:
    shown, aside = planted(num_classes, seed=0), planted(num_classes, seed=1)
    signals = {need: get_signal(need.removeprefix(HELD_OUT)) for need in needs}
    runs = [EPOCHS] + [short] * (proxies - 1) if needs else []
    recorded = tuple(traced(signals, shown, aside, epochs, seed) for seed, epochs in enumerate(runs)) or ({},)
    axes = {need: tuple(s.shape.strip("[] ").replace(" ", "").split(",")) for need, s in signals.items()}
    return World(shown.labels, num_classes, shown.grades, recorded, axes, EPOCHS, aside.labels)


@dataclass(frozen=True)
class Planted:
    """Images float32 [N, 1, 4, 4] in [0, 1], labels int64 [N] and grades int64 [N]."""

    images: NDArray[np.float32]
    labels: Integers
    grades: Integers


def planted(num_classes: int, seed: int) -> Planted:
    """80 samples a class, shuffled. The plane and its clusters are the same for every seed."""
    rng = np.random.default_rng(seed)
    angles = 2 * np.pi * np.arange(num_classes) / num_classes
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points, labels, grades = [], [], []
    for c in range(num_classes):
        following = centres[(c + 1 + np.arange(max(PER_CLASS.values())) % (num_classes - 1)) % num_classes]
        for grade, count in PER_CLASS.items():
            middle = centres[c] + TOWARDS[grade] * (following[:count] - centres[c])
            points.append(middle + 0.12 * rng.standard_normal((count, 2)))
            labels.append(np.full(count, c))
            grades.append(np.full(count, grade))
    shown = _as_images(np.concatenate(points))
    order = rng.permutation(len(shown))
    return Planted(shown[order], np.concatenate(labels)[order], np.concatenate(grades)[order])


def _as_images(points: Floats) -> NDArray[np.float32]:
    directions = np.linalg.qr(np.random.default_rng(2).standard_normal((SIDE * SIDE, 2)))[0].T
    return (0.5 + 0.8 * points @ directions).clip(0, 1).astype(np.float32).reshape(-1, 1, SIDE, SIDE)


def traced(signals: dict[str, Signal], shown: Planted, aside: Planted, epochs: int, seed: int) -> Arrays:
    """Trains a small network for `epochs` and records the signals by need, as the harness would.

    Global random state is left as found.
    """
    import torch
    from torch.nn.functional import cross_entropy

    x, y = torch.from_numpy(shown.images), torch.from_numpy(shown.labels)
    mine = [s for need, s in signals.items() if not need.startswith(HELD_OUT)]
    theirs = [s for need, s in signals.items() if need.startswith(HELD_OUT)]
    own = Recorder(mine, len(x), epochs, seed, EPOCHS)
    other = Recorder(theirs, len(aside.labels), epochs, seed, EPOCHS)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = _network(int(y.max()) + 1)
        optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        decay = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, total_iters=EPOCHS)  # the last snapshot is calm
        for epoch in range(epochs):
            model.train()
            for ids in torch.randperm(len(y)).split(BATCH):
                augmented = (x[ids] + 0.02 * torch.randn(x[ids].shape)).clamp(0, 1)
                features = model.features(augmented)
                logits = model.head(features)
                own.online(epoch, ids, augmented, y[ids], logits, features, model)
                optimiser.zero_grad()
                cross_entropy(logits, y[ids]).backward()
                optimiser.step()
            decay.step()
            for recorder, part in ((own, shown), (other, aside)):
                if recorder.wants_snapshot(epoch):
                    batch = torch.from_numpy(part.images), torch.from_numpy(part.labels), torch.arange(len(part.labels))
                    recorder.snapshot(epoch, [batch], model)
    return {**own.arrays(), **{HELD_OUT + name: array for name, array in other.arrays().items()}}


def _network(num_classes: int) -> Any:
    from torch import nn

    class Network(nn.Module):
        """A perceptron with the two members that signals rely on: `features` and a linear `head`."""

        def __init__(self) -> None:
            super().__init__()
            widths = (SIDE * SIDE, 32, 16)
            layers = [(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
            self.features = nn.Sequential(nn.Flatten(), *(part for pair in layers for part in pair), nn.Dropout(0.1))
            self.head = nn.Linear(widths[-1], num_classes)

        def forward(self, x: Any) -> Any:
            return self.head(self.features(x))

    return Network()
