"""InfoBatch against its definition, sample by sample (arXiv:2303.04947)."""

from collections.abc import Callable

import numpy as np
import pytest

from methods.api import Coreset
from methods.errors import UsageError
from tests.oracles.courses import selected
from tests.oracles.worlds import SEEDS

Judge = Callable[[list[float], list[Coreset], int], bool]


def rounds(losses: np.ndarray, epochs: int = 8, seed: int = 0, **params: float) -> list[Coreset]:
    labels = np.zeros(len(losses), dtype=int)
    return selected(
        "infobatch", labels, len(losses), epochs, [{"last_loss": losses.astype(np.float32)}], seed, params, True
    )


def weight_of(chosen: Coreset) -> dict[int, float]:
    assert chosen.weights is not None
    return dict(zip(chosen.indices.tolist(), chosen.weights.tolist(), strict=True))


def as_defined(losses: list[float], chosen: Coreset, r: float = 0.5) -> bool:
    """All at or above the mean once; of those below, the share 1 - r, each weighted 1 / (1 - r)."""
    mean = sum(losses) / len(losses)
    weights, kept, below = weight_of(chosen), 0, 0
    for i, value in enumerate(losses):
        if value < mean:
            below += 1
            kept += i in weights
            if i in weights and abs(weights[i] - 1 / (1 - r)) > 1e-12:
                return False
        elif weights.get(i) != 1:
            return False
    return kept == int((1 - r) * below)


def skewed(seed: int, n: int = 61) -> np.ndarray:
    return np.random.default_rng(seed).exponential(size=n).astype(np.float32)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("r", [0.5, 0.3, 0.0])
def test_each_epoch_drops_a_share_of_those_below_the_mean(seed: int, r: float) -> None:
    losses = skewed(seed)
    for chosen in rounds(losses, seed=seed, r=r)[:7]:
        assert as_defined(losses.tolist(), chosen, r)


def hard_half(losses: np.ndarray) -> Coreset:
    """Faulty: the lower half of those below the mean is what goes, not a random one."""
    below = [int(i) for i in np.argsort(losses) if losses[i] < losses.mean()]
    kept = sorted(set(range(len(losses))) - set(below[: len(below) - len(below) // 2]))
    return Coreset(np.array(kept), np.array([2.0 if i in below else 1.0 for i in kept]))


def test_the_definition_notices_other_rules() -> None:
    losses = skewed(0)
    right = rounds(losses)[0]
    weights = weight_of(right)
    unweighted = Coreset(right.indices, np.ones(len(right.indices)))
    upside_down = Coreset(right.indices, np.array([3 - weights[i] for i in right.indices.tolist()]))
    everyone = Coreset(np.arange(61), np.ones(61))
    assert as_defined(losses.tolist(), right)
    assert not any(as_defined(losses.tolist(), wrong) for wrong in (unweighted, upside_down, everyone))


def test_who_of_the_learned_stays_is_drawn_anew() -> None:
    losses = skewed(1)
    below = np.flatnonzero(losses < losses.mean())
    found = np.zeros(61)
    for seed in range(200):
        first, second = rounds(losses, seed=seed)[:2]
        assert set(first.indices.tolist()) != set(second.indices.tolist())
        found[first.indices] += 1
    share = len(below) // 2 / len(below)
    assert np.abs(found[below] / 200 - share).max() < 4.5 * np.sqrt(share * (1 - share) / 200)
    fixed = hard_half(losses)
    assert as_defined(losses.tolist(), fixed)  # in one epoch it cannot be told: over many it can
    assert np.abs(np.isin(below, fixed.indices) - share).max() > 4.5 * np.sqrt(share * (1 - share) / 200)


def test_weighted_sums_are_right_on_average() -> None:
    """Of anything that a sample carries, such as its gradient; without the weights they are not."""
    rng = np.random.default_rng(2)
    losses, carried = np.concatenate([rng.uniform(0, 1, 40), rng.uniform(9, 10, 20)]), rng.exponential(size=60)
    sums = [chosen.weights @ carried[chosen.indices] for s in range(500) for chosen in rounds(losses, 2, s)[:1]]
    assert np.mean(sums) == pytest.approx(carried.sum(), abs=4.5 * np.std(sums) / np.sqrt(500))
    halved = [carried[chosen.indices].sum() for s in range(500) for chosen in rounds(losses, 2, s)[:1]]
    assert abs(np.mean(halved) - carried.sum()) > 4.5 * np.std(halved) / np.sqrt(500)


@pytest.mark.parametrize(("epochs", "delta", "pruned"), [(8, 0.875, 7), (20, 0.875, 17), (20, 0.5, 10), (4, 0.0, 0)])
def test_the_last_epochs_present_everyone(epochs: int, delta: float, pruned: int) -> None:
    losses = skewed(3)
    found = rounds(losses, epochs, delta=delta)
    assert len(found) == epochs
    assert [len(chosen.indices) < 61 for chosen in found] == [True] * pruned + [False] * (epochs - pruned)
    assert all(set(weight_of(chosen).values()) == {1.0} for chosen in found[pruned:])


@pytest.mark.parametrize("value", [np.log(10), 0.1, 1e-8, 0.0])
@pytest.mark.parametrize("n", [7, 1100, 50_001])
def test_equal_losses_drop_no_one(value: float, n: int) -> None:
    """Before the first epoch no loss is known: all are equal, and none lies below their mean by rounding."""
    (chosen, *_) = rounds(np.full(n, value, dtype=np.float32), 2)
    assert sorted(chosen.indices.tolist()) == list(range(n))


def test_an_impossible_share_is_refused() -> None:
    with pytest.raises(UsageError, match=r"must lie in \[0, 1\)"):
        rounds(skewed(0), r=1.0)
