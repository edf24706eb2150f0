"""Networks: sizes, normalisation, features, stems, and initial weights that depend on the seed alone."""

import pytest
import torch
from torch import nn

from benchmark.models import build, model_names
from benchmark.models.classifier import Classifier
from methods.errors import UsageError

COLOUR = (3, 32, 32)
SMALLEST = {"cnn-tiny": (1, 8, 8), "mlp": (2, 1, 1), "vgg16": (3, 32, 32)}


def make(name: str, shape: tuple[int, int, int] = COLOUR, classes: int = 10, seed: int = 0) -> Classifier:
    channels = shape[0]
    return build(name, classes, shape, (0.4,) * channels, (0.2,) * channels, seed)


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("name", [name for name in model_names() if name != "wrn-28-10"])
def test_logits_are_the_head_of_the_features(name: str) -> None:
    shape = SMALLEST.get(name, (3, 16, 16))
    model = make(name, shape, classes=7).eval()
    x = torch.rand(2, *shape)
    logits, features = model.logits_and_features(x)
    assert logits.shape == (2, 7)
    assert features.shape == (2, model.head.in_features)
    torch.testing.assert_close(model(x), logits, rtol=0, atol=0)
    torch.testing.assert_close(model.features(x), features, rtol=0, atol=0)
    torch.testing.assert_close(features @ model.head.weight.T + model.head.bias, logits, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("resnet18", 11_173_962),
        ("resnet50", 23_520_842),
        ("vgg16", 14_728_266),
        ("wrn-28-10", 36_479_194),
        ("wrn-16-4", 2_748_890),
        ("mlp", 3 * 32 * 32 * 64 + 64 + 650),
    ],
)
def test_parameter_counts_of_the_literature(name: str, count: int) -> None:
    assert sum(parameter.numel() for parameter in make(name).parameters()) == count


def test_normalisation_is_inside_and_moves_with_the_state() -> None:
    model = build("mlp", 3, (2, 4, 4), (0.1, 0.6), (0.5, 0.25), seed=1)
    x = torch.rand(5, 2, 4, 4)
    normalised = torch.stack([(x[:, 0] - 0.1) / 0.5, (x[:, 1] - 0.6) / 0.25], dim=1)
    torch.testing.assert_close(model.features(x), model.body(normalised))
    assert {"mean", "std"} <= set(model.state_dict())


@pytest.mark.parametrize(("side", "stride", "pooled"), [(32, (1, 1), False), (64, (1, 1), False), (96, (2, 2), True)])
def test_resnet_stem_follows_the_side(side: int, stride: tuple[int, int], pooled: bool) -> None:
    body = make("resnet18", (3, side, side)).body
    assert isinstance(body.conv1, nn.Conv2d)
    assert body.conv1.stride == stride
    assert isinstance(body.maxpool, nn.MaxPool2d) is pooled


def test_stems_take_other_channel_counts() -> None:
    for shape in ((1, 32, 32), (1, 96, 96)):
        assert make("resnet18", shape).eval()(torch.rand(1, *shape)).shape == (1, 10)
    assert make("vgg16", (1, 32, 32)).eval()(torch.rand(1, 1, 32, 32)).shape == (1, 10)


def test_wide_resnet_downsamples_twice() -> None:
    body = make("wrn-16-4").body
    assert isinstance(body, nn.Sequential)
    assert body[:-3](torch.rand(1, 3, 32, 32)).shape == (1, 256, 8, 8)


@pytest.mark.parametrize("name", ["mlp", "cnn-small", "resnet18", "vgg16", "wrn-16-4"])
def test_weights_depend_on_the_seed_alone(name: str) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = weights(make(name, seed=5))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(weights(make(name, seed=5)), first)
    assert not torch.equal(weights(make(name, seed=6)), first)


def test_large_seeds_are_taken() -> None:
    assert not torch.equal(weights(make("mlp", seed=2**63 - 1)), weights(make("mlp", seed=2**31 - 1)))


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Unknown model 'resnet19'; did you mean 'resnet18'\?"):
        make("resnet19")


def test_too_small_an_image_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="'vgg16' needs images of at least 32x32 pixels and gets 8x8"):
        make("vgg16", (1, 8, 8))
