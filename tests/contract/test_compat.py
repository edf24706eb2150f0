"""Every method of `methods/compat` is caught: by the contract, or by a test of the method that it repeats wrongly.

Each case below is held against both: the faulty method fails, and the right one in its place passes.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

import numpy as np
import pytest

from methods import registry
from methods.api import Budget, Context, Scalar
from methods.contract import run_contract
from methods.functions import FunctionMethod
from tests.oracles import (
    test_acs,
    test_aum,
    test_craig,
    test_d2,
    test_facility_location,
    test_glister,
    test_gradmatch,
    test_herding,
    test_log_det,
)
from tests.oracles.worlds import assert_highest, context

Check = Callable[[FunctionMethod], None]
COMPAT = registry.compat_names()


def breaks(promise: str, **params: Scalar) -> Check:
    """A check of the contract, held to the promises of the right method."""

    def check(method: FunctionMethod) -> None:
        own = method.with_params({key: value for key, value in params.items() if key in method.info.params})
        found = {outcome.name: outcome for outcome in run_contract(own)}[promise]
        assert found.ok, found.message

    return check


def fails(test: Callable[..., None], *arguments: Any) -> Check:
    """An oracle's test, which asks the registry for the right method and gets this one."""

    def check(method: FunctionMethod) -> None:
        right = method.info.repeats or method.info.name
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(registry._methods, right, in_place_of(right, method))
            test(*arguments)

    return check


def in_place_of(right: str, method: FunctionMethod) -> FunctionMethod:
    """The method with the name and the parameters of the right one; those that it does not have are dropped."""
    params = registry.get(right).info.params

    @wraps(method.function)
    def function(*args: Any, **values: Any) -> Any:
        known = {key: v for key, v in values.items() if key not in params or key in method.info.params}
        return method.function(*args, **known)

    return replace(method, info=replace(method.info, name=right, params=params), function=function, values=params)


def presented(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, logits [T, N, C] at each presentation, and their softmax."""
    rng = np.random.default_rng(seed)
    labels, logits = rng.integers(0, 4, 40), 2 * rng.standard_normal((20, 40, 4))
    powers = np.exp(logits)
    return labels, logits, powers / powers.sum(axis=2, keepdims=True)


def picked(method: FunctionMethod, given: Context, k: int, params: dict[str, Scalar]) -> list[int]:
    own = method.with_params({key: value for key, value in params.items() if key in method.info.params})
    return own.select(given, Budget(k, given.n)).indices.tolist()


def error_norms_of_one_epoch(method: FunctionMethod) -> None:
    labels, logits, p = presented(0)
    norms = [[sum((q - (c == y)) ** 2 for c, q in enumerate(p[t, i])) ** 0.5 for i, y in enumerate(labels)]
             for t in range(20)]  # fmt: skip
    given = context(labels, {"online_logits": logits, "error_norm": norms}, epochs=20)
    assert_highest(picked(method, given, 12, {"proxies": 1, "at": 0.1}), norms[1])


def movement_over_all_windows(method: FunctionMethod) -> None:
    """Windows of 5 over 20 presentations, the last one counting most."""
    labels, logits, p = presented(0)
    shift = np.zeros((20, 40))
    for t in range(1, 20):
        for i in range(40):
            shift[t, i] = sum(now * abs(np.log(now / before)) for now, before in zip(p[t, i], p[t - 1, i], strict=True))
    scores = [
        sum(0.9 * 0.1 ** (20 - last) * np.linalg.norm(v[last - 4 : last] - v[last - 4 : last].mean())
            for last in range(5, 21))
        for v in shift.T
    ]  # fmt: skip
    given = context(labels, {"online_logits": logits, "probability_shift": shift}, epochs=20)
    assert_highest(picked(method, given, 12, {"trajectory": 1.0, "window": 5}), scores)


def beta_once(method: FunctionMethod) -> None:
    """Over several worlds, since twice the KL term does not change every choice."""
    for seed in range(8):
        fails(test_acs.test_craig_picks_the_batches_nearest_to_all_and_weighs_them_by_their_followers, seed)(method)


CAUGHT: dict[str, Check] = {
    "acs-authors": beta_once,
    "aum-ccs": breaks("exact_budget"),
    "aum-dual": fails(test_aum.test_smallest_mean_margin_first, 0, "probabilities"),
    "cal-deepcore": breaks("stated_direction"),
    "craig-deepcore": fails(test_craig.test_weights_are_whole_and_sum_to_n, 0, 20),
    "d2-class-mode": fails(test_d2.test_messages_pass_between_margins_too),
    "d2-stratified-mode": fails(test_d2.test_messages_pass_between_margins_too),
    "el2n-ccs": error_norms_of_one_epoch,
    "facility-location-deepcore": breaks("order_of_samples", batch=60),
    "forgetting-deepcore": breaks("ties_by_generator"),
    "glister-deepcore": fails(test_glister.test_the_validation_gradient_is_updated, 0),
    "gradmatch-deepcore": fails(test_gradmatch.test_the_ridge_does_not_swamp_the_gram_matrix),
    "grand-deepcore": breaks("order_of_samples", batch=100),
    "herding-deepcore": fails(test_herding.test_the_same_picks_in_the_same_order_within_each_class, 0, 0.0),
    "least-confidence-deepcore": breaks("stated_direction"),
    "log-det-deepcore": fails(test_log_det.test_each_pick_is_the_best_of_its_class, 0, "features", 0.1),
    "random-datacull": breaks("exact_budget"),
    "random-deepcore": breaks("exact_budget"),
    "stochastic-greedy-deepcore": fails(test_facility_location.test_each_pick_is_the_best_of_its_class, 0, "features"),
    "tdds-dual": movement_over_all_windows,
}


def method_of(name: str) -> FunctionMethod:
    method = registry.get(name)
    assert isinstance(method, FunctionMethod)
    return method


@pytest.mark.parametrize("name", COMPAT)
def test_the_fault_is_caught_and_the_right_method_is_not(name: str) -> None:
    faulty = method_of(name)
    right = method_of(faulty.info.repeats)
    as_promised = replace(faulty, info=replace(faulty.info, direction=right.info.direction, nested=right.info.nested))
    with pytest.raises(AssertionError):
        CAUGHT[name](as_promised)
    CAUGHT[name](right)


def test_each_is_caught_by_something() -> None:
    assert CAUGHT.keys() == set(COMPAT)


def test_they_are_no_part_of_the_field() -> None:
    field = set(registry.method_names())
    assert len(COMPAT) >= 18
    assert not field & set(COMPAT)
    for name in COMPAT:
        info = registry.get(name).info
        assert info.repeats in field
        assert not registry.get(info.repeats).info.repeats


@pytest.mark.parametrize("name", COMPAT)
def test_each_says_what_its_fault_is_and_where_it_was_read(name: str) -> None:
    method = method_of(name)
    written = f"{method.function.__doc__} {sys.modules[method.function.__module__].__doc__}"
    assert "fault" in written or name == "el2n-ccs"  # which may be a choice
    assert ".py" in written
    assert method.info.summary.endswith(".")


def test_the_names_say_whose_they_are() -> None:
    assert {name.rsplit("-", 1)[1] for name in COMPAT} == {"authors", "datacull", "deepcore", "ccs", "dual", "mode"}
    with pytest.raises(Exception, match="Two methods are called 'herding-deepcore'"):
        registry.score("herding-deepcore", needs="loss", keep="low")(lambda signals: signals.loss[-1])
