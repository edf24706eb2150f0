"""EL2N and GraNd of the last layer: the mean over proxies of one early epoch (arXiv:2107.07075)."""

import math

import numpy as np
import pytest

from tests.oracles.worlds import SEEDS, assert_highest, chosen, context


def early_epoch(at: float, epochs: int) -> int:
    """The first epoch by whose end a share `at` of the schedule has passed."""
    return next(t for t in range(epochs) if (t + 1) >= at * epochs - 1e-9)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "signal"), [("el2n", "error_norm"), ("grand-last", "last_layer_grad_norm")])
@pytest.mark.parametrize("at", [0.1, 0.35, 1.0])
def test_mean_over_proxies_of_one_epoch(seed: int, name: str, signal: str, at: float) -> None:
    rng = np.random.default_rng(seed)
    epochs, n = 12, 40
    t = early_epoch(at, epochs)
    runs = [rng.random((epochs, n)).astype(np.float32), rng.random((t + 1, n)), rng.random((t + 1, n))]
    given = context(rng.integers(0, 3, n), *({signal: run} for run in runs), epochs=epochs)
    scores = [math.fsum(float(run[t, i]) for run in runs) / 3 for i in range(n)]
    assert_highest(chosen(name, given, 15, {"at": at, "proxies": 3}), scores)


def test_a_short_proxy_is_read_early_and_not_at_epoch_twenty() -> None:
    errors = np.zeros((30, 2))
    errors[2, 1] = 1.0  # 10 % of 30 epochs end with index 2
    errors[19, 0] = errors[29, 0] = 1.0
    assert chosen("el2n", context([0, 0], {"error_norm": errors}, epochs=30), 1) == [1]
