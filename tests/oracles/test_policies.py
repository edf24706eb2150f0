"""Window, stratified and beta against slow versions that walk through the samples one by one."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import beta as beta_distribution

from methods.api import Budget
from methods.sampling import beta_keys, even_budgets
from tests.oracles.worlds import SEEDS, chosen, context


def world(seed: int, n: int = 60, classes: int = 3, epochs: int = 4, **more: np.ndarray):
    rng = np.random.default_rng(seed)
    margins = rng.standard_normal((epochs, n))
    labels = rng.integers(0, classes, n)
    return context(labels, {"logit_margin": margins, "probability_margin": margins, **more}, epochs=epochs, seed=seed)


def area(given) -> list[float]:
    return [float(sum(column)) / len(column) for column in np.asarray(given.signals.logit_margin, dtype=float).T]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("skip", [0.0, 0.25, 0.29])
def test_window_keeps_what_follows_the_skipped_share(seed: int, skip: float) -> None:
    given = world(seed, n=100)
    scores = area(given)
    hardest_first = sorted(range(100), key=lambda i: scores[i])
    skipped = {0.0: 0, 0.25: 25, 0.29: 29}[skip]  # 0.29 * 100 is 28.999999999999996
    assert chosen("aum@window", given, 20, {"skip": skip}) == hardest_first[skipped : skipped + 20]
    easiest = hardest_first[100 - 90 :]
    assert set(chosen("aum@window", world(seed, n=100), 90, {"skip": skip})) == set(
        hardest_first[skipped : skipped + 90] if skipped <= 10 else easiest
    )


def allocation(sizes: list[int], k: int) -> list[int]:
    """Algorithm 1 of CCS, literally: the smallest stratum first, an even share of what is left to those to come."""
    budgets, waiting = [0] * len(sizes), list(range(len(sizes)))
    while waiting:
        smallest = min(waiting, key=lambda i: sizes[i])
        budgets[smallest] = min(sizes[smallest], k // len(waiting))
        k -= budgets[smallest]
        waiting.remove(smallest)
    return budgets


@pytest.mark.parametrize("seed", SEEDS)
def test_budgets_of_strata_are_even_and_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    for _ in range(40):
        sizes = rng.choice(60, 9, replace=False)  # no two alike, so that one answer is right
        k = int(rng.integers(0, sizes.sum() + 1))
        budgets = even_budgets(sizes, k, rng)
        assert budgets.tolist() == allocation(sizes.tolist(), k)
        assert budgets.sum() == k
    equal = np.array([even_budgets(np.full(4, 3), 6, np.random.default_rng(s)) for s in range(400)])
    assert (equal.sum(axis=1) == 6).all()
    assert abs(equal.mean(axis=0) - 1.5).max() < 0.15


def strata_of(scores: list[float], kept: list[int], strata: int) -> list[int]:
    """The stratum of each kept sample, by walking along the edges."""
    low, high = min(scores[i] for i in kept), max(scores[i] for i in kept)
    edges = [low + (high - low) * j / strata for j in range(1, strata)]
    return [sum(scores[i] >= edge for edge in edges) for i in kept]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("k", "beta"), [(7, 0.3), (30, 0.3), (30, 0.0), (55, 0.3), (1, 0.5), (60, 0.5)])
def test_stratified_drops_the_hardest_and_is_even_over_the_rest(seed: int, k: int, beta: float) -> None:
    given = world(seed)
    scores = area(given)
    hardest_first = sorted(range(60), key=lambda i: scores[i])
    kept = hardest_first[min(round(beta * 60), 60 - k) :]
    picks = chosen("aum@stratified", given, k, {"strata": 5, "beta": beta})
    assert set(picks) <= set(kept)
    strata = strata_of(scores, kept, 5)
    sizes = [strata.count(j) for j in range(5)]
    found = [sum(strata[kept.index(i)] == j for i in picks) for j in range(5)]
    assert sorted(zip(sizes, found, strict=True)) == sorted(zip(sizes, allocation(sizes, k), strict=True))


def test_every_sample_of_a_stratum_is_as_likely() -> None:
    margins = np.concatenate([np.linspace(-1, -0.9, 10), np.linspace(0.9, 1, 30)])[None]
    counts = np.zeros(40)
    for seed in range(600):
        given = context([0] * 40, {"logit_margin": margins, "probability_margin": margins}, seed=seed)
        counts[chosen("aum@stratified", given, 10, {"strata": 2, "beta": 0.0})] += 1
    for members, share in ((counts[:10], 0.5), (counts[10:], 5 / 30)):
        assert abs(members - 600 * share).max() < 4.5 * np.sqrt(600 * share * (1 - share))


def test_strata_are_of_equal_width_and_not_of_equal_number() -> None:
    margins = np.concatenate([np.zeros(36), [1.0, 2.0, 3.0, 4.0]])[None]
    given = context([0] * 40, {"logit_margin": margins, "probability_margin": margins})
    picks = chosen("aum@stratified", given, 8, {"strata": 5, "beta": 0.0})
    assert {36, 37, 38, 39} <= set(picks)


def test_the_highest_score_belongs_to_a_stratum_also_below_zero() -> None:
    """The published fault: a range that ends at the maximum times 1.0001 loses it where it is negative."""

    def counted(scores: np.ndarray, strata: int) -> int:
        low, high = scores.min(), scores.max() * 1.0001
        width = (high - low) / strata
        return sum(int(((scores >= low + j * width) & (scores < low + (j + 1) * width)).sum()) for j in range(strata))

    scores = -np.linspace(1, 2, 20)
    assert counted(scores, 5) == 19
    given = {"logit_margin": scores[None], "probability_margin": scores[None]}
    assert 0 in chosen("aum@stratified", context([0] * 20, given), 19, {"strata": 5, "beta": 0.05})


def test_classes_have_strata_and_budgets_of_their_own() -> None:
    """The published fault: every class is taken for as large as the last one."""
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    faulty = sum(int(np.sum(labels == 2) * 0.5) for _ in range(3))
    assert faulty == 30
    for name in ("aum@stratified+balanced", "ccs@balanced", "aum@window+balanced"):
        margins = np.random.default_rng(0).standard_normal((3, 100)) + 10 * labels
        picks = chosen(name, context(labels, {"logit_margin": margins, "probability_margin": margins}, epochs=3), 50)
        assert np.bincount(labels[picks]).tolist() == [25, 15, 10]
    hardest = [np.flatnonzero(labels == c)[np.argsort(margins.mean(axis=0)[labels == c])[:3]] for c in range(3)]
    kept = chosen(
        "aum@window+balanced",
        context(labels, {"logit_margin": margins, "probability_margin": margins}, epochs=3),
        50,
        {"skip": 0.15},
    )
    assert not set(np.concatenate(hardest)) & set(kept)


def successive(weights: list[float], k: int) -> list[float]:
    """How likely each sample is among the first k of a successive draw in proportion to weights, by all orders."""
    likely = [0.0] * len(weights)
    for order in permutations(range(len(weights)), k):
        left, chance = sum(weights), 1.0
        for i in order:
            chance *= weights[i] / left
            left -= weights[i]
        for i in order:
            likely[i] += chance
    return likely


def test_beta_draws_in_proportion_to_score_and_density() -> None:
    """Cho et al. 2025, section 3.3: b = 15 (1 - m) (1 - r^c), a = 16 - b, without replacement."""
    rng = np.random.default_rng(3)
    n, k, runs, c = 12, 3, 2000, 4.0
    p = rng.uniform(0.2, 0.95, (20, n))
    scores = rng.uniform(0.5, 2, n)
    mean = [sum(p[t][i] for t in range(3)) / 3 for i in range(n)]  # the first 15 % of 20 epochs
    top = sorted(range(n), key=lambda i: -scores[i])[:10]
    b = 15 * (1 - sum(mean[i] for i in top) / 10) * (1 - (1 - k / n) ** c)
    weights = [scores[i] * float(beta_distribution.pdf(mean[i], 16 - b, b)) for i in range(n)]
    wanted = successive(weights, k)
    assert max(wanted) > 0.5 > 0.1 > min(wanted)
    counts = np.zeros(n)
    for seed in range(runs):
        given = context([0] * n, {"label_probability": p}, epochs=20, seed=seed)
        values = {"c": c, "seen": 0.15, "table": "default"}
        keys = beta_keys(scores, np.arange(n), given, Budget(k, n), "mine", values)
        counts[np.argsort(-keys)[:k]] += 1
    spread = np.sqrt(runs * np.array(wanted) * (1 - np.array(wanted)))
    assert (np.abs(counts - runs * np.array(wanted)) < 4.5 * spread + 1).all()
    assert sum(wanted) == pytest.approx(k)


def test_beta_takes_the_pruned_share_and_not_the_kept_one() -> None:
    """At heavy pruning the draw leans to easy samples, at light pruning less."""
    rng = np.random.default_rng(0)
    p = np.tile(np.linspace(0.05, 0.95, 200), (20, 1))
    scores = {"label_probability": p, "loss": rng.uniform(1, 1.1, (20, 200))}

    def leaning(k: int) -> float:
        picks = [chosen("loss@high+beta", context([0] * 200, scores, epochs=20, seed=s), k)[:10] for s in range(20)]
        return float(np.mean([p[0][i] for picked in picks for i in picked]))

    assert leaning(10) > 0.85
    assert leaning(10) > leaning(180) + 0.2


def test_probabilities_of_zero_and_one_and_scores_of_zero_are_drawn_from() -> None:
    p = np.zeros((20, 40))
    p[:, 20:] = 1.0
    loss = np.ones((20, 40))
    loss[:, :10] = 0
    given = {"label_probability": p, "loss": loss}
    picks = chosen("loss@beta", context([0] * 40, given, epochs=20), 35)
    assert len(set(picks)) == 35
    assert set(range(10, 40)) == set(picks[:30])  # the short draw is filled with the score next to it: zero
