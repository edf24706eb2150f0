"""The contract tests: what every method must keep, for the built-in ones and for anyone's.

    for outcome in run_contract(method):
        print(outcome.name, "kept" if outcome.ok else outcome.message)

Each check is a function of a `Subject`; its docstring is the promise. They run on a small planted world with a real
proxy (`planted.py`), need no test framework, and take a second or two for a method.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from methods.api import MethodInfo
from methods.contract.checks import CHECKS
from methods.contract.subject import ContractViolation, Subject
from methods.errors import CoresetBenchError

__all__ = ["CHECKS", "ContractViolation", "Outcome", "Subject", "run_contract", "subject_of"]


@dataclass(frozen=True)
class Outcome:
    """Whether a method kept one promise; `message` says in a sentence what failed, and is empty otherwise."""

    name: str
    ok: bool
    message: str = ""


def run_contract(method: Any) -> list[Outcome]:
    """Runs every check, whatever the ones before it found. `method`: a `Method`, or a class of one."""
    try:
        subject = subject_of(method)
    except ContractViolation as error:
        return [Outcome(check.__name__, False, str(error)) for check in CHECKS]
    except (Exception, SystemExit) as error:  # a constructor may fail in any way
        sentence = f"The method cannot be made: {type(error).__name__}: {error}"
        return [Outcome(check.__name__, False, sentence) for check in CHECKS]
    return [_outcome(check, subject) for check in CHECKS]


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
    return Subject(made, written=method)


def _outcome(check: Callable[[Subject], None], subject: Subject) -> Outcome:
    try:
        check(subject)
    except CoresetBenchError as error:
        return Outcome(check.__name__, False, str(error))
    except (Exception, SystemExit) as error:  # what a foreign method gave may break a check in any way
        sentence = f"'{subject.name}' gave something that no check can read: {type(error).__name__}: {error}"
        return Outcome(check.__name__, False, sentence)
    return Outcome(check.__name__, True)
