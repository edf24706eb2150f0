"""What a network shows without being attacked."""

import pytest
import torch
from torch import nn

from benchmark.attacks.model import logits_of
from benchmark.attacks.signs import Signs, signs
from tests.masking.planted import MASKED, Broken, World, world


@pytest.fixture(scope="module")
def honest() -> World:
    return world()


def of(model: nn.Module, w: World) -> Signs:
    return signs(model, w.x, w.y, logits_of(model, w.x, 16), 16)


def test_an_honest_network_shows_none(honest: World) -> None:
    assert of(honest.network, honest) == Signs(0, 0, 0)


@pytest.mark.parametrize("name", ["saturated", "quantised"])
def test_gradients_that_vanish(name: str, honest: World) -> None:
    found = of(MASKED[name](honest.network), honest)
    assert found.zero_gradients > 0.9
    assert (found.randomised, found.nonfinite) == (0, 0)


def test_noise_in_the_forward_pass(honest: World) -> None:
    assert of(MASKED["randomised"](honest.network), honest).randomised > 0.9


def test_rounding_is_no_noise(honest: World) -> None:
    """Kernels that add in another order move logits in their last bits."""

    class Rounded(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logits = honest.network(x)
            return logits * (1 + 1e-6 * torch.randn_like(logits))

    assert of(Rounded(), honest).randomised == 0


def test_a_verdict_that_moves_is_noise_however_small(honest: World) -> None:
    class Coin(nn.Module):
        """Two equal logits, the first one larger every other time."""

        passes = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logits = torch.ones(len(x), 10) + 0 * x.sum()
            logits[:, Coin.passes % 2] += 1e-6
            Coin.passes += 1
            return logits

    w = World(honest.network, honest.x[:16], torch.zeros(16, dtype=torch.int64), honest.ids[:16])
    coin = Coin()
    assert signs(coin, w.x, w.y, logits_of(coin, w.x, 16), 16).randomised == 1


def test_logits_that_are_no_numbers(honest: World) -> None:
    assert of(Broken(honest.network), honest) == Signs(0, 0, 1)


def test_no_images(honest: World) -> None:
    none = World(honest.network, honest.x[:0], honest.y[:0], honest.ids[:0])
    assert signs(none.network, none.x, none.y, torch.zeros(0, 10), 16) == Signs(0, 0, 0)
