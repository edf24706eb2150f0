"""Random selection is uniform without replacement; balanced, uniform within each class."""

import numpy as np

from tests.oracles.worlds import chosen, context


def counted(name: str, labels: list[int], k: int, runs: int) -> tuple[np.ndarray, np.ndarray]:
    single, pairs = np.zeros(len(labels)), np.zeros((len(labels), len(labels)))
    for seed in range(runs):
        picks = chosen(name, context(labels, seed=seed), k)
        single[picks] += 1
        pairs[np.ix_(picks, picks)] += 1
    return single, pairs


def test_every_sample_and_every_pair_is_as_likely() -> None:
    single, pairs = counted("random", [0] * 3 + [1] * 9, 4, 3000)
    share, of_pair = 4 / 12, 4 / 12 * 3 / 11
    assert abs(single - 3000 * share).max() < 4.5 * np.sqrt(3000 * share * (1 - share))
    apart = pairs[~np.eye(12, dtype=bool)]
    assert abs(apart - 3000 * of_pair).max() < 4.5 * np.sqrt(3000 * of_pair * (1 - of_pair))


def test_balanced_keeps_the_shares_of_the_classes() -> None:
    labels = [0] * 4 + [1] * 8
    for seed in range(20):
        picks = chosen("random@balanced", context(labels, seed=seed), 6)
        assert np.bincount(np.array(labels)[picks]).tolist() == [2, 4]
    single, _ = counted("random@balanced", labels, 6, 1000)
    assert abs(single - 500).max() < 4.5 * np.sqrt(250)
