"""How training is computed: memory layout, precision, compilation. None of it is another training."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmark.spec import Recipe
from benchmark.stages import train as module
from tests.trainings import BOTH, STANDARD, assert_same, differ, network, trained


@BOTH
def test_channels_last_is_another_layout_of_the_same_training(recipe: Recipe) -> None:
    recipe = recipe.model_copy(update={"epochs": 1})  # rounding grows from step to step
    other = trained(recipe.model_copy(update={"channels_last": True}), name="cnn-tiny")
    assert other.body[3].weight.is_contiguous(memory_format=torch.channels_last)
    for a, b in zip(trained(recipe, name="cnn-tiny").parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-3)


@BOTH
def test_bfloat16_trains_but_takes_its_losses_in_float32(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[torch.dtype] = set()

    def recording(loss: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda logits, *rest, **options: (seen.add(logits.dtype), loss(logits, *rest, **options))[1]

    monkeypatch.setattr(F, "kl_div", recording(F.kl_div))
    monkeypatch.setattr(F, "cross_entropy", recording(F.cross_entropy))
    model = trained(recipe.model_copy(update={"precision": "bfloat16"}), name="cnn-tiny")
    assert seen == {torch.float32}
    assert all(bool(torch.isfinite(tensor).all()) for tensor in model.state_dict().values())
    convolutions = zip(model.body[:7:3], network("cnn-tiny").body[:7:3], strict=True)
    assert all(differ(part, start) for part, start in convolutions)  # autocast keeps no weights without gradients
    assert differ(model, trained(recipe, name="cnn-tiny"))  # bfloat16 was in force


def test_auto_precision_is_resolved_when_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, precision in (("a processor", "float32"), ("a processor (AVX512-BF16)", "bfloat16")):
        monkeypatch.setattr("benchmark.spec.training.processor", lambda name=name: name)
        assert Recipe.model_validate({"epochs": 1, "precision": "auto"}).canonical()["precision"] == precision


@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_tf32_is_allowed_while_it_trains_and_at_no_other_time(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, bool]] = []

    def look() -> tuple[str, bool]:
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32

    def watching(*arguments: Any, **options: Any) -> Tensor:
        seen.append(look())
        return real(*arguments, **options)

    real, before = F.cross_entropy, look()
    monkeypatch.setattr(F, "cross_entropy", watching)
    trained(STANDARD.model_copy(update={"precision": precision}))
    assert set(seen) == {("high", True) if precision == "tf32" else ("highest", False)}
    assert look() == before


@BOTH
def test_compiled_training_is_the_same_and_its_code_serves_the_next_model(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a compiler that rewrites nothing: what is tested is the use of it."""
    graphs: list[object] = []

    def compiler(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    module._compiled_features.cache_clear()
    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda function: real(function, backend=compiler))
    compiled = recipe.model_copy(update={"compile": True, "batch_size": 20})
    one = trained(compiled, name="cnn-tiny")
    made = len(graphs)
    assert_same(one, trained(recipe.model_copy(update={"batch_size": 20}), name="cnn-tiny"))
    assert_same(one, trained(compiled, name="cnn-tiny"))
    assert len(graphs) == made > 0
    assert "features" not in vars(one)
    module._compiled_features.cache_clear()
    torch.compiler.reset()
