"""EasyCore and its contrast against one loop over samples and epochs (arXiv:2510.11018)."""

import numpy as np
import pytest

from methods.contract.planted import world_for
from methods.easycore import aign
from tests.oracles.worlds import SEEDS, assert_highest, assert_lowest, chosen, context


def average_norm(norms: np.ndarray, squared: bool) -> list[float]:
    epochs, n = norms.shape
    return [sum(float(norms[t, i]) ** (2 if squared else 1) for t in range(epochs)) / epochs for i in range(n)]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("squared", [False, True])
def test_lowest_and_highest_average_norm(seed: int, squared: bool) -> None:
    rng = np.random.default_rng(seed)
    norms = rng.gamma(1.0, 2.0, (7, 50)).astype(np.float32)
    given = context(rng.integers(0, 4, 50), {"input_grad_norm": norms})
    scores = average_norm(norms, squared)
    for k in (1, 13, 50):
        assert_lowest(chosen("easycore", given, k, {"squared": squared}), scores)
        assert_highest(chosen("aign-hard", given, k, {"squared": squared}), scores)


def test_the_square_is_another_ranking() -> None:
    """A sample with one steep epoch: the mean norm forgives it, the mean square does not."""
    norms = [[3.0, 1.6], [0.0, 1.6]]
    assert chosen("easycore", context([0, 0], {"input_grad_norm": norms}), 1) == [0]
    assert chosen("easycore", context([0, 0], {"input_grad_norm": norms}), 1, {"squared": True}) == [1]


def test_the_square_hardly_moves_the_ranks_of_a_real_proxy() -> None:
    """Summaries of the paper disagree on the square: on the planted world it is a matter of few ranks, not of ends."""
    world = world_for(("input_grad_norm",))
    plain, squared = (
        np.argsort(np.argsort(aign(world.context(0, "easycore").signals, square))) for square in (False, True)
    )
    correlation = 1 - 6 * float(((plain - squared) ** 2).sum()) / (world.n * (world.n**2 - 1))
    assert 0.95 < correlation < 1


def test_half_precision_sums_would_overflow_where_this_does_not() -> None:
    norms = np.full((3, 4), 6e4, dtype=np.float16)
    norms[:, 2] = 1.0
    assert chosen("easycore", context([0] * 4, {"input_grad_norm": norms}), 1) == [2]


def test_balanced_ranks_within_each_class() -> None:
    labels, norms = [0] * 6 + [1] * 4, np.arange(10.0)[None]
    assert sorted(chosen("easycore@balanced", context(labels, {"input_grad_norm": norms}), 5)) == [0, 1, 2, 6, 7]
