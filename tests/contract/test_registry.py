"""Names, policies and parameters, and what third parties may bring."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import methods
from methods import registry
from methods.api import Budget, Context, Coreset, MethodInfo, Signals
from methods.errors import CoresetBenchError, UsageError
from methods.registry import bind, get, register, resolve, run, score, subset


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test registers is gone after it."""
    registry.method_names()
    for name in ("_methods", "_unavailable"):
        monkeypatch.setattr(registry, name, dict(getattr(registry, name)))


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Installs a distribution with one module and entry points, as pip would, and reads the registry anew."""

    def install(source: str, *points: str) -> None:
        (tmp_path / "a_plugin_of_mine.py").write_text(source)
        folder = tmp_path / "a_plugin_of_mine-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: a-plugin-of-mine\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("\n".join([f"[{registry.GROUP}]", *points]) + "\n")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setattr(registry, "_loaded", False)

    yield install
    sys.modules.pop("a_plugin_of_mine", None)


PLUGIN = """
from methods.registry import score
@score("mine", needs="loss", keep="high", direction="hard", paper="none")
def mine(signals, *, epoch: int = -1):
    "Largest loss."
    return signals.loss[epoch]
"""


def test_a_name_may_carry_a_policy() -> None:
    method = get("el2n@low+balanced", {"proxies": 2})
    assert method.info.name == "el2n"
    assert method.rule == "low+balanced"
    assert method.values["proxies"] == 2
    assert get("easycore@balanced").rule == "low+balanced"
    assert get("el2n").rule == "high"


def test_low_and_high_name_the_end_and_never_the_other_one() -> None:
    assert [get(f"el2n@{end}").info.direction for end in ("high", "low", "middle")] == ["hard", "easy", "middle"]
    assert [get(f"aum@{end}").info.direction for end in ("high", "low")] == ["easy", "hard"]
    assert get("moderate@low").info.direction == "any"


def test_balanced_treats_classes_apart_and_promises_no_nesting() -> None:
    assert get("el2n").info.nested
    assert not get("el2n@balanced").info.nested
    assert get("el2n@balanced").info.per_class

    @score("evenly", needs="loss", keep="high+balanced")
    def evenly(signals):
        return signals.loss[-1]

    assert not evenly.info.nested
    assert evenly.info.per_class


UNKNOWN = [
    ("eazycore", {}, "Unknown method 'eazycore'; did you mean 'easycore'"),
    ("el2n@lwo", {}, "Unknown policy 'lwo'; did you mean 'low'"),
    ("el2n@low+high", {}, "contradicts itself"),
    ("k-center@low", {}, "takes no policy"),
    ("el2n", {"proxy": 3}, "Unknown parameter of 'el2n' 'proxy'; did you mean 'proxies'"),
    ("el2n", {"proxies": "3"}, "takes int"),
]


@pytest.mark.parametrize(("name", "params", "words"), UNKNOWN)
def test_what_is_unknown_is_named_with_the_nearest(name: str, params: dict, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        get(name, params)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_belongs_to_one_method() -> None:
    @score("twice", needs="loss", keep="low")
    def first(signals):
        return signals.loss[-1]

    with pytest.raises(UsageError, match="Two methods are called 'twice'"):

        @score("twice", needs="loss", keep="low")
        def second(signals):
            return signals.loss[0]

    assert register(first) is first
    with pytest.raises(UsageError, match="Two methods are called 'easycore'"):
        score("easycore", needs="loss", keep="low")(lambda signals: signals.loss[-1])


def test_a_file_does_not_take_the_name_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`a_mine.py` is imported first, and would stand in the tables under the other's name."""
    (tmp_path / "a_mine.py").write_text(PLUGIN.replace('"mine"', '"herding"'))
    monkeypatch.setattr(methods, "__path__", [str(tmp_path), *methods.__path__])
    monkeypatch.setattr(registry, "_methods", {})
    for name in [name for name in sys.modules if name == "methods.herding"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(registry, "_loaded", False)
    words = r"could not be loaded: Two methods are called 'herding' \(in a_mine.py and herding.py\)"
    with pytest.raises(UsageError, match=words):
        get("herding")
    assert "herding" not in registry.method_names()
    sys.modules.pop("methods.a_mine")


def test_a_direction_is_one_that_is_known() -> None:
    with pytest.raises(UsageError, match="Unknown direction of 'odd' 'simple'; did you mean 'middle'"):
        score("odd", needs="loss", keep="low", direction="simple")(lambda signals: signals.loss[-1])


def test_a_function_says_what_it_takes() -> None:
    with pytest.raises(UsageError, match="did you mean 'signals'"):
        score("odd", needs="loss", keep="low")(lambda signal: 0)
    with pytest.raises(UsageError, match="has no default"):

        @subset("odd")
        def odd(context, budget, *, width):
            return np.arange(budget.k)

    with pytest.raises(UsageError, match="Unknown policy"):
        score("odd", needs="loss", keep="lowest")


def test_a_class_is_registered_and_made_with_its_parameters() -> None:
    class Strided:
        info = MethodInfo("strided", "set", summary="Every so many.", params={"stride": 1}, paper="none")

        def __init__(self, *, stride: int = 1) -> None:
            self.stride = stride

        def select(self, context: Context, budget: Budget) -> Coreset:
            return Coreset(np.arange(0, self.stride * budget.k, self.stride))

    register(Strided)
    context = Context(np.zeros(10, dtype=np.int64), 1, Signals({}, 0), np.random.default_rng(0))
    assert run(get("strided", {"stride": 3}), context, Budget(3, 10)).indices.tolist() == [0, 3, 6]
    with pytest.raises(UsageError, match="takes no policy"):
        get("strided@low")
    with pytest.raises(UsageError, match="Unknown parameter"):
        bind(Strided, None, {"step": 3})


def test_a_failing_method_is_one_sentence() -> None:
    @subset("breaks")
    def breaks(context, budget):
        raise KeyError("nothing there")

    context = Context(np.zeros(10, dtype=np.int64), 1, Signals({}, 0), np.random.default_rng(0))
    with pytest.raises(CoresetBenchError, match="'breaks' failed: KeyError: 'nothing there'"):
        run(breaks, context, Budget(3, 10))


def test_a_plugin_is_found_by_its_entry_point(installed: Any) -> None:
    installed(PLUGIN, "mine = a_plugin_of_mine:mine")
    assert "mine" in registry.method_names()
    assert get("mine@low").info.direction == "easy"


def test_a_plugin_that_fails_is_listed_with_its_reason(installed: Any) -> None:
    installed("import a_package_that_is_not_there", "mine = a_plugin_of_mine:mine")
    assert "easycore" in registry.method_names()
    (lost,) = registry.unavailable()
    assert lost.name == "mine"
    assert "a_package_that_is_not_there" in lost.reason
    with pytest.raises(UsageError, match="'mine' could not be loaded: ModuleNotFoundError"):
        get("mine@low")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("mine = 3", "neither a decorated function nor a class"),
        (PLUGIN.replace('"mine"', '"easycore"'), "Two methods are called 'easycore'"),
        ("raise SystemError('no')", "SystemError: no"),
    ],
)
def test_a_plugin_that_is_no_method_is_listed(installed: Any, source: str, reason: str) -> None:
    installed(source, "mine = a_plugin_of_mine:mine")
    (lost,) = registry.unavailable()
    assert reason in lost.reason
    assert get("easycore").function.__module__ == "methods.easycore"


def test_resolve_takes_a_name_or_a_place(installed: Any) -> None:
    installed(PLUGIN)
    assert resolve("easycore@high").rule == "high"
    assert resolve("a_plugin_of_mine:mine").info.name == "mine"
    for place, words in (
        ("a_plugin_of_mine:yours", "AttributeError"),
        ("not_there:mine", "ModuleNotFoundError"),
        ("a_plugin_of_mine:score", "is no method"),
    ):
        with pytest.raises(UsageError, match=words):
            resolve(place)


def test_the_source_of_a_method_is_part_of_its_identity(tmp_path: Path) -> None:
    assert registry.source_hash(get("easycore")) == registry.source_hash(get("aign-hard"))
    assert registry.source_hash(get("easycore")) != registry.source_hash(get("loss"))
    assert registry.source_file(get("el2n@low")).name == "el2n.py"
