"""Clocks as regimes: what a suite that declares them comes to, and that no key of the other clocks moves."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmark.cli.common import the_suite
from benchmark.plan import VERSIONS, Data, Plan, make_plan
from benchmark.records import read_records
from benchmark.spec import Suite, load_suite, validated_suite
from benchmark.store import content_key
from methods import registry
from methods.errors import UsageError
from methods.functions import FunctionMethod
from methods.registry import get

Tiny = Callable[..., Suite]
RESULTS = Path(__file__).parents[2] / "results"


def keys(plan: Plan) -> dict[str, dict[str, str]]:
    return {
        cell.id: {"model": cell.model.key, **{name: stage.key for name, stage in cell.outcomes.items()}}
        for cell in plan.cells
    }


def test_each_regime_stands_on_each_further_clock(tiny_suite: Tiny) -> None:
    suite = tiny_suite(clocks=["epochs", "steps", "cost"])
    found = suite.on_clocks()
    names = ["standard", "trades", "standard@steps", "trades@steps", "standard@cost", "trades@cost"]
    assert list(found) == names
    assert [regime.recipe.clock for regime in found.values()] == 2 * ["epochs"] + 2 * ["steps"] + 2 * ["cost"]
    for name, regime in found.items():
        own = suite.regimes[name.partition("@")[0]]
        assert regime.recipe.model_copy(update={"clock": "epochs"}) == own.recipe
        assert (regime.model, regime.epsilons, regime.primary) == (own.model, own.epsilons, own.primary)
    cells = make_plan(suite).cells
    assert len(cells) == 3 * len(make_plan(tiny_suite()).cells)
    assert {cell.regime_name for cell in cells} == set(names)


def test_further_clocks_move_no_key_and_select_nothing_anew(tiny_suite: Tiny) -> None:
    plain, clocked = make_plan(tiny_suite()), make_plan(tiny_suite(clocks=["steps", "cost"], allowance=3))
    assert keys(plain).items() <= keys(clocked).items()
    assert {s.coreset.key for s in plain.selections()} == {s.coreset.key for s in clocked.selections()}
    models = [cell.model.key for cell in clocked.cells]
    assert len(set(models)) == len(models)


def test_the_allowance_is_in_the_keys_of_its_clock_alone(tiny_suite: Tiny) -> None:
    one, two = (keys(make_plan(tiny_suite(clocks=["steps", "cost"], allowance=a))) for a in (1.0, 2.5))
    assert {cell for cell in one if one[cell] != two[cell]} == {cell for cell in one if "@cost" in cell}


def test_published_models_have_the_keys_that_their_records_give() -> None:
    """From what the record itself says, so that it holds whatever became of a method since."""
    records = read_records(RESULTS / "digits" / "records.jsonl")
    for record in records:
        factors = record.factors
        data = Data(factors.dataset_spec, factors.checksum)
        spec = {
            **data.canonical(),
            "model": factors.model,
            "recipe": factors.recipe.canonical(),
            "seed": factors.seeds.training,
        }
        parents = {"coreset": record.keys["coreset"]} if "coreset" in record.keys else {}
        assert content_key("model", VERSIONS["model"], spec, parents) == record.keys["model"], record.cell


def test_digits_itself_is_on_one_clock() -> None:
    suite = load_suite("digits")
    assert suite.on_clocks() == suite.regimes
    assert not any(cell.spare or cell.unaffordable for cell in make_plan(suite).cells)


def test_a_primary_epsilon_is_measured_once_for_all_clocks(tiny_suite: Tiny) -> None:
    values = tiny_suite(clocks=["steps", "cost"]).canonical()
    for regime in values["regimes"].values():
        regime["primary"] = "calibrate"
    clocked = make_plan(Suite.model_validate(values))
    plain = make_plan(Suite.model_validate({**values, "clocks": []}))
    assert [stage.key for stage in clocked.calibrations()] == [stage.key for stage in plain.calibrations()]
    assert len(plain.calibrations()) == 2


def test_a_row_that_costs_too_much_is_not_affordable(tiny_suite: Tiny) -> None:
    rows = ["random", {"method": "el2n", "params": {"proxies": 3, "at": 1.0}, "label": "three proxies"}]
    plan = make_plan(tiny_suite(rows=rows, clocks=["cost"]))
    found = {cell.id: cell.unaffordable for cell in plan.cells if cell.unaffordable}
    assert set(found) == {f"tiny/three proxies/0.3/{regime}@cost/0" for regime in ("standard", "trades")}
    for sentence in found.values():
        assert sentence.startswith(
            "Not affordable: its proxies and signals alone take 4 trainings of the standard proxy"
        )


def test_the_command_line_puts_a_suite_on_the_clock_alone() -> None:
    suite = the_suite("digits", clock="cost")
    assert suite.name == "digits+cost"
    assert {regime.recipe.clock for regime in suite.on_clocks().values()} == {"cost"}
    assert list(suite.on_clocks()) == ["standard", "trades"]


def without_proxies(values: dict[str, Any]) -> None:
    values.update(proxies={}, rows=["random"])


def another_network(values: dict[str, Any]) -> None:
    values["proxies"]["standard"]["model"] = "cnn-tiny"


def named_like_a_clock(values: dict[str, Any]) -> None:
    values["regimes"]["standard@cost"] = values["regimes"].pop("standard")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without_proxies, "declare [proxies.standard]"),
        (another_network, "passes through one network"),
        (named_like_a_clock, "drop the '@'"),
        (lambda values: values.update(clocks=["cost", "cost"]), "named once each"),
        (lambda values: values.update(clocks=["hours"]), "'epochs', 'steps' or 'cost'"),
        (lambda values: values.update(allowance=-1), "greater than or equal to 0"),
    ],
)
def test_what_no_clock_can_measure_is_refused(
    change: Callable[[dict[str, Any]], None], words: str, tiny_suite: Tiny
) -> None:
    values = tiny_suite(clocks=["cost"]).canonical()
    change(values)
    with pytest.raises(UsageError) as refusal:
        validated_suite(values, "tiny.toml")
    assert words in str(refusal.value)


@pytest.mark.parametrize("clock", ["steps", "cost"])
def test_dynamic_rows_know_one_clock(clock: str, tiny_suite: Tiny) -> None:
    with pytest.raises(UsageError, match="spend presentations; set clock"):
        make_plan(tiny_suite(rows=["rs2"], clocks=[clock]))
    make_plan(tiny_suite(rows=["rs2"], clocks=["epochs"]))


def test_what_trains_while_it_selects_cannot_be_charged(tiny_suite: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    method = get("random")
    assert isinstance(method, FunctionMethod)
    monkeypatch.setitem(registry._methods, "random", replace(method, info=replace(method.info, trains=True)))
    cells = make_plan(tiny_suite(rows=["random"], clocks=["cost"], full=False)).cells
    assert [bool(cell.unaffordable) for cell in cells] == [cell.regime.recipe.clock == "cost" for cell in cells]
    assert "trains a network of its own" in cells[-1].unaffordable
