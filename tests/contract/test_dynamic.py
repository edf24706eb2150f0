"""Every dynamic method keeps the contract of its track, and every check notices who does not."""

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.spec import load_suite
from methods import registry
from methods.api import Budget, Context, Coreset, MethodInfo, Signals
from methods.contract import DYNAMIC_CHECKS, run_contract, subject_of
from methods.dynamics import DynamicFunction, DynamicInfo, Presentations, TrainingContext, described, present
from methods.errors import CoresetBenchError, UsageError
from methods.registry import run

NAMES = [name for name in registry.method_names() if registry.get(name).info.kind == "dynamic"]


def rows() -> dict[str, Any]:
    """Every dynamic method, every row of the suite that ships, and ACS without its warm start."""
    found = {name: registry.get(name) for name in NAMES}
    for row in load_suite("digits-dynamic").rows:
        found[row.name] = registry.get(row.spelled, row.params)
    return {**found, "acs (kappa=0.0)": registry.get("acs", {"kappa": 0.0})}


ROWS = rows()


@pytest.mark.parametrize("name", ROWS)
def test_every_dynamic_method_keeps_the_contract(name: str) -> None:
    outcomes, info = run_contract(ROWS[name]), ROWS[name].info
    assert [o.name for o in outcomes] == [check.__name__ for check in DYNAMIC_CHECKS]
    assert not [f"{o.name}: {o.message}" for o in outcomes if not o.ok]
    absent = {"usable_weights": not info.weighted, "non_finite_signals": not info.needs}
    absent["stated_direction"] = info.direction == "any"
    assert {o.name for o in outcomes if not o.applies} == {check for check, reason in absent.items() if reason}


