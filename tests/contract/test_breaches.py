"""Every check of the contract notices who breaks its promise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from methods import contract, registry
from methods.api import Coreset, MethodInfo
from methods.contract import CHECKS, run_contract
from methods.contract.subject import DoesNotApply
from methods.registry import FunctionMethod
from tests.contract.faulty import (
    ComputedInfo,
    Namesake,
    TakesNoParameter,
    a_favourite_class,
    asks_to_be_skipped,
    divides_by_the_norm,
    divides_by_the_spread,
    early_birds,
    fair,
    fair_picks,
    fake,
    fake_score,
    first_of_equals,
    forgets_its_order,
    fractions,
    global_drawer,
    global_reseeder,
    greedy_for_signals,
    head_of_the_file,
    hides_nan,
    lock_picker,
    lowest_loss,
    matrix_score,
    nan_score,
    nan_weights,
    nearest_first,
    needs_every_class,
    negative_weights,
    one_weight,
    other_draws_each_budget,
    out_of_range,
    raises,
    repeated,
    scribbler,
    small_labels_first,
    too_few,
    unpromised_weights,
)
from tests.contract.test_contract import not_promised

BREACHES = [
    (fake(too_few, stochastic=True), "exact_budget", "return exactly k"),
    (fake(repeated), "valid_indices", "more than once"),
    (fake(out_of_range, stochastic=True), "valid_indices", "outside 0 to 239"),
    (fake(fractions, stochastic=True), "valid_indices", "type float64"),
    (fake(greedy_for_signals), "declared_signals", 'add "input_grad_norm" to its needs'),
    (fake(scribbler, stochastic=True), "inputs_untouched", "read-only"),
    (fake(lock_picker, stochastic=True), "inputs_untouched", "changed the labels"),
    (fake(global_drawer, stochastic=True), "same_generator_same_answer", "context.rng alone"),
    (fake(global_drawer, stochastic=True), "global_randomness_untouched", "the global generator of NumPy"),
    (fake(global_reseeder, stochastic=True), "global_randomness_untouched", "the global generator of NumPy"),
    (fake(first_of_equals), "ties_by_generator", "never by position"),
    (fake(first_of_equals), "order_of_samples", "never let a position decide"),
    (fake(head_of_the_file), "order_of_samples", "never let a position decide"),
    (fake(early_birds, stochastic=True), "order_of_samples", "never let a position decide"),
    (fake(early_birds, stochastic=True), "ties_by_generator", "never by position"),
    (fake(a_favourite_class, stochastic=True), "names_of_labels", "labels as names"),
    (fake(small_labels_first), "names_of_labels", "labels as names"),
    (fake(forgets_its_order, nested=True), "nested_budgets", "keep the order of picks"),
    (fake(other_draws_each_budget, stochastic=True, nested=True), "nested_budgets", "promises nested coresets"),
    (fake(unpromised_weights, stochastic=True), "usable_weights", "set weighted=True"),
    (fake(fair_picks, stochastic=True, weighted=True), "usable_weights", "set weighted=False"),
    (fake(negative_weights, stochastic=True, weighted=True), "usable_weights", "negative"),
    (fake(nan_weights, stochastic=True, weighted=True), "usable_weights", "not finite"),
    (fake(one_weight, stochastic=True, weighted=True), "usable_weights", "return one a pick"),
    (fake(needs_every_class, stochastic=True), "awkward_classes", "a class is empty"),
    (fake(divides_by_the_spread, stochastic=True), "equal_signals", "all samples of a class are identical"),
    (fake(divides_by_the_norm, needs=("features",), stochastic=True), "zero_features", "features of zero norm"),
    (fake(asks_to_be_skipped), "declared_signals", "Skipped: not today"),
    (fake(hides_nan), "non_finite_signals", "accepts a sample whose 'loss' is nan"),
    (fake(lowest_loss, direction="hard"), "stated_direction", "wrong sign"),
    (fake(lowest_loss, direction="middle"), "stated_direction", "too many of the lowest"),
    (fake(nearest_first, needs=("features",), direction="cover"), "stated_direction", "uniform draws leave"),
    (fake(raises), "declared_signals", "ZeroDivisionError"),
    (fake_score(nan_score), "declared_signals", "NaN or infinite"),
    (fake_score(matrix_score), "declared_signals", "return one number a sample"),
    (fake(lowest_loss, summary=""), "info_complete", "no summary"),
    (fake(lowest_loss, paper=""), "info_complete", "no paper"),
    (fake(lowest_loss, direction="up"), "info_complete", "choose one of easy, hard"),
    (fake(lowest_loss, needs=("losss",)), "info_complete", "did you mean 'loss'"),
    (fake(lowest_loss, needs=("loss", "select.correct")), "info_complete", "declare a snapshot signal"),
    (fake(lowest_loss, params={"table": ("a", "b")}), "info_complete", "number, text or bool"),
    (fake(lowest_loss, keep="low"), "info_complete", "none if it is a set method"),
    (fake_score(nan_score, keep="lowest"), "info_complete", "did you mean 'low'"),
    (fake(lowest_loss, needs="loss"), "info_complete", "write a tuple"),
    (ComputedInfo, "registrable", "in the class body"),
    (TakesNoParameter, "registrable", "let the constructor take each"),
    (Namesake, "registrable", "another method"),
]


@pytest.mark.parametrize(
    ("method", "check", "words"),
    BREACHES,
    ids=lambda value: getattr(value, "function", value).__name__ if isinstance(value, FunctionMethod) else None,
)
def test_a_breach_is_caught_by_the_check_meant_for_it(method: Any, check: str, words: str) -> None:
    found = {outcome.name: outcome for outcome in run_contract(method)}
    assert not found[check].ok
    assert words in found[check].message
    assert found[check].message


def test_each_check_is_meant_for_some_breach() -> None:
    assert {check for _, check, _ in BREACHES} == {check.__name__ for check in CHECKS}


def test_a_method_to_which_hardly_any_check_applies_has_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_to_ask(subject: Any) -> None:
        raise DoesNotApply("there is nothing to ask")

    method = registry.get("easycore")
    for count in (1, 2, 3, 4):
        monkeypatch.setattr(contract, "CHECKS", (*CHECKS[:2], *[nothing_to_ask] * count))
        outcomes = run_contract(method)[2:]
        assert not any(o.applies for o in outcomes) or count > 1
        assert [o.ok for o in outcomes] == [count == 1] * count
        assert all("does not apply: there is nothing to ask" in o.message for o in outcomes)


def test_no_method_can_say_that_a_check_does_not_apply() -> None:
    def shrugs(context: Any, budget: Any) -> Any:
        raise DoesNotApply("not to me")

    outcomes = {o.name: o for o in run_contract(fake(shrugs))}
    assert {name for name, o in outcomes.items() if o.ok and o.applies} == {"info_complete", "registrable"}
    assert {name for name, o in outcomes.items() if not o.applies} < not_promised(fake(shrugs).info)


def test_a_name_is_lower_case_with_hyphens() -> None:
    method = fake(lowest_loss)
    for name in ("Loss", "my_loss", "-loss", "a b", ""):
        found = run_contract(replace(method, info=replace(method.info, name=name)))[0]
        assert "no name for a method" in found.message


def test_who_writes_into_held_out_labels_is_noticed() -> None:
    def scribbles(context: Any, budget: Any) -> Any:
        context.held_out.labels[0] = 1 - context.held_out.labels[0]
        return fair(context, budget.k)

    def lock_picks(context: Any, budget: Any) -> Any:
        labels = context.held_out.labels.base
        labels[0] = 1 - labels[0]
        return fair(context, budget.k)

    for function, words in ((scribbles, "read-only"), (lock_picks, "changed the labels")):
        outcomes = run_contract(fake(function, needs=("features", "select.features"), stochastic=True))
        (found,) = [o for o in outcomes if o.name == "inputs_untouched"]
        assert not found.ok
        assert words in found.message


def test_the_held_out_part_is_given_to_who_declares_it() -> None:
    def near_held_out(context: Any, budget: Any) -> Any:
        held_out = context.held_out
        assert len(held_out.labels) == len(held_out.signals.features)
        means = np.stack(
            [held_out.signals.features[held_out.labels == c].mean(axis=0) for c in range(context.num_classes)]
        )
        gaps = np.linalg.norm(context.signals.features - means[context.labels], axis=1)
        if not np.isfinite(gaps).all():
            raise ValueError("not finite")
        return np.lexsort((context.rng.permutation(context.n), gaps))[: budget.k]

    method = fake(near_held_out, needs=("features", "select.features"), nested=True)
    assert not [o for o in run_contract(method) if not o.ok]


def test_a_class_is_made_with_its_defaults() -> None:
    class Lowest:
        info = MethodInfo("lowest", "set", summary="For a test.", needs=("loss",), paper="none", direction="easy")

        def __init__(self, *, epoch: int = -1) -> None:
            self.epoch = epoch

        def select(self, context: Any, budget: Any) -> Coreset:
            scores = context.signals.loss[self.epoch]
            if not np.isfinite(scores).all():
                raise ValueError("not finite")
            return Coreset(np.lexsort((context.rng.permutation(context.n), scores))[: budget.k])

    assert all(o.ok for o in run_contract(Lowest))
    assert all(o.ok for o in run_contract(Lowest()))


def test_a_class_that_cannot_be_made_fails_every_check() -> None:
    class Broken:
        info = MethodInfo("broken", "set")

        def __init__(self, path: str) -> None:
            self.path = path

    outcomes = run_contract(Broken)
    assert len(outcomes) == len(CHECKS)
    assert all(not o.ok and "cannot be made" in o.message for o in outcomes)


def answering(answer: Callable[[Any, Any], Any], **info: Any) -> type:
    """A class of a method with that `select`."""
    described = MethodInfo("foreign", "set", **{"summary": "For a test.", "paper": "none", "stochastic": True, **info})
    return type("Foreign", (), {"info": described, "select": lambda self, context, budget: answer(context, budget)})


def quits(context: Any, budget: Any) -> Any:
    raise SystemExit("I give up")


@pytest.mark.parametrize(
    ("answer", "check", "words"),
    [
        (lambda context, budget: fair(context, budget.k).tolist(), "exact_budget", "returned a list"),
        (lambda context, budget: None, "exact_budget", "returned a NoneType"),
        (lambda context, budget: Coreset(None), "exact_budget", "TypeError"),  # type: ignore[arg-type]
        (lambda context, budget: Coreset([[0], [1, 2]]), "valid_indices", "ValueError"),  # type: ignore[arg-type]
        (lambda context, budget: Coreset(fair(context, budget.k), ["a"] * budget.k), "usable_weights", "ValueError"),  # type: ignore[arg-type]
        (quits, "exact_budget", "I give up"),
    ],
)
def test_whatever_a_method_answers_every_check_says_something(
    answer: Callable[[Any, Any], Any], check: str, words: str
) -> None:
    outcomes = {outcome.name: outcome for outcome in run_contract(answering(answer))}
    assert [*outcomes] == [check.__name__ for check in CHECKS]
    assert outcomes["info_complete"].ok
    assert outcomes["registrable"].ok
    assert not outcomes[check].ok
    assert "'foreign'" in outcomes[check].message
    assert words in outcomes[check].message


@pytest.mark.parametrize("info", [{"name": "mine"}, None, "mine"])
def test_an_info_of_another_type_fails_every_check(info: Any) -> None:
    outcomes = run_contract(type("Foreign", (), {"info": info, "select": quits}))
    assert len(outcomes) == len(CHECKS)
    assert all(not o.ok and "make it a methods.api.MethodInfo" in o.message for o in outcomes)


def test_an_info_of_odd_values_fails_in_words() -> None:
    outcomes = run_contract(answering(lambda context, budget: Coreset(fair(context, budget.k)), needs=None))
    assert not outcomes[0].ok
    assert "has the needs None" in outcomes[0].message
    nameless = answering(lambda context, budget: Coreset(fair(context, budget.k)))
    nameless.info = replace(nameless.info, name=None)  # type: ignore[attr-defined]
    assert "TypeError" in run_contract(nameless)[0].message
