"""The registry: every module of this package, of `compat` and every installed plugin, by name.

    @score("easycore", needs="input_grad_norm", keep="low", paper="arXiv:2510.11018")
    def easycore(signals):
        return signals.input_grad_norm.mean(axis=0)

`name@policy` names a score method under another policy. A plugin whose import fails is listed with its reason.
"""

import hashlib
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, cast, get_args

from methods import sources
from methods.api import Budget, Context, Coreset, Direction, Method, MethodInfo, Scalar, check_params, validated
from methods.dynamics import DynamicFunction, DynamicInfo
from methods.errors import CoresetBenchError, UsageError, unknown
from methods.functions import FunctionMethod, parameters, positional, under
from methods.policies import check_default, draws, nests

GROUP = "coreset_bench.methods"
SCORE_ARGUMENTS = ("signals", "labels", "num_classes", "held_out", "budget", "rng")
SET_ARGUMENTS = ("context", "budget")
DYNAMIC_ARGUMENTS = ("context", "budget", "epoch")


@dataclass(frozen=True)
class Unavailable:
    """A method or plugin that could not be loaded, and why."""

    name: str
    reason: str


class NameTaken(UsageError):
    """Two methods have one name."""

    def __init__(self, name: str, files: Iterable[Path | None]) -> None:
        self.name = name
        where = " and ".join(dict.fromkeys(file.name for file in files if file))
        super().__init__(
            f"Two methods are called '{name}'" + (f" (in {where})" if where else "") + "; rename one of them."
        )


_methods: dict[str, Method] = {}
_unavailable: dict[str, Unavailable] = {}
_lacking: dict[str, str] = {}
_loaded = False


def score(
    name: str, *, needs: str | Iterable[str], keep: str, paper: str = "", **info: Any
) -> Callable[[Callable[..., Any]], FunctionMethod]:
    """Registers a function as a score method.

    The function takes, by name, any of `signals`, `labels`, `num_classes`, `held_out`, `budget`, `rng`, and its
    parameters as keyword-only arguments with defaults; it returns one finite number a sample, [N]. `keep` is the
    default policy. Further keywords are fields of `MethodInfo`; the first line of the docstring is its summary.
    """
    balanced = "balanced" in check_default(keep).split("+")
    promises = {"keep": keep, "nested": nests(keep), "stochastic": draws(keep), "per_class": balanced}
    return _decorator(name, "score", needs, paper, SCORE_ARGUMENTS, {**promises, **info})


def subset(
    name: str, *, needs: str | Iterable[str] = (), paper: str = "", **info: Any
) -> Callable[[Callable[..., Any]], FunctionMethod]:
    """Registers a function of (context, budget) as a set method: it returns a `Coreset`, or indices in order."""
    return _decorator(name, "set", needs, paper, SET_ARGUMENTS, info)


def dynamic(
    name: str, *, needs: str | Iterable[str] = (), paper: str = "", **info: Any
) -> Callable[[Callable[..., Any]], FunctionMethod]:
    """Registers a function of (context, budget, epoch) as a dynamic method: it returns what that epoch presents.

    See `methods.dynamics`. Further keywords are fields of `DynamicInfo`.
    """
    return _decorator(name, "dynamic", needs, paper, DYNAMIC_ARGUMENTS, info, DynamicInfo, DynamicFunction)


def _decorator(
    name: str,
    kind: Literal["score", "set", "dynamic"],
    needs: str | Iterable[str],
    paper: str,
    allowed: tuple[str, ...],
    info: dict[str, Any],
    described_by: type[MethodInfo] = MethodInfo,
    made: type[FunctionMethod] = FunctionMethod,
) -> Callable[[Callable[..., Any]], FunctionMethod]:
    needs = (needs,) if isinstance(needs, str) else tuple(needs)

    def decorate(function: Callable[..., Any]) -> FunctionMethod:
        for argument in positional(function):
            if argument not in allowed:
                raise unknown(f"argument of '{name}'", argument, allowed)
        params = parameters(function)
        if any(default is inspect.Parameter.empty for default in params.values()):
            raise UsageError(f"A parameter of '{name}' has no default; give every keyword-only argument one.")
        summary = (inspect.getdoc(function) or "").split("\n")[0]
        described = described_by(
            name, kind, **{"summary": summary, "needs": needs, "params": params, "paper": paper, **info}
        )
        described = under(described.keep, described, params)
        method = made(described, function, values=described.params)
        register(method)
        return method

    return decorate


def register(method: Any) -> Any:
    """Registers a `Method`, or a class of one (its constructor's keyword arguments are the parameters).

    Raises:
        NameTaken: the name is taken by other code.
        UsageError: its `info` is none, or states a direction that is none.
    """
    if not isinstance(method.info, MethodInfo):
        where = getattr(method, "__name__", method)
        raise UsageError(f"The `info` of '{where}' is no MethodInfo; make it a class attribute, not a property.")
    name, direction = method.info.name, method.info.direction
    if direction not in get_args(Direction):
        raise unknown(f"direction of '{name}'", direction, get_args(Direction))
    if name in _methods and _written(_methods[name]) != _written(method):  # imported twice is still one
        raise NameTaken(name, map(source_file, (_methods[name], method)))
    _methods[name] = method
    return method


def _written(method: Any) -> tuple[str, str]:
    return source_hash(method), getattr(_defined(method), "__qualname__", "")


def _defined(method: Any) -> Any:
    """The function or class that a method is written as."""
    target = method.function if isinstance(method, FunctionMethod) else method
    return target if inspect.isclass(target) or inspect.isfunction(target) else type(target)


