"""How a score becomes exactly k picks."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from methods import registry
from methods.api import Budget, Context, Signals
from methods.contract import run_contract
from methods.errors import CoresetBenchError, UsageError
from methods.policies import check_default, check_policy, choose, class_budgets, class_turns, combine
from methods.sampling import published


def picks(scores: list[float], labels: list[int], k: int, policy: str, seed: int = 0, classes: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    context = Context(np.array(labels), classes or max(labels) + 1, Signals({}, 0), rng)
    return choose(np.array(scores), rng.permutation(len(labels)), context, Budget(k, len(labels)), policy, "mine")


def test_low_and_high_are_absolute_and_best_first() -> None:
    scores = [0.3, 0.1, 0.5, 0.2, 0.4]
    assert picks(scores, [0] * 5, 3, "low").tolist() == [1, 3, 0]
    assert picks(scores, [0] * 5, 3, "high").tolist() == [2, 4, 0]


@pytest.mark.parametrize("n", [7, 8])
def test_middle_is_a_band_around_the_median_rank_and_nests(n: int) -> None:
    smaller: set[int] = set()
    for k in range(1, n + 1):
        band = sorted(picks(list(range(n)), [0] * n, k, "middle").tolist())
        assert band == list(range(band[0], band[0] + k))
        assert abs((band[0] + band[-1]) / 2 - (n - 1) / 2) <= 0.5
        assert smaller <= set(band)
        smaller = set(band)


def test_ties_are_broken_by_the_generator_and_never_by_position() -> None:
    for policy in ("low", "high", "middle", "low+balanced"):
        counts = np.zeros(20)
        for seed in range(300):
            counts[picks([1.0] * 20, [0, 1] * 10, 5, policy, seed)] += 1
        assert abs(counts - 75).max() < 5 * np.sqrt(300 * 0.25 * 0.75), policy


def test_only_ties_are_left_to_the_generator() -> None:
    scores = [0.0, 1.0, 1.0, 1.0, 2.0]
    seen = {tuple(sorted(picks(scores, [0] * 5, 2, "low", seed))) for seed in range(60)}
    assert seen == {(0, 1), (0, 2), (0, 3)}


@pytest.mark.parametrize("policy", ["low", "high", "middle"])
def test_budgets_nest(policy: str) -> None:
    scores = np.random.default_rng(0).integers(0, 4, 40).astype(float).tolist()
    whole = picks(scores, [0] * 40, 40, policy, seed=3)
    for k in (1, 7, 20, 39):
        assert picks(scores, [0] * 40, k, policy, seed=3).tolist() == whole[:k].tolist()


def test_balanced_takes_the_end_within_each_class() -> None:
    labels = [0] * 6 + [1] * 3
    scores = [5, 4, 3, 2, 1, 0, 102, 101, 100]
    assert set(picks(scores, labels, 3, "low+balanced")) == {5, 4, 8}
    assert set(picks(scores, labels, 3, "high+balanced")) == {0, 1, 6}


def largest_remainder(counts: list[int], k: int) -> tuple[list[int], Fraction]:
    """Floors of the exact quotas, and the smallest remainder that may still be rounded up."""
    quotas = [Fraction(k * c, sum(counts)) for c in counts]
    floors = [q.numerator // q.denominator for q in quotas]
    left = k - sum(floors)
    remainders = sorted((q - f for q, f in zip(quotas, floors, strict=True)), reverse=True)
    return floors, remainders[left - 1] if left else Fraction(2)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.data())
def test_class_budgets_are_the_largest_remainders(counts: list[int], data: st.DataObject) -> None:
    total, present = sum(counts), sum(c > 0 for c in counts)
    if not total:
        return
    k = data.draw(st.integers(1, total))
    got = class_budgets(np.array(counts), k, np.random.default_rng(data.draw(st.integers(0, 5)))).tolist()
    assert sum(got) == k
    assert all(0 <= g <= c for g, c in zip(got, counts, strict=True))
    if k < present:
        assert sorted(got, reverse=True)[:k] == [1] * k
        return
    floors, threshold = largest_remainder(counts, k)
    for g, floor, c in zip(got, floors, counts, strict=True):
        remainder = Fraction(k * c, total) - floor
        assert g - floor in (0, 1)
        if remainder > threshold:
            assert g == floor + 1
        if remainder < threshold:
            assert g == floor


def test_rounding_each_class_would_give_101_of_100() -> None:
    """The published fault: budgets rounded class by class miss the total."""
    counts = np.array([31, 31, 138])
    rounded = [int(np.floor(100 * c / counts.sum() + 0.5)) for c in counts]
    assert sum(rounded) == 101
    assert class_budgets(counts, 100, np.random.default_rng(0)).sum() == 100


def test_equal_remainders_are_drawn() -> None:
    extra = np.zeros(4)
    for seed in range(400):
        extra += class_budgets(np.array([10, 10, 10, 10]), 6, np.random.default_rng(seed)) - 1
    assert extra.sum() == 800
    assert abs(extra - 200).max() < 5 * np.sqrt(400 * 0.25)


def test_fewer_picks_than_classes_go_to_classes_that_are_drawn() -> None:
    served = np.zeros(4)
    for seed in range(300):
        budget = class_budgets(np.array([1000, 5, 0, 5]), 2, np.random.default_rng(seed))
        assert budget.max() == 1
        served += budget
    assert served[2] == 0
    assert abs(served[[0, 1, 3]] - 200).max() < 5 * np.sqrt(300 * 2 / 9)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 15), min_size=1, max_size=6), st.integers(0, 3))
def test_turns_nest_and_stay_within_one_of_the_quota(counts: list[int], seed: int) -> None:
    total = sum(counts)
    if not total:
        return
    whole = class_turns(np.array(counts), total, np.random.default_rng(seed))
    assert np.bincount(whole, minlength=len(counts)).tolist() == counts
    for k in range(1, total):
        turns = class_turns(np.array(counts), k, np.random.default_rng(seed))
        assert turns.tolist() == whole[:k].tolist()
        taken = np.bincount(turns, minlength=len(counts))
        divisors = [(2 * t - 1, c) for t, c in zip(taken, counts, strict=True) if t]
        waiting = [(2 * t + 1, c) for t, c in zip(taken, counts, strict=True) if t < c]
        # Webster's condition: no quotient that was served is smaller than one that still waits.
        assert max(Fraction(t, c) for t, c in divisors) <= min(Fraction(t, c) for t, c in waiting)


def test_scores_that_are_no_numbers_are_refused() -> None:
    for bad in (np.nan, np.inf, -np.inf):
        with pytest.raises(CoresetBenchError, match=r"'mine' scored 1 samples as NaN or infinite \(first: sample 2\)"):
            picks([0, 1, bad, 3], [0] * 4, 2, "low")
    with pytest.raises(CoresetBenchError, match="shape"):
        picks([[0, 1]], [0, 0], 1, "low")  # type: ignore[list-item]


def test_policies_are_spelled_and_combined() -> None:
    assert check_policy("low+balanced") == "low+balanced"
    assert combine("high", None) == "high"
    assert combine("high", "balanced") == "high+balanced"
    assert combine("high", "low") == "low"
    assert combine("high", "low+balanced") == "low+balanced"
    assert combine("high+balanced", "balanced") == "high+balanced"
    for contradiction in ("low+high", "balanced+balanced", "low+middle+balanced"):
        with pytest.raises(UsageError, match="contradicts itself"):
            check_policy(contradiction)
    with pytest.raises(UsageError, match="did you mean 'balanced'"):
        check_policy("low+balance")
    with pytest.raises(UsageError, match="Unknown policy"):
        check_policy("")


def test_a_way_starts_at_the_hard_end() -> None:
    assert combine("high", "window", "hard") == "high+window"
    assert combine("low", "window", "hard") == "low+window"
    assert combine("low", "stratified", "easy") == "high+stratified"
    assert combine("high", "balanced+window", "hard") == "high+window+balanced"
    assert combine("low+stratified", "window") == "low+window"
    assert combine("low+stratified", "balanced") == "low+stratified+balanced"
    assert combine("high+beta", "high") == "high"
    for default, direction in (("middle", "middle"), ("low", "any"), ("high", "cover")):
        with pytest.raises(UsageError, match=r"which end of its scores is hard; write '@high\+window' or '@low"):
            combine(default, "window", direction, "mine")
        assert combine(default, "low+window", direction) == "low+window"


def test_ways_that_mean_nothing_are_refused() -> None:
    for policy in ("window+stratified", "high+low+window", "window+window"):
        with pytest.raises(UsageError, match="contradicts itself"):
            check_policy(policy)
    with pytest.raises(UsageError, match=r"no end to start from; write 'high\+window'"):
        check_policy("middle+window")
    with pytest.raises(UsageError, match="use a score kept 'high'"):
        combine("low", "beta", "hard")
    for keep in ("window", "balanced"):
        with pytest.raises(UsageError, match="names no end"):
            check_default(keep)


def test_a_policy_brings_its_parameters_and_signals() -> None:
    method = registry.get("el2n@window", {"skip": 0.2, "proxies": 2})
    assert method.rule == "high+window"
    assert method.values == {"skip": 0.2, "proxies": 2, "at": 0.1}
    assert set(method.info.params) == {"skip", "proxies", "at"}
    drawn = registry.get("el2n@beta")
    assert set(drawn.info.needs) == {"error_norm", "label_probability"}
    assert set(registry.get("dual@high").info.params) == {"at", "window"}
    assert registry.get("ccs", {"beta": 0.1}).values["beta"] == 0.1
    with pytest.raises(UsageError, match="Unknown parameter of 'el2n' 'skip'"):
        registry.get("el2n", {"skip": 0.2})
    with pytest.raises(UsageError, match="'beta' of 'ccs' is 'half'; it takes float"):
        registry.get("ccs", {"beta": "half"})


def test_names_that_clash_are_refused_and_a_table_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    registry.method_names()
    monkeypatch.setattr(registry, "_methods", dict(registry._methods))

    @registry.score("skipping", needs="loss", keep="high", direction="hard")
    def skipping(signals, *, skip: int = 1):
        return signals.loss[-1]

    with pytest.raises(UsageError, match="'skipping' and its policy 'window' both have a parameter 'skip'"):
        registry.get("skipping@window")
    with pytest.raises(UsageError, match="both have a parameter 'beta'"):
        registry.score("clashing", needs="loss", keep="low+stratified")(lambda signals, *, beta=1.0: signals.loss[-1])
    both = registry.get("tdds@high+stratified", {"table": "paper"})
    assert both.values["table"] == "paper"
    assert both.own["table"] == "paper"


def test_promises_follow_the_policy() -> None:
    def promised(name: str) -> tuple[str, bool, bool, bool]:
        info = registry.get(name).info
        return info.direction, info.stochastic, info.nested, info.per_class

    assert promised("el2n@window") == ("hard", False, True, False)
    assert promised("el2n@low+window") == ("easy", False, True, False)
    assert promised("el2n@window+balanced") == ("hard", False, False, True)
    assert promised("aum@stratified") == ("any", True, False, False)
    assert promised("el2n@beta") == ("any", True, False, False)
    assert promised("ccs") == ("any", True, False, False)
    assert promised("ccs@low") == ("any", False, True, False)
    assert promised("tdds@low") == ("any", False, False, False)
    assert promised("random@balanced") == ("any", True, False, True)


VARIANTS = ("el2n@window", "loss@window+balanced", "aum@stratified", "forgetting@stratified+balanced", "el2n@beta")


@pytest.mark.parametrize("name", [*VARIANTS, "dual@balanced", "dual@high", "ccs@balanced"])
def test_every_way_keeps_the_contract(name: str) -> None:
    assert not [f"{o.name}: {o.message}" for o in run_contract(registry.get(name)) if not o.ok]


def test_a_window_nests_and_serves_every_budget() -> None:
    scores = list(range(20))
    whole = picks(scores, [0] * 20, 20, "high+window")
    assert whole[:18].tolist() == list(range(17, -1, -1))
    assert whole[18:].tolist() == [18, 19]
    for k in range(1, 20):
        assert picks(scores, [0] * 20, k, "high+window").tolist() == whole[:k].tolist()


@pytest.mark.parametrize("policy", ["high+stratified", "low+stratified+balanced", "low+window", "high+window+balanced"])
@pytest.mark.parametrize("scores", [[1.0] * 23, [0.0, 1.7e308, -1.7e308] + [1.0] * 20, list(range(23))])
def test_budgets_are_exact_whatever_the_scores(policy: str, scores: list[float]) -> None:
    labels = [0] * 3 + [2] * 20
    for k in (1, 2, 5, 22, 23):
        found = picks(scores, labels, k, policy, classes=4)
        assert len(found) == len(set(found.tolist())) == k


@pytest.mark.parametrize("policy", ["high+stratified", "high+window", "low+stratified+balanced"])
def test_ties_of_a_way_are_left_to_the_generator(policy: str) -> None:
    counts = np.zeros(20)
    for seed in range(300):
        counts[picks([1.0] * 20, [0, 1] * 10, 5, policy, seed)] += 1
    assert abs(counts - 75).max() < 5 * np.sqrt(300 * 0.25 * 0.75)


WRONG = [
    ("el2n@window", {"skip": 1.5}, "The share 'skip' is 1.5; it must lie in"),
    ("aum@stratified", {"beta": 1.5}, "The share 'beta' is 1.5"),
    ("aum@stratified", {"strata": 0}, "number of strata is 0"),
    ("aum@stratified", {"table": "papers"}, "did you mean 'paper'"),
    ("aum@stratified", {"table": "paper"}, 'published for 3 classes (only for 10, 100, 1000); use table="default"'),
    ("dual", {"table": "paper"}, 'published for 3 classes (only for 10, 100, 1000); use table="default"'),
    ("dual", {"seen": 0.0}, "The share 'seen' of the schedule is 0.0"),
    ("aum@high+beta", {}, "'aum' has negative scores"),
]


@pytest.mark.parametrize(("name", "params", "words"), WRONG)
def test_what_cannot_be_drawn_is_said_in_a_sentence(name: str, params: dict, words: str) -> None:
    rng = np.random.default_rng(0)
    arrays = {
        need: rng.uniform(-1 if "margin" in need else 0, 1, (20, 30))
        for need in ("error_norm", "logit_margin", "probability_margin", "label_probability")
    }
    context = Context(np.arange(30) % 3, 3, Signals(arrays, 20), rng)
    with pytest.raises(CoresetBenchError) as caught:
        registry.run(registry.get(name, params), context, Budget(10, 30))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_number_overrides_a_table_that_has_none() -> None:
    rng = np.random.default_rng(0)
    context = Context(np.arange(30) % 3, 3, Signals({"probability_margin": rng.uniform(-1, 1, (20, 30))}, 20), rng)
    assert len(registry.run(registry.get("ccs", {"table": "paper", "beta": 0.1}), context, Budget(9, 30)).indices) == 9


def test_the_nearest_published_fraction_is_taken() -> None:
    table = {10: {0.1: "tenth", 0.3: "third"}}
    assert published(table, "rule", "paper", 10, 0.02) == "tenth"
    assert published(table, "rule", "paper", 10, 0.19) == "tenth"
    assert published(table, "rule", "paper", 10, 0.21) == "third"
    assert published(table, "rule", "default", 10, 0.1) == "rule"
    assert published(table, "rule", "default", 7, 0.1) == "rule"
