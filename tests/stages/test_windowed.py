"""A model that answers for one changed square says what it says to whole images, and computes less."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from benchmark.attacks import CountedModel, windowed
from benchmark.attacks.windowed import Box, WindowedModel
from benchmark.models import build
from benchmark.models.folded import folded

GREY = ((0.5,) * 3, (0.25,) * 3)


def network(name: str, side: int) -> nn.Module:
    """Folded, in evaluation mode, after its batch norm has seen something."""
    model = build(name, 10, (3, side, side), *GREY, seed=0)
    with torch.no_grad():
        model.train()(torch.rand(8, 3, side, side, generator=torch.Generator().manual_seed(1)))
    return folded(model.eval())


@torch.no_grad()
def hold_to_whole_images(model: Callable[[Tensor], Tensor], side: int, sides: list[int]) -> None:
    """Queries one window after another, of which some images accept the change and others do not, and one leaves."""
    draw = torch.Generator().manual_seed(2)
    images = torch.rand(4, 3, side, side, generator=draw)
    remembering = WindowedModel(model, images)
    torch.testing.assert_close(remembering.logits, model(images), rtol=1e-4, atol=1e-5)
    for number, length in enumerate(sides):
        top, left = torch.randint(0, side - length + 1, (2,), generator=draw).tolist()
        box = Box(top, top + length, left, left + length)
        values = torch.rand(len(images), 3, length, length, generator=draw)
        asked = images.clone()
        asked[:, :, top : top + length, left : left + length] = values
        torch.testing.assert_close(remembering.query(box, values), model(asked), rtol=1e-4, atol=1e-5)
        better = torch.rand(len(images), generator=draw) < 0.5
        remembering.accept(better)
        images = torch.where(better[:, None, None, None], asked, images)
        if number == len(sides) // 2:
            rows = torch.tensor([True, False, True, True])
            remembering.keep(rows)
            images = images[rows]
        assert torch.equal(remembering.images, images)


@pytest.mark.parametrize("name", ["mlp", "cnn-small", "resnet18", "resnet50", "vgg16", "wrn-16-4"])
def test_every_network(name: str) -> None:
    hold_to_whole_images(network(name, 32), 32, [32, 1, 5, 13, 2, 32, 3, 1])


def test_the_stem_of_large_images() -> None:
    hold_to_whole_images(network("resnet18", 96), 96, [9, 1, 40])


@pytest.mark.parametrize(
    "layers",
    [
        [nn.Conv2d(3, 4, 1, stride=2)],  # which no window of one odd pixel reaches
        [nn.Conv2d(3, 4, 2, stride=3, padding=1), nn.Conv2d(4, 2, (1, 3), padding=(0, 1))],
        [nn.Conv2d(3, 6, 3, dilation=2, padding=2, groups=3), nn.ReLU(inplace=True), nn.Conv2d(6, 2, 4, padding=3)],
        [nn.Conv2d(3, 4, 3, padding=1, padding_mode="circular"), nn.Conv2d(4, 2, 3, padding="same")],
        [nn.ReLU6(inplace=True), nn.Conv2d(3, 2, 5)],
    ],
)
def test_every_geometry(layers: list[nn.Module]) -> None:
    torch.manual_seed(0)
    model = fx.symbolic_trace(nn.Sequential(*layers, nn.Flatten()).eval())
    hold_to_whole_images(model, 17, [1, 1, 1, 2, 3, 17, 1, 4, 1, 1])


class Overwriting(nn.Module):
    """Reads a tensor again after it was overwritten."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return (self.second(F.relu(x, inplace=True)) + x).flatten(1)


def test_other_models_are_passed_whole_images() -> None:
    torch.manual_seed(0)
    model = Overwriting().eval()
    for other in (model, fx.symbolic_trace(model), lambda x: model(x) * 2):
        hold_to_whole_images(other, 17, [1, 3, 17, 2])


def test_a_small_square_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    model = network("cnn-small", 32)
    remembering = WindowedModel(model, torch.rand(2, 3, 32, 32))
    shapes, convolve = [], F.conv2d
    monkeypatch.setattr(windowed.F, "conv2d", lambda x, *rest: shapes.append(x.shape[2:]) or convolve(x, *rest))
    with torch.no_grad():
        remembering.query(Box(10, 13, 20, 23), torch.rand(2, 3, 3, 3))
    assert [max(shape) for shape in shapes] == [7, 9, 7, 5]  # of 32, 32, 16 and 8


def test_queries_count_as_forward_passes() -> None:
    counted = CountedModel(CountedModel(network("cnn-small", 32)))
    with torch.no_grad():
        WindowedModel(counted, torch.rand(3, 3, 32, 32)).query(Box(0, 1, 0, 1), torch.rand(3, 3, 1, 1))
    assert counted.forwards == counted.model.forwards == 6
