"""Every registered method and variant keeps the contract, and a flipped one does not."""

import ast
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from benchmark.spec import load_suite, suite_names
from methods import policies, registry
from methods.api import HELD_OUT, Budget, Context, Coreset, Method, MethodInfo
from methods.contract import CHECKS, run_contract, subject_of
from methods.contract.direction import stated_direction
from methods.contract.subject import ContractViolation
from methods.errors import UsageError
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
