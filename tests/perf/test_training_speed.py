"""What tracing adds to a proxy's training, and what an inner step of TRADES costs. Ratios within one run."""

import pytest
import torch
from pytest_benchmark.fixture import BenchmarkFixture

from benchmark.data import load
from benchmark.models import build
from benchmark.spec import DatasetSpec, Recipe, Training
from benchmark.trace import trace
from benchmark.train import train

SIGNALS = {
    "plain": [],
    "online": ["correct", "logit_margin", "probability_margin"],
    "all": ["correct", "logit_margin", "probability_margin", "input_grad_norm", "error_norm", "last_layer_grad_norm",
            "loss", "probability", "features"],
}  # fmt: skip
RECIPE = Recipe(epochs=3, batch_size=32, lr=0.05)


@pytest.mark.benchmark(group="one proxy on digits, 3 epochs")
@pytest.mark.parametrize("kind", SIGNALS)
def test_tracing(benchmark: BenchmarkFixture, kind: str) -> None:
    data = load(DatasetSpec(name="digits"))
    arrays, *_ = benchmark(trace, data, Training(model="mlp", recipe=RECIPE), 0, 3, SIGNALS[kind], "cpu")
    assert set(arrays) == set(SIGNALS[kind])


@pytest.mark.benchmark(group="330 digits, 3 epochs")
@pytest.mark.parametrize("objective", ["standard", "trades"])
def test_training(benchmark: BenchmarkFixture, objective: str) -> None:
    data = load(DatasetSpec(name="digits"))
    recipe = RECIPE.model_copy(update={"objective": objective, "epsilon": 0.1, "inner_step_size": 0.02})

    def once() -> int:
        model = build("mlp", data.num_classes, data.shape, data.mean, data.std, seed=0)
        return train(model, data.train, torch.arange(330), recipe, seed=0).steps

    assert benchmark(once) == 33