def source_file(method: Any) -> Path | None:
    """The file that defines a method."""
    try:
        return Path(inspect.getfile(_defined(method)))
    except (TypeError, OSError):
        return None


def source_hash(method: Any) -> str:
    """A hash of the file that defines a method and of what it builds on; of its `info` where there is no file."""
    path = source_file(method)
    if path and path.is_file():
        return sources.source_hash(path)
    return hashlib.blake2b(repr(method.info).encode(), digest_size=8).hexdigest()


def _load() -> None:
    """Imports every module of this package and of `compat`, then every plugin; a failing one becomes `Unavailable`.

    So does a name that two modules claim: the first to be imported would stand in the tables under the other's name.
    A plugin takes no name from these modules.
    """
    global _loaded
    if _loaded:
        return
    _loaded = True
    own, contested = __package__ or "methods", set[str]()
    for package in map(importlib.import_module, (own, f"{own}.compat")):
        for module in pkgutil.iter_modules(package.__path__):
            if not module.ispkg:
                with _reported(module.name, contested):
                    importlib.import_module(f"{package.__name__}.{module.name}")
    for point in entry_points(group=GROUP):
        with _reported(point.name):
            _adopt(point.load())
    for name in contested:
        _methods.pop(name, None)


def _adopt(plugin: Any) -> None:
    if isinstance(plugin, FunctionMethod):
        return  # its decorator has registered it
    if not _is_method(plugin):
        raise UsageError("it names neither a decorated function nor a class with `info` and `select` or `epoch`.")
    register(plugin)


def _is_method(found: Any) -> bool:
    return hasattr(found, "info") and (hasattr(found, "select") or hasattr(found, "epoch"))


@contextmanager
def _reported(name: str, contested: set[str] | None = None) -> Iterator[None]:
    """Notes why what is called `name` cannot be loaded; names that are taken also in `contested`, if given."""
    try:
        yield
    except NameTaken as error:
        _unavailable[name] = Unavailable(name, str(error))
        if contested is not None:
            contested.add(error.name)
            _unavailable[error.name] = Unavailable(error.name, str(error))
    except (Exception, SystemExit) as error:  # a plugin may fail in any way, and must not take the others with it
        reason = str(error) if isinstance(error, CoresetBenchError) else f"{type(error).__name__}: {error}"
        _unavailable[name] = Unavailable(name, reason)


def method_names() -> list[str]:
    """The registered methods, in alphabetical order, without those of `compat`."""
    _load()
    return sorted(name for name, method in _methods.items() if not method.info.repeats)


def compat_names() -> list[str]:
    """The methods that repeat a known fault on purpose, in alphabetical order."""
    _load()
    return sorted(name for name, method in _methods.items() if method.info.repeats)


def unavailable() -> list[Unavailable]:
    """What could not be loaded, with reasons."""
    _load()
    return [_unavailable[name] for name in sorted(_unavailable)]


def lacking(prefix: str, sentence: str) -> None:
    """Notes that the methods `PREFIX:NAME` of an optional package are not here, and how to get them."""
    _lacking[prefix] = sentence


def optional() -> list[str]:
    """How to get the methods of optional packages that are not here, a sentence each."""
    _load()
    return [_lacking[prefix] for prefix in sorted(_lacking)]


def get(name: str, params: Mapping[str, Scalar] | None = None) -> Method:
    """The method of that name, or `name@policy`, with parameters.

    Raises:
        UsageError: unknown method, policy or parameter, or a plugin that could not be loaded.
    """
    _load()
    base, _, policy = name.partition("@")
    if base not in _methods:
        if base in _unavailable:
            raise UsageError(f"The method '{base}' could not be loaded: {_unavailable[base].reason}")
        if base.partition(":")[0] in _lacking:
            raise UsageError(_lacking[base.partition(":")[0]])
        raise unknown("method", base, _methods)
    return bind(_methods[base], policy or None, params or {})


def bind(method: Any, policy: str | None, params: Mapping[str, Scalar]) -> Method:
    """A method with its policy and parameters: what the harness calls `select` on."""
    if isinstance(method, FunctionMethod):
        return (method.with_policy(policy) if policy else method).with_params(params)
    if policy:
        raise UsageError(f"'{method.info.name}' chooses its set itself and takes no policy; drop '@{policy}'.")
    values = check_params(method.info.name, params, method.info.params)
    return cast(Method, method(**values) if inspect.isclass(method) else method)


def run(method: Method, context: Context, budget: Budget) -> Coreset:
    """Selects, and holds the answer to the contract.

    Raises:
        CoresetBenchError: the method failed, or its answer is not exactly k valid picks.
    """
    try:
        coreset = method.select(context, budget)
    except CoresetBenchError:
        raise
    except Exception as error:  # third-party code may fail in any way
        raise CoresetBenchError(f"'{method.info.name}' failed: {type(error).__name__}: {error}") from error
    return validated(coreset, budget, method.info.name)


def resolve(target: str) -> Any:
    """The method that `PACKAGE:NAME` points to, or a registered name.

    Raises:
        UsageError: nothing there, or it is no method.
    """
    _load()
    module, colon, attribute = target.partition(":")
    if not colon or module in _lacking or any(name.startswith(f"{module}:") for name in _methods):
        return get(target)
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except Exception as error:  # importing someone's file may fail in any way
        raise UsageError(f"Cannot load '{target}': {type(error).__name__}: {error}") from None
    if not _is_method(found):
        raise UsageError(
            f"'{target}' is no method; decorate it with @score, @subset or @dynamic, or give it info and select."
        )
    return found
