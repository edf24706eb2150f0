"""The contract tests: what every method must keep, for the built-in ones and for anyone's.

    for outcome in run_contract(method):
        print(outcome.name, outcome.message or "kept")

Each check is a function of a `Subject`; its docstring is the promise. They run on a small planted world with a real
proxy (`planted.py`), need no test framework, and take a second or two for a method.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from methods.api import MethodInfo
from methods.contract.checks import CHECKS
from methods.contract.dynamic import DYNAMIC_CHECKS, DynamicSubject
from methods.contract.subject import ContractViolation, DoesNotApply, Subject
from methods.errors import CoresetBenchError

__all__ = ["CHECKS", "DYNAMIC_CHECKS", "ContractViolation", "Outcome", "Subject", "run_contract", "subject_of"]


@dataclass(frozen=True)
class Outcome:
    """Whether a method kept one promise.

    ok       it did, or there is nothing to hold it to
    applies  whether there is
    message  one sentence: what failed, or why the check does not apply; empty for a promise kept
    """

    name: str
    ok: bool
    message: str = ""
    applies: bool = True


def run_contract(method: Any) -> list[Outcome]:
    """Runs every check, whatever the ones before it found. `method`: a `Method`, a dynamic one, or a class of one."""
    checks = DYNAMIC_CHECKS if getattr(getattr(method, "info", None), "kind", "") == "dynamic" else CHECKS
    try:
        subject = subject_of(method)
    except ContractViolation as error:
        return [Outcome(check.__name__, False, str(error)) for check in checks]
    except (Exception, SystemExit) as error:  # a constructor may fail in any way
        sentence = f"The method cannot be made: {type(error).__name__}: {error}"
        return [Outcome(check.__name__, False, sentence) for check in checks]
    outcomes = [_outcome(check, subject) for check in checks]
    if 2 * sum(outcome.applies for outcome in outcomes) <= len(outcomes):
        return [outcome if outcome.applies else _skipped(outcome) for outcome in outcomes]
    return outcomes


def _skipped(outcome: Outcome) -> Outcome:
    """A check that was left out where most were: that is no pass."""
    return Outcome(outcome.name, False, f"{outcome.message}, as most checks; what is not checked has not passed")


def subject_of(method: Any) -> Subject:
    """The method as checks see it; a class is made with its default parameters.

    Raises:
        ContractViolation: it has no `MethodInfo`, without which no check could say anything.
    """
    made: Any = method() if inspect.isclass(method) else method
    info = made.info
    if not isinstance(info, MethodInfo):
        raise ContractViolation(
            f"The method's info is of type {type(info).__name__}; make it a methods.api.MethodInfo."
        )
    return (DynamicSubject if info.kind == "dynamic" else Subject)(made, written=method)


def _outcome(check: Callable[[Subject], None], subject: Subject) -> Outcome:
    try:
        check(subject)
    except DoesNotApply as reason:
        return Outcome(check.__name__, True, f"does not apply: {reason}", applies=False)
    except CoresetBenchError as error:
        return Outcome(check.__name__, False, str(error))
    except (Exception, SystemExit) as error:  # what a foreign method gave may break a check in any way
        sentence = f"'{subject.name}' gave something that no check can read: {type(error).__name__}: {error}"
        return Outcome(check.__name__, False, sentence)
    return Outcome(check.__name__, True)
