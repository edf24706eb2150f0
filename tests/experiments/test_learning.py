"""Epochs of learning and distances from centres, one sample at a time."""

import numpy as np
import pytest

from benchmark.experiments.learning import centre_distance, first_right, last_wrong


def test_epochs_of_a_few_histories() -> None:
    histories = np.array(
        [
            [1, 1, 1, 1],  # always right
            [0, 1, 1, 1],  # learnt in the second epoch
            [0, 1, 0, 1],  # forgotten in the third
            [1, 1, 1, 0],  # forgotten in the last
            [0, 0, 0, 0],  # never learnt
        ]
    ).T.astype(bool)
    assert first_right(histories).tolist() == [1, 2, 2, 1, 5]
    assert last_wrong(histories).tolist() == [0, 1, 3, 4, 4]


@pytest.mark.parametrize("seed", range(3))
def test_epochs_against_a_loop(seed: int) -> None:
    correct = np.random.default_rng(seed).random((7, 50)) < 0.5
    for sample, history in enumerate(correct.T):
        rights = [epoch for epoch, right in enumerate(history, start=1) if right]
        wrongs = [epoch for epoch, right in enumerate(history, start=1) if not right]
        assert first_right(correct)[sample] == (min(rights) if rights else 8)
        assert last_wrong(correct)[sample] == (max(wrongs) if wrongs else 0)


@pytest.mark.parametrize("seed", range(3))
def test_distance_is_from_the_own_class(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.array([0, 2, 2, 0, 2, 5])
    features = rng.standard_normal((6, 3)).astype(np.float32) + 10 * labels[:, None]
    for sample, (point, label) in enumerate(zip(features.astype(float), labels, strict=True)):
        own = [f for f, other in zip(features.astype(float), labels, strict=True) if other == label]
        centre = [sum(f[axis] for f in own) / len(own) for axis in range(3)]
        expected = sum((point[axis] - centre[axis]) ** 2 for axis in range(3)) ** 0.5
        assert centre_distance(features, labels)[sample] == pytest.approx(expected, abs=1e-9)
