"""Every registered method keeps the contract, and every check notices who does not."""

import ast
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.spec import load_suite, suite_names
from methods import contract, policies, registry
from methods.api import HELD_OUT, Budget, Context, Coreset, Method, MethodInfo
from methods.contract import CHECKS, run_contract, subject_of
from methods.contract.direction import stated_direction
from methods.contract.subject import ContractViolation, DoesNotApply
from methods.errors import UsageError
from methods.registry import FunctionMethod
from methods.signals import get_signal


def accepted(name: str) -> bool:
    try:
        registry.get(name)
    except UsageError:
        return False
    return True


def rows() -> dict[str, Method]:
    """Every method, every row of every suite that ships, and each policy on the first score that takes it.

    A suite's `table` of published values is left at its default: it is for the numbers of classes of real data sets.
    Methods that select while a model trains have a contract of their own (`test_dynamic.py`).
    """
    found = {name: registry.get(name) for name in registry.method_names()}
    scores = [name for name, method in found.items() if method.info.kind == "score"]
    for row in (row for suite in suite_names() for row in load_suite(suite).rows):
        params = {key: value for key, value in row.params.items() if key != "table"}
        named = ", ".join([row.spelled, *(f"{key}={value}" for key, value in params.items())])
        found[named] = registry.get(row.spelled, params)
    for policy in policies.NAMES:
        name = next(f"{name}@{policy}" for name in scores if accepted(f"{name}@{policy}"))
        found[name] = registry.get(name)
    return {name: method for name, method in found.items() if method.info.kind != "dynamic"}


ROWS = rows()


@pytest.mark.parametrize("name", ROWS)
def test_every_method_and_variant_keeps_the_contract(name: str) -> None:
    outcomes = run_contract(ROWS[name])
    assert [o.name for o in outcomes] == [check.__name__ for check in CHECKS]
    assert not [f"{o.name}: {o.message}" for o in outcomes if not o.ok]
    assert {o.name for o in outcomes if not o.applies} == not_promised(ROWS[name].info)


def not_promised(info: MethodInfo) -> set[str]:
    """The checks that may be left out, for a reason that `info` or its signals give."""
    reasons = {
        "usable_weights": not info.weighted,
        "nested_budgets": not info.nested,
        "equal_signals": not info.needs,
        "zero_features": not {"features", "select.features"} & set(info.needs),
        "non_finite_signals": not [n for n in info.needs if get_signal(n.removeprefix(HELD_OUT)).dtype == "float32"],
        "stated_direction": info.direction == "any",
    }
    return {check for check, reason in reasons.items() if reason}


