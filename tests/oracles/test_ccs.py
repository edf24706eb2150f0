"""CCS is the area under the probability margin under `stratified` (arXiv:2210.15809), whose oracle is apart."""

import numpy as np
import pytest

from methods.errors import UsageError
from tests.oracles.worlds import SEEDS, chosen, context


def world(seed: int, classes: int = 3, n: int = 400):
    rng = np.random.default_rng(seed)
    probabilities = rng.uniform(-1, 1, (5, n))
    labels = np.append(rng.integers(0, classes, n - 1), classes - 1)
    return context(labels, {"probability_margin": probabilities, "logit_margin": -probabilities}, epochs=5, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("params", [{}, {"beta": 0.2, "strata": 7}])
def test_ccs_is_stratified_aum_of_probabilities(seed: int, params: dict) -> None:
    for k in (1, 40, 300, 400):
        picks = chosen("ccs", world(seed), k, params)
        assert picks == chosen("aum@stratified", world(seed), k, {**params, "outputs": "probabilities"})
    assert chosen("ccs", world(seed), 40) != chosen("aum@stratified", world(seed), 40)  # that one reads logits


def dropped(seed: int, classes: int, k: int, **params: object) -> int:
    """How many of the hardest are out of reach: the rank of the lowest area that 40 generators ever draw."""
    given = world(seed, classes)
    rank = np.argsort(np.argsort(given.signals.probability_margin.mean(axis=0)))
    picks = [
        chosen(
            "ccs", context(given.labels, {"probability_margin": given.signals.probability_margin}, seed=s), k, params
        )  # type: ignore[arg-type]
        for s in range(40)
    ]
    return int(min(rank[picked].min() for picked in picks))


@pytest.mark.parametrize(
    ("classes", "fraction", "share"),
    [
        (10, 0.1, 0.3),
        (10, 0.2, 0.1),
        (10, 0.3, 0.1),
        (10, 0.5, 0.0),
        (10, 0.7, 0.0),
        (10, 0.05, 0.3),
        (100, 0.1, 0.5),
        (100, 0.2, 0.4),
        (100, 0.3, 0.2),
        (100, 0.5, 0.2),
        (100, 0.7, 0.1),
    ],
)
def test_the_papers_share_is_dropped(classes: int, fraction: float, share: float) -> None:
    cut = round(share * 400)
    assert cut <= dropped(0, classes, round(fraction * 400), table="paper") <= cut + 3


@pytest.mark.parametrize("fraction", [0.1, 0.3, 0.7])
def test_one_rule_in_the_fraction_alone(fraction: float) -> None:
    cut = int(0.4 * (1 - fraction) ** 2 * 400)
    for classes in (2, 10, 100):
        assert cut <= dropped(1, classes, round(fraction * 400)) <= cut + 3


def test_a_number_overrides_the_table_and_never_leaves_too_few() -> None:
    assert 80 <= dropped(0, 10, 40, table="paper", beta=0.2) <= 83
    assert dropped(0, 10, 360, beta=0.9) == 40  # at most 1 - k/N
    with pytest.raises(UsageError, match=r"only for 10, 100, 1000\); use table"):
        chosen("ccs", world(0, classes=7), 40, {"table": "paper"})


def test_the_class_balanced_mode_counts_each_class() -> None:
    """The published fault: every class is taken for as large as the last one."""

    def faulty(labels: np.ndarray, ratio: float) -> list[int]:
        for target in np.unique(labels):
            count = int((labels == target).sum())
        return [int(count * ratio) for _ in np.unique(labels)]

    labels = np.repeat([0, 1, 2], [200, 120, 80])
    assert faulty(labels, 0.25) == [20, 20, 20]
    margins = np.random.default_rng(0).uniform(-1, 1, (4, 400))
    picks = chosen("ccs@balanced", context(labels, {"probability_margin": margins}, epochs=4), 100)
    assert np.bincount(labels[picks]).tolist() == [50, 30, 20]
