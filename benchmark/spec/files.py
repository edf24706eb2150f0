"""Suites are TOML files; what is wrong with one is said in a sentence."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Any

from pydantic import BaseModel, ValidationError

from benchmark.spec.suite import Suite
from methods.errors import UsageError, unknown

SUITES = Path(__file__).parents[1] / "suites"


def suite_names() -> list[str]:
    """The suites that ship with the package."""
    return sorted(path.stem for path in SUITES.glob("*.toml"))


def load_suite(name: str) -> Suite:
    """The suite of that name, or the one in the TOML file of that path.

    Raises:
        UsageError: no such suite, unreadable TOML, or a key or value that the specification does not allow.
    """
    path = Path(name) if name.endswith(".toml") else SUITES / f"{name}.toml"
    if not path.is_file():
        if name.endswith(".toml"):
            raise UsageError(f"There is no suite file '{name}'; name an existing file or one of {suite_names()}.")
        raise unknown("suite", name, suite_names())
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from None
    return validated_suite(values, str(path))


def validated_suite(values: Mapping[str, Any], where: str) -> Suite:
    """The suite of these values, which come from `where`.

    Raises:
        UsageError: the first fault, in one sentence.
    """
    try:
        return Suite.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{where}: {explain(error, Suite)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault of a pydantic error as one sentence, with the nearest key for an unknown one."""
    faults = error.errors()
    # A misspelt key is the cause where the right one is missing too.
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        parent: Any = model
        for part in fault["loc"][:-1]:
            parent = _inner(parent, part)
        known = parent.model_fields if isinstance(parent, type) and issubclass(parent, BaseModel) else {}
        return str(unknown("key", str(fault["loc"][-1]), known)) + f" (at '{where}')"
    if fault["type"] == "missing":
        return f"the key '{where}' is missing; add it."
    message = fault["msg"].removeprefix("Value error, ")
    if message.endswith(("?", ".")) or isinstance(fault["input"], dict):
        return f"'{where}': {message}" if where else f"{message.rstrip('.')}."
    return f"'{where}': {message} (got {fault['input']!r})."


def _inner(model: Any, part: int | str) -> Any:
    """The model that validates one step further down a location."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        field = model.model_fields.get(str(part))
        annotation: Any = field.annotation if field else None
        if not isinstance(annotation, UnionType):
            return annotation
        return next((a for a in annotation.__args__ if a is not type(None)), None)
    arguments = getattr(model, "__args__", ())
    return next((a for a in reversed(arguments) if isinstance(a, type) and issubclass(a, BaseModel)), None)