def test_no_dynamic_method_is_left_out() -> None:
    written = set()
    for path in Path(registry.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for decorator in getattr(node, "decorator_list", []):
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == "dynamic":
                    written.add(ast.literal_eval(decorator.args[0]))
    assert written == set(NAMES)
    assert len(written) >= 5


def fair(context: TrainingContext, k: int) -> np.ndarray:
    return context.rng.permutation(context.n)[:k]


def made(function: Callable[..., Any], **info: Any) -> DynamicFunction:
    values = {"summary": "A test.", "paper": "none", "stochastic": True, **info}
    return DynamicFunction(DynamicInfo("foreign", "dynamic", **values), function)


def lazy(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    return fair(context, 1)


def empty(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    return fair(context, 0 if epoch else budget.k)


def twice(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    return np.repeat(fair(context, 2), 2)


def first_ones(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    return np.arange(budget.k)


def lowest_label(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    return np.lexsort((context.rng.random(context.n), context.labels))[: budget.k]


def undeclared(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    return np.argsort(context.signals.features[:, 0])[: budget.k]


def by_first_loss(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    return np.argsort(context.signals.last_loss, kind="stable")[: budget.k]


def global_draw(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    return np.random.permutation(context.n)[: budget.k]


def writes(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
    context.labels[0] = 1
    return fair(context, budget.k)


def light(context: TrainingContext, budget: Presentations, epoch: int) -> Coreset:
    return Coreset(fair(context, budget.k), np.ones(budget.k) if epoch else None)


class Stateful:
    """Keeps its notes in itself, where the next training finds them."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
        self.asked += 1
        return np.roll(context.rng.permutation(context.n), self.asked)[: budget.k]


LOSS = {"needs": ("last_loss",), "direction": "easy"}
FAULTY = [
    (made(fair, weighting="mean"), "training_info", "choose one of round, batch, raw"),
    (made(fair, needs=("correct",)), "training_info", "which a proxy shows"),
    (made(undeclared), "declared_signals", "reads the signal 'features', which it does not declare"),
    (made(lazy), "spends_its_budget", "rounds for 8 epochs"),
    (made(empty), "spends_its_budget", "presents 0 samples in epoch 2"),
    (made(twice), "spends_its_budget", "more than once"),
    (made(light, weighted=True), "usable_weights", "promises weights and returns none"),
    (made(light), "usable_weights", "returns unpromised weights"),
    (made(global_draw), "same_generator_same_answer", "two answers for the same generators"),
    (made(global_draw), "global_randomness_untouched", "global generator of NumPy"),
    (made(Stateful()), "same_generator_same_answer", "keep notes in context.memory alone"),
    (made(writes), "inputs_untouched", "read-only"),
    (made(first_ones), "order_of_samples", "when their order changes"),
    (made(lowest_label), "names_of_labels", "when the classes are renamed"),
    (made(by_first_loss, **LOSS), "ties_by_generator", "prefers some of several equal samples"),
    (made(by_first_loss, **LOSS), "non_finite_signals", "accepts a sample whose 'last_loss' is nan"),
    (made(by_first_loss, **{**LOSS, "direction": "hard"}), "stated_direction", "states the direction 'hard'"),
    (
        made(lambda context, budget, epoch: fair(context, budget.k)[: len(np.unique(context.labels)) // 3 * budget.k]),
        "awkward_worlds",
        "fails where",
    ),
]


@pytest.mark.parametrize(("method", "check", "words"), FAULTY)
def test_every_check_notices_its_fault(method: DynamicFunction, check: str, words: str) -> None:
    check_of = {function.__name__: function for function in DYNAMIC_CHECKS}
    with pytest.raises(CoresetBenchError, match=words) as caught:
        check_of[check](subject_of(method))
    assert "\n" not in str(caught.value)


def test_each_check_has_a_fault_of_its_own() -> None:
    shared = {"info_complete", "registrable"}  # those of the static contract, whose tests have theirs
    assert {check.__name__ for check in DYNAMIC_CHECKS} - shared == {check for _, check, _ in FAULTY}


def training(n: int = 12, seed: int = 0, **arrays: Any) -> TrainingContext:
    labels = np.arange(n) % 3
    return TrainingContext(labels, 3, Signals(arrays, 5), np.random.default_rng(seed))


def test_what_the_budget_has_not_left_is_cut_off() -> None:
    method = made(lambda context, budget, epoch: Coreset(np.arange(6), np.array([0.0, 0, 1, 1, 1, 1])))
    spent = Presentations(12, 3, 4, spent=8)
    assert spent.left == 4
    cut = present(method, training(), spent, 2)
    assert cut.indices.tolist() == [0, 1, 2, 3]
    assert cut.weights is not None
    assert cut.weights.tolist() == [0, 0, 1, 1]
    assert present(method, training(), Presentations(12, 3, 4, spent=10), 2).weights is None  # 0 of all is left


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda *_: Coreset(np.arange(0)), "presents 0 samples in epoch 3"),
        (lambda *_: Coreset(np.arange(13)), "presents 13 samples"),
        (lambda *_: Coreset(np.array([0, 12])), "outside 0 to 11"),
        (lambda *_: Coreset(np.arange(2), np.array([1.0, np.nan])), "unusable weights"),
        (lambda *_: 1 / 0, "'foreign' failed in epoch 3: ZeroDivisionError"),
    ],
)
def test_a_bad_round_is_one_sentence(answer: Any, words: str) -> None:
    with pytest.raises(CoresetBenchError, match=words) as caught:
        present(made(answer), training(), Presentations(12, 3, 4), 2)
    assert "\n" not in str(caught.value)


def test_budgets_that_cannot_be_are_refused() -> None:
    for values in ((12, 13, 4), (12, 0, 4), (12, 3, 0), (12, 3, 4, 13)):
        with pytest.raises(UsageError):
            Presentations(*values)


def test_a_dynamic_method_has_no_coreset_to_give() -> None:
    context = Context(np.zeros(10, dtype=np.int64), 1, Signals({}, 0), np.random.default_rng(0))
    with pytest.raises(UsageError, match="'rs2' selects anew while a model trains"):
        run(registry.get("rs2"), context, Budget(3, 10))
    with pytest.raises(UsageError, match="takes no policy"):
        registry.get("rs2@low")


def test_a_class_with_a_plain_info_is_a_dynamic_method_too() -> None:
    class Foreign:
        info = MethodInfo("foreign", "dynamic", summary="A test.", paper="none", stochastic=True)

        def epoch(self, context: TrainingContext, budget: Presentations, epoch: int) -> Coreset:
            return Coreset(fair(context, budget.k))

    assert all(outcome.ok for outcome in run_contract(Foreign))
    assert described(Foreign()) == DynamicInfo("foreign", "dynamic", summary="A test.", paper="none", stochastic=True)
    assert replace(described(Foreign()), own_budget=True).own_budget