def test_no_method_is_left_out() -> None:
    """Every decorated function in the sources is registered, loaded and checked above, without a way to skip."""
    written = set()
    for path in Path(registry.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for decorator in getattr(node, "decorator_list", []):
                if isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") in ("score", "subset"):
                    written.add(ast.literal_eval(decorator.args[0]))
    assert len(written) >= 12
    assert written <= set(ROWS)
    assert not registry.unavailable()
    marks = test_every_method_and_variant_keeps_the_contract.pytestmark  # type: ignore[attr-defined]
    assert [mark.name for mark in marks] == ["parametrize"]


@dataclass(frozen=True)
class Flipped:
    """Keeps what a method leaves: the k samples that are not among its n - k."""

    method: Method

    @property
    def info(self) -> MethodInfo:
        return self.method.info

    def select(self, context: Context, budget: Budget) -> Coreset:
        if budget.k == budget.n:
            return Coreset(context.rng.permutation(budget.n))
        left = self.method.select(context, Budget(budget.n - budget.k, budget.n)).indices
        return Coreset(np.setdiff1d(np.arange(budget.n), left))


ORACLES = Path(__file__).parents[1] / "oracles"


@pytest.mark.parametrize("name", registry.method_names())
def test_every_method_has_an_oracle(name: str) -> None:
    """Some test of `tests/oracles` runs the method by its name, beside a version of its own."""
    callers = {"chosen", "get", "selected"}
    for path in ORACLES.glob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        called = {getattr(n.func, "id", getattr(n.func, "attr", "")) for n in ast.walk(tree) if isinstance(n, ast.Call)}
        texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        if called & callers and name in {text.partition("@")[0] for text in texts}:
            return
    pytest.fail(f"No test in tests/oracles asks what '{name}' picks; write tests/oracles/test_{name}.py.")


DIRECTED = [name for name, method in ROWS.items() if method.info.direction != "any"]


@pytest.mark.parametrize("name", DIRECTED)
def test_who_keeps_what_the_method_leaves_is_noticed(name: str) -> None:
    with pytest.raises(ContractViolation, match="look for a wrong sign"):
        stated_direction(subject_of(Flipped(ROWS[name])))


SIGNED = [name for name in DIRECTED if {"low", "high"} & set((getattr(ROWS[name], "rule", None) or "").split("+"))]


@pytest.mark.parametrize("name", SIGNED)
def test_a_sign_error_is_noticed(name: str) -> None:
    method = ROWS[name]
    wrong = {"low": "high", "high": "low"}
    other = "+".join(wrong.get(part, part) for part in method.rule.split("+"))
    with pytest.raises(ContractViolation, match="wrong sign"):
        stated_direction(subject_of(replace(method, policy=other)))


@pytest.mark.parametrize("end", ["low", "high"])
def test_an_end_is_no_middle(end: str) -> None:
    with pytest.raises(Exception, match="too many of the"):
        stated_direction(subject_of(replace(registry.get("moderate"), policy=end)))


def test_every_directed_method_is_among_the_flipped() -> None:
    signed = {
        "easycore",
        "aign-hard",
        "el2n",
        "el2n@low",
        "grand-last",
        "loss",
        "least-confidence",
        "aum",
        "forgetting",
    }
    assert signed <= set(SIGNED)
    assert signed | {"moderate", "k-center"} <= set(DIRECTED)


# What follows are methods that break one promise each.


def fake(function: Callable[..., Any], needs: tuple[str, ...] = ("loss",), **info: Any) -> FunctionMethod:
    """An unregistered set method."""
    described = MethodInfo("fake", "set", **{"summary": "For a test.", "needs": needs, "paper": "none", **info})
    return FunctionMethod(described, function)


def fake_score(function: Callable[..., Any], needs: tuple[str, ...] = ("loss",), **info: Any) -> FunctionMethod:
    """An unregistered score method."""
    given = {"summary": "For a test.", "needs": needs, "paper": "none", "keep": "high", **info}
    return FunctionMethod(MethodInfo("fake", "score", **given), function)


def fair(context: Any, k: int) -> Any:
    return context.rng.permutation(context.n)[:k]


def fair_picks(context: Any, budget: Any) -> Any:
    return fair(context, budget.k)


def too_few(context: Any, budget: Any) -> Any:
    return fair(context, budget.k - 1)


def repeated(context: Any, budget: Any) -> Any:
    return np.minimum(np.arange(budget.k), max(0, budget.k - 2))


def out_of_range(context: Any, budget: Any) -> Any:
    return fair(context, budget.k) + 1


def fractions(context: Any, budget: Any) -> Any:
    return fair(context, budget.k).astype(float)


def greedy_for_signals(context: Any, budget: Any) -> Any:
    return np.argsort(context.signals.input_grad_norm.mean(axis=0))[: budget.k]


def scribbler(context: Any, budget: Any) -> Any:
    context.signals.loss[:] = 0
    return fair(context, budget.k)


def lock_picker(context: Any, budget: Any) -> Any:
    labels = context.labels.base
    labels[0] = 1 - labels[0]
    return fair(context, budget.k)


def global_drawer(context: Any, budget: Any) -> Any:
    return np.random.permutation(context.n)[: budget.k]


def global_reseeder(context: Any, budget: Any) -> Any:
    np.random.seed(0)
    return fair(context, budget.k)


def first_of_equals(context: Any, budget: Any) -> Any:
    return np.argsort(context.signals.loss[-1].round(1), kind="stable")[: budget.k]


def early_birds(context: Any, budget: Any) -> Any:
    """Draws, but mostly from the first three quarters of the rows."""
    pool = np.arange(context.n) - np.where(context.rng.random(context.n) < 0.9, 0, context.n / 4)
    return np.lexsort((context.rng.random(context.n), pool > 0.75 * context.n))[: budget.k]


def a_favourite_class(context: Any, budget: Any) -> Any:
    """Draws, and picks from the first class a little oftener."""
    return np.argsort(context.rng.random(context.n) - 0.1 * (context.labels == 0))[: budget.k]


def head_of_the_file(context: Any, budget: Any) -> Any:
    return np.arange(budget.k)


def small_labels_first(context: Any, budget: Any) -> Any:
    return np.lexsort((context.rng.permutation(context.n), context.labels))[: budget.k]


def forgets_its_order(context: Any, budget: Any) -> Any:
    """Sorted ids: the greedy order is lost, as in circulating code."""
    return np.sort(np.lexsort((context.rng.permutation(context.n), context.signals.loss[-1]))[: budget.k])


def other_draws_each_budget(context: Any, budget: Any) -> Any:
    return context.rng.choice(context.n, budget.k, replace=False)


def unpromised_weights(context: Any, budget: Any) -> Any:
    return Coreset(fair(context, budget.k), np.ones(budget.k))


def negative_weights(context: Any, budget: Any) -> Any:
    return Coreset(fair(context, budget.k), np.linspace(-1, 1, budget.k))


def nan_weights(context: Any, budget: Any) -> Any:
    return Coreset(fair(context, budget.k), np.full(budget.k, np.nan))


def one_weight(context: Any, budget: Any) -> Any:
    return Coreset(fair(context, budget.k), np.ones(1))


def needs_every_class(context: Any, budget: Any) -> Any:
    spread = [context.signals.loss[-1][members].min() for members in context.classes()]
    assert len(spread) == context.num_classes
    return fair(context, budget.k)


def divides_by_the_spread(context: Any, budget: Any) -> Any:
    """A score normalised within its class, where no sample of a class may differ."""
    loss, labels = context.signals.loss[-1], context.labels
    for c in np.unique(labels):
        if (labels == c).sum() > 1:
            assert np.ptp(loss[labels == c]) > 0
    return fair(context, budget.k)


def divides_by_the_norm(context: Any, budget: Any) -> Any:
    assert np.linalg.norm(context.signals.features, axis=1).min() > 0
    return fair(context, budget.k)


def asks_to_be_skipped(context: Any, budget: Any) -> Any:
    pytest.skip("not today")


def hides_nan(context: Any, budget: Any) -> Any:
    return np.lexsort((context.rng.permutation(context.n), np.nan_to_num(context.signals.loss[-1], posinf=0)))[
        : budget.k
    ]


def lowest_loss(context: Any, budget: Any) -> Any:
    return np.lexsort((context.rng.permutation(context.n), context.signals.loss[-1]))[: budget.k]


def nearest_first(context: Any, budget: Any) -> Any:
    gaps = np.linalg.norm(context.signals.features - context.signals.features.mean(axis=0), axis=1)
    return np.lexsort((context.rng.permutation(context.n), gaps))[: budget.k]


def raises(context: Any, budget: Any) -> Any:
    return 1 / 0


def nan_score(signals: Any) -> Any:
    return np.where(signals.loss[-1] > np.median(signals.loss[-1]), np.nan, 0.0)


def matrix_score(signals: Any) -> Any:
    return signals.loss


class ComputedInfo:
    """Made by hand it works, but the registry reads `info` of the class."""

    @property
    def info(self) -> MethodInfo:
        return MethodInfo("computed", "set", summary="For a test.", needs=("loss",), paper="none")

    def select(self, context: Any, budget: Any) -> Coreset:
        return Coreset(lowest_loss(context, budget))


class TakesNoParameter:
    info = MethodInfo("fixed", "set", summary="For a test.", needs=("loss",), paper="none", params={"epoch": 1})
    select = ComputedInfo.select


class Namesake:
    info = MethodInfo("easycore", "set", summary="For a test.", needs=("loss",), paper="none")
    select = ComputedInfo.select


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
