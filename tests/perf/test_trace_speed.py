"""What recording adds to a proxy's training, both within one run.

The baseline is plain training: a ratio of 1 / 1.10 says that the traced run costs 1.10 times as much.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmark.data import Dataset, load
from benchmark.data.memory import InMemory
from benchmark.spec import Augment, DatasetSpec, Recipe, Training
from benchmark.stages.trace import trace
from tests.perf.conftest import FULL

pytestmark = [pytest.mark.worker, pytest.mark.usefixtures("as_in_workers")]

ONLINE = ["correct", "logit_margin", "probability_margin", "label_probability", "probability_shift"]
SNAPSHOTS = ["input_grad_norm", "error_norm", "last_layer_grad_norm", "loss", "probability", "features"]
KINDS = {"online": (ONLINE, 1 / 1.10), "every snapshot": (ONLINE + SNAPSHOTS, 1 / 1.6)}
AUGMENT = Augment(pad=4, flip=True)
PROXIES = {
    "mlp": Training(model="mlp", recipe=Recipe(epochs=60, batch_size=32, lr=0.07)),
    "cnn-small": Training(model="cnn-small", recipe=Recipe(epochs=15, batch_size=64, augment=AUGMENT)),
    "cnn-small, channels last": Training(
        model="cnn-small", recipe=Recipe(epochs=15, batch_size=64, channels_last=True, augment=AUGMENT)
    ),
}


@cache
def noise(count: int) -> Dataset:
    """Random images of CIFAR-10's shape: time does not depend on what they show."""
    generator = torch.Generator().manual_seed(0)

    def part(size: int) -> InMemory:
        pixels = torch.randint(0, 256, (size, 3, 32, 32), dtype=torch.uint8, generator=generator)
        return InMemory(pixels, torch.randint(0, 10, (size,), generator=generator), torch.device("cpu"))

    names = tuple("abcdefghij")
    held_out = [part(10) for _ in range(3)]
    return Dataset(
        "noise", 10, names, (3, 32, 32), (0.5,) * 3, (0.25,) * 3, "", torch.arange(count), part(count), *held_out
    )


@pytest.mark.parametrize("who", ["baseline", "ours"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("proxy", PROXIES)
def test_recording(benchmark: BenchmarkFixture, compare: Callable[..., Any], proxy: str, kind: str, who: str) -> None:
    images, epochs = (100, 1) if benchmark.disabled else (2000 if FULL else 1000, 2)
    data = noise(images)
    if proxy == "mlp":
        data, epochs = load(DatasetSpec(name="digits")), 1 if benchmark.disabled else 60  # a second or so
    needs, target = KINDS[kind]
    asked = needs if who == "ours" else []
    once = partial(trace, data, PROXIES[proxy], 0, epochs, asked, "cpu")
    arrays, *_ = compare(f"trace, {kind}: {proxy}", who, once, rounds=5, target=target)
    assert set(arrays) == set(asked)
