"""The experiment in the plane: measures of boundaries whose answers are known, and the networks' own."""

import math

import numpy as np
import pytest

from benchmark.experiments import plane
from benchmark.spec import Recipe, Training

SIDE = plane.SIDE
SHORT = Training(model="mlp", recipe=Recipe(epochs=2, batch_size=32, lr=0.1))


def grid():
    ticks = np.linspace(0, 1, SIDE)
    return np.meshgrid(ticks, ticks)


def circle(x, y, centre, radius):
    return (x - centre[0]) ** 2 + (y - centre[1]) ** 2 - radius**2


@pytest.mark.parametrize("radius", [0.1, 0.2, 0.4])
def test_a_circle_has_its_own_length_and_curvature(radius):
    x, y = grid()
    found = plane.boundary(circle(x, y, (0.5, 0.5), radius))
    assert found.count == 1
    assert found.length == pytest.approx(2 * math.pi * radius, rel=0.01)
    assert found.turning == pytest.approx(2 * math.pi, rel=0.02)
    assert found.curvature == pytest.approx(1 / radius, rel=0.03)


def test_a_slanting_line_does_not_turn():
    x, y = grid()
    found = plane.boundary(y - 0.1 - 0.7 * x)
    assert found.count == 1
    assert found.length == pytest.approx(math.hypot(1, 0.7), rel=1e-6)
    assert found.turning < 1e-6


def test_a_wave_turns_left_and_right_alike():
    """sin with amplitude a and n half waves turns by 2 atan(slope) in each: turning does not cancel."""
    x, y = grid()
    found = plane.boundary(y - 0.5 - 0.1 * np.sin(4 * math.pi * x))
    slope = 0.1 * 4 * math.pi
    assert found.turning == pytest.approx(4 * 2 * math.atan(slope), rel=0.05)


def test_separate_pieces_are_counted_and_added_up():
    x, y = grid()
    rings = np.minimum(circle(x, y, (0.25, 0.25), 0.1), circle(x, y, (0.7, 0.7), 0.2))
    found = plane.boundary(rings)
    assert found.count == 2
    assert found.length == pytest.approx(2 * math.pi * 0.3, rel=0.01)


def test_without_a_boundary_there_is_nothing_to_measure():
    found = plane.boundary(np.ones((SIDE, SIDE)))
    assert (found.count, found.length, found.turning) == (0, 0, 0)
    assert math.isnan(found.curvature)


def test_the_field_has_heights_in_rows():
    """A network that looks at the second coordinate alone gives rows of equal values."""
    import torch
    from torch import nn

    class Height(nn.Module):
        def forward(self, x):
            height = x[:, 1, 0, 0]
            return torch.stack([torch.zeros_like(height), height - 0.25], dim=1)

    values = plane.field(Height(), 9)
    np.testing.assert_allclose(values, np.repeat(np.linspace(-0.25, 0.75, 9)[:, None], 9, axis=1), atol=1e-7)
    (piece,) = plane.boundary(values).pieces
    np.testing.assert_allclose(piece[:, 1], 0.25, atol=1e-7)


def test_subsets_are_the_lowest_scores_and_a_control_of_their_size():
    scores = np.random.default_rng(0).random(1200).round(2)  # with ties
    found = plane.subsets(scores, seed=3)
    easy = set(found[plane.EASY])
    left = [score for i, score in enumerate(scores) if i not in easy]
    assert max(scores[found[plane.EASY]]) <= min(left)
    assert [len(set(found[name])) for name in (plane.ALL, plane.EASY, plane.RANDOM)] == [1200, 720, 720]
    assert easy != set(plane.subsets(scores, seed=4)[plane.EASY])  # ties are drawn, not taken in the array's order


def test_the_points_are_those_of_the_issue_and_a_seed_gives_one_network():
    data = plane.load_plane()
    where, labels = plane.points(data)
    assert where.shape == (1200, 2)
    assert where.min() >= 0
    assert where.max() <= 1
    assert set(labels) == {0, 1}
    scores = plane.hardness(data, 0, SHORT)
    np.testing.assert_array_equal(scores, plane.hardness(data, 0, SHORT))
    easy = plane.subsets(scores, 0)[plane.EASY]
    first, again, other = (plane.learn(data, easy, seed, SHORT) for seed in (0, 0, 1))
    np.testing.assert_array_equal(plane.field(first, 21), plane.field(again, 21))
    assert not np.array_equal(plane.field(first, 21), plane.field(other, 21))
    assert 0.5 < plane.accuracy(first, data) <= 1
