"""Dynamic uncertainty, window by window and sample by sample (arXiv:2306.05175)."""

import statistics

import numpy as np
import pytest

from methods.errors import CoresetBenchError
from tests.oracles.worlds import SEEDS, assert_highest, chosen, context


def uncertainty(p: list[float], window: int) -> float:
    windows = [p[t : t + window] for t in range(len(p) - window + 1)] or [p]
    return sum(statistics.stdev(seen) for seen in windows) / len(windows)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("epochs", "window"), [(25, 10), (12, 3), (7, 10), (10, 10), (2, 10)])
def test_largest_mean_deviation_within_windows(seed: int, epochs: int, window: int) -> None:
    rng = np.random.default_rng(seed)
    p = rng.random((epochs, 40))
    given = context(rng.integers(0, 3, 40), {"label_probability": p}, epochs=epochs)
    scores = [uncertainty(p[:, i].tolist(), window) for i in range(40)]
    assert_highest(chosen("dyn-unc", given, 15, {"window": window}), scores)


def test_a_slow_drift_is_less_than_a_shake() -> None:
    """Windows, and not the whole training: the deviation over all epochs would prefer the drift."""
    drift = np.linspace(0, 1, 40)
    shake = 0.5 + 0.2 * (-1.0) ** np.arange(40)
    assert statistics.stdev(drift) > statistics.stdev(shake)
    given = context([0, 0], {"label_probability": np.stack([drift, shake], axis=1)}, epochs=40)
    assert chosen("dyn-unc", given, 1) == [1]


def test_one_epoch_tells_nothing_and_a_window_of_one_is_refused() -> None:
    given = context([0] * 6, {"label_probability": np.random.default_rng(0).random((1, 6))}, epochs=1)
    assert len(chosen("dyn-unc", given, 3)) == 3
    with pytest.raises(CoresetBenchError, match="take two at least"):
        chosen("dyn-unc", given, 3, {"window": 1})


def test_the_signal_is_the_labels_probability() -> None:
    import torch

    from methods.signals import get_signal

    logits = np.random.default_rng(0).standard_normal((5, 4))
    y = [0, 3, 1, 2, 2]
    wanted = [np.exp(row)[c] / np.exp(row).sum() for row, c in zip(logits, y, strict=True)]
    found = get_signal("label_probability").function(torch.tensor(logits), torch.tensor(y))
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-5)
