"""What a suite comes to: its cells, whose keys follow what, and one sentence for whatever cannot be planned."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from benchmark.plan import VERSIONS, Cell, Plan, Selection, make_plan
from benchmark.plan import selection as module
from benchmark.spec import Suite, Training, explain, load_suite
from methods.errors import UsageError
from methods.registry import FunctionMethod

Tiny = Callable[..., Suite]


def by_id(plan: Plan) -> dict[str, Cell]:
    return {cell.id: cell for cell in plan.cells}


def coreset(plan: Plan, row: str, fraction: float = 0.3, replicate: int = 0) -> Selection:
    cells = [c for c in plan.cells if (c.name, c.fraction, c.replicate) == (row, fraction, replicate)]
    assert cells[0].selection is not None
    return cells[0].selection


def keys(plan: Plan, kind: str) -> dict[str, str]:
    return {cell.id: stage.key for cell in plan.cells for stage in cell.stages() if stage.kind == kind}


def edited(suite: Suite, change: Callable[[dict[str, Any]], None]) -> Plan:
    values = suite.canonical()
    change(values)
    return make_plan(Suite.model_validate(values))


def test_cells_stand_in_plan_order_with_unique_ids(tiny_suite: Tiny) -> None:
    plan = make_plan(tiny_suite(rows=["random", "easycore", "easycore@balanced"], fractions=[0.1, 0.5], replicates=2))
    expected = [f"tiny/full/1/{regime}/{replicate}" for regime in ("standard", "trades") for replicate in (0, 1)]
    expected += [
        f"tiny/{row}/{fraction}/{regime}/{replicate}"
        for row in ("random", "easycore", "easycore@balanced")
        for fraction in ("0.1", "0.5")
        for regime in ("standard", "trades")
        for replicate in (0, 1)
    ]
    assert [cell.id for cell in plan.cells] == expected
    assert len(by_id(plan)) == len(expected)
    assert make_plan(plan.suite).cells == plan.cells


def test_the_digits_suite_has_a_cell_for_each_combination() -> None:
    suite = load_suite("digits")
    plan = make_plan(suite)
    combinations = len(suite.rows) * len(suite.fractions) + suite.full
    assert len(by_id(plan)) == len(plan.cells) == combinations * len(suite.regimes) * suite.replicates


def test_the_full_row_has_no_selection_and_can_be_left_out(tiny_suite: Tiny) -> None:
    plan = make_plan(tiny_suite())
    full = [cell for cell in plan.cells if cell.name == "full"]
    assert [(cell.fraction, cell.selection, dict(cell.model.parents)) for cell in full] == [(1.0, None, {})] * 2
    assert not [cell for cell in make_plan(tiny_suite(full=False)).cells if cell.name == "full"]


def test_training_and_attack_seeds_know_the_replicate_and_not_the_method(tiny_suite: Tiny) -> None:
    plan = make_plan(tiny_suite(replicates=2, fractions=[0.1, 0.3]))
    for replicate in (0, 1):
        cells = [cell for cell in plan.cells if cell.replicate == replicate]
        assert len({(cell.seeds.training, cell.seeds.attack, cell.seeds.selection) for cell in cells}) == 1
    drawn = [s for cell in plan.cells for s in (*cell.seeds.proxies, cell.seeds.selection, cell.seeds.training)]
    per_replicate = 3  # a proxy, a selection and a training: nothing shares a stream with anything
    assert len(set(drawn)) == 2 * per_replicate


def test_regimes_share_coresets_and_rows_share_proxies(tiny_suite: Tiny) -> None:
    plan = make_plan(tiny_suite(rows=["easycore", "aign-hard", "forgetting"], fractions=[0.1, 0.3]))
    assert len(plan.selections()) == 3 * 2  # rows x fractions, not x regimes
    (trace,) = plan.traces()
    assert set(trace.signals) == {"input_grad_norm", "correct"}
    assert coreset(plan, "easycore").seed == coreset(plan, "easycore", 0.1).seed  # so that budgets nest


def test_el2n_gets_ten_disjoint_short_proxies_a_replicate() -> None:
    suite = load_suite("digits")
    plan = make_plan(suite)
    epochs = suite.proxies["standard"].recipe.epochs
    seeds = []
    for replicate in range(suite.replicates):
        traces = coreset(plan, "el2n", 0.3, replicate).traces
        assert [trace.until for trace in traces] == [epochs] + 9 * [round(0.1 * epochs)]
        seeds += [trace.seed for trace in traces]
    assert len(set(seeds)) == 10 * suite.replicates
    assert coreset(plan, "el2n").proxy_epochs == 10 * round(0.1 * epochs)
    assert coreset(plan, "grand-last").traces[1].proxy.key == coreset(plan, "el2n").traces[1].proxy.key
    assert len(plan.traces()) == 10 * suite.replicates


def test_replicates_share_proxies_where_a_suite_trains_fewer(tiny_suite: Tiny) -> None:
    rows = ["easycore", {"method": "easycore", "proxy": "vgg"}]
    proxies = {name: tiny_suite().proxies["standard"].canonical() for name in ("standard", "vgg")}
    own = tiny_suite(rows=rows, proxies=proxies, replicates=3)
    shared = make_plan(Suite.model_validate(own.canonical() | {"proxy_seeds": {"standard": 2, "vgg": 1}}))

    def seeds(plan: Plan, row: str) -> list[int]:
        return [coreset(plan, row, 0.3, replicate).traces[0].seed for replicate in range(3)]

    first, second, _ = seeds(make_plan(own), "easycore")
    assert seeds(shared, "easycore") == [first, second, first]
    assert seeds(shared, "easycore (vgg proxy)") == [seeds(make_plan(own), "easycore (vgg proxy)")[0]] * 3
    assert len(shared.traces()) == 3
    cells = [cell for cell in shared.cells if (cell.name, cell.regime_name) == ("easycore", "standard")]
    assert len({cell.selection.seed for cell in cells if cell.selection}) == 3
    assert len({cell.seeds.training for cell in cells}) == 3


def test_an_early_signal_stops_further_proxies_where_it_is_recorded(tiny_suite: Tiny) -> None:
    """`grand` has no parameter `at`: its signal says when, and EL2N of the same share reads the same proxies."""
    rows = [{"method": name, "params": {"proxies": 3}} for name in ("grand", "el2n")]
    plan = edited(tiny_suite(rows=rows), lambda s: s["proxies"]["standard"]["recipe"].update(epochs=20))
    grand, el2n = (coreset(plan, f"{name} (proxies=3)") for name in ("grand", "el2n"))
    assert [trace.until for trace in grand.traces] == [20, 2, 2]
    assert grand.proxy_epochs == 3 * 2
    assert [trace.proxy.key for trace in grand.traces] == [trace.proxy.key for trace in el2n.traces]


@pytest.mark.parametrize(
    ("needs", "params", "until"),
    [
        (("grad_norm",), {}, 2),
        (("grad_norm", "features"), {}, 20),
        (("grad_norm", "loss"), {"at": 0.5}, 10),
        (("select.loss",), {"at": 0.05}, 1),
        (("grad_norm", "error_norm"), {"at": 0.05}, 2),
    ],
)
def test_a_proxy_is_read_up_to_the_last_of_its_signals(needs: Any, params: dict[str, Any], until: int) -> None:
    training = Training.model_validate({"model": "mlp", "recipe": {"epochs": 20}})
    assert module.read_until(needs, params, training) == until


RECIPE_CHANGES = {"lr": 0.05, "epochs": 4, "precision": "bfloat16", "channels_last": True, "clock": "steps"}


@pytest.mark.parametrize("field", RECIPE_CHANGES)
def test_a_regime_s_recipe_is_in_model_keys_and_not_in_coreset_keys(tiny_suite: Tiny, field: str) -> None:
    before = make_plan(tiny_suite())
    after = edited(before.suite, lambda s: s["regimes"]["trades"]["recipe"].update({field: RECIPE_CHANGES[field]}))
    assert keys(after, "coreset") == keys(before, "coreset")
    moved = {i for i, key in keys(after, "model").items() if key != keys(before, "model")[i]}
    assert moved == {cell.id for cell in before.cells if cell.regime_name == "trades"}
    outcomes, others = (
        {cell.id: {stage.key for stage in cell.outcomes.values()} for cell in plan.cells} for plan in (before, after)
    )
    assert {i for i in outcomes if not outcomes[i] & others[i]} == moved
    assert {i for i in outcomes if outcomes[i] == others[i]} == set(outcomes) - moved


def test_a_proxy_s_recipe_moves_what_reads_it_and_nothing_else(tiny_suite: Tiny) -> None:
    before = make_plan(tiny_suite())
    after = edited(before.suite, lambda s: s["proxies"]["standard"]["recipe"].update(lr=0.01))
    assert coreset(after, "easycore").coreset.key != coreset(before, "easycore").coreset.key
    assert coreset(after, "random").coreset.key == coreset(before, "random").coreset.key


def test_an_attack_moves_its_own_outcomes_alone(tiny_suite: Tiny) -> None:
    before = make_plan(tiny_suite())
    after = edited(before.suite, lambda s: s["attacks"]["pgd"].update(steps=4))
    assert keys(after, "model") == keys(before, "model")
    for old, new in zip(before.cells, after.cells, strict=True):
        assert {name for name in old.outcomes if old.outcomes[name].key != new.outcomes[name].key} == {"pgd"}


@pytest.mark.parametrize("change", [{"train": 140}, {"test": 50}, {"select": 50}])
def test_how_much_of_the_data_is_used_is_in_every_key(tiny_suite: Tiny, change: dict[str, int]) -> None:
    before = make_plan(tiny_suite())
    after = edited(before.suite, lambda s: s["dataset"].update(change))
    for kind in ("signal", "coreset", "model", "outcome"):
        assert not set(keys(before, kind).values()) & set(keys(after, kind).values())


def test_an_edited_method_never_meets_its_old_coreset(tiny_suite: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    before = make_plan(tiny_suite())
    true = module.source_hash

    def after_an_edit(method: FunctionMethod) -> str:
        return "edited" if method.info.name == "easycore" else true(method)

    monkeypatch.setattr(module, "source_hash", after_an_edit)
    after = make_plan(before.suite)
    moved = {i for i, key in keys(after, "coreset").items() if key != keys(before, "coreset")[i]}
    assert moved == {cell.id for cell in before.cells if cell.name == "easycore"}
    assert [t.proxy.key for t in after.traces()] == [t.proxy.key for t in before.traces()]
    assert keys(after, "signal") == keys(before, "signal")


def test_an_edited_signal_moves_who_reads_it_alone(tiny_suite: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = tiny_suite(rows=["easycore", "forgetting"])
    before = make_plan(suite)
    true = module.get_signal

    class Edited:
        source_hash = "edited"
        name, view = "correct", "online"

    monkeypatch.setattr(module, "get_signal", lambda name: Edited if name == "correct" else true(name))
    after = make_plan(suite)
    assert coreset(after, "forgetting").coreset.key != coreset(before, "forgetting").coreset.key
    assert coreset(after, "easycore").coreset.key == coreset(before, "easycore").coreset.key
    assert [t.proxy.key for t in after.traces()] == [t.proxy.key for t in before.traces()]


def test_parameters_and_policies_are_in_coreset_keys(tiny_suite: Tiny) -> None:
    rows = ["easycore", "easycore@high", {"method": "easycore", "params": {"squared": True}}]
    assert len({s.coreset.key for s in make_plan(tiny_suite(rows=rows)).selections()}) == 3


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"fractions": []}, set()),
        (
            {},
            {
                (r, f, i)
                for r, f in [("full", 1.0)] + [(m, f) for m in ("random", "loss") for f in (0.1, 0.3)]
                for i in (0, 1)
            },
        ),
        ({"fractions": [0.3], "replicates": [1]}, {("full", 1.0, 1), ("random", 0.3, 1), ("loss", 0.3, 1)}),
        ({"fractions": [0.3], "rows": ["loss"]}, {("loss", 0.3, 0), ("loss", 0.3, 1)}),
        ({"replicates": []}, set()),
    ],
)
def test_autoattack_runs_where_the_suite_says(tiny_suite: Tiny, choice: dict[str, Any], expected: set[Any]) -> None:
    suite = tiny_suite(rows=["random", "loss"], fractions=[0.1, 0.3], replicates=2, attacks={"autoattack": choice})
    chosen = [c for c in make_plan(suite).cells if "autoattack" in c.outcomes]
    assert {(cell.name, cell.fraction, cell.replicate) for cell in chosen} == expected
    assert {cell.outcomes["autoattack"].spec["epsilon"] for cell in chosen} <= {0.1}


def test_autoattack_keeps_to_the_regimes_that_it_names(tiny_suite: Tiny) -> None:
    suite = tiny_suite(clocks=["steps"], attacks={"autoattack": {"regimes": ["trades", "standard@steps"]}})
    regimes = {cell.regime_name for cell in make_plan(suite).cells if "autoattack" in cell.outcomes}
    assert regimes == {"trades", "standard@steps"}
    with pytest.raises(ValidationError, match="did you mean 'trades@steps'"):
        tiny_suite(clocks=["steps"], attacks={"autoattack": {"regimes": ["trades@step"]}})


def test_planning_imports_no_torch() -> None:
    script = (
        "import sys; from benchmark.plan import make_plan; from benchmark.spec import load_suite;"
        "plan = make_plan(load_suite('digits')); assert plan.traces() and plan.selections();"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": ["esycore"]}, "Unknown method 'esycore'; did you mean 'easycore'"),
        ({"rows": ["easycore@hihg"]}, "Unknown policy 'hihg'; did you mean 'high'"),
        ({"rows": ["herding@low"]}, "'herding' .*takes no policy"),
        ({"rows": [{"method": "el2n", "params": {"proxy": 2}}]}, "Unknown parameter of 'el2n' 'proxy'; did you mean"),
        ({"rows": [{"method": "el2n", "params": {"proxies": 0}}]}, r"Row 'el2n \(proxies=0\)' averages 0 proxies"),
        ({"rows": [{"method": "el2n", "params": {"proxies": 1, "at": 1.5}}]}, r"'at' is 1.5; it must lie in \(0, 1\]"),
        ({"dataset": {"name": "digit"}}, "Unknown data set 'digit'; did you mean 'digits'"),
        ({"dataset": {"name": "imagefolder:/nowhere"}}, "nowhere"),
    ],
)
def test_what_cannot_be_planned_is_one_sentence(tiny_suite: Tiny, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        make_plan(tiny_suite(**changes))


@pytest.mark.parametrize("part", ["proxies", "regimes"])
def test_an_unknown_model_is_found_before_anything_runs(tiny_suite: Tiny, part: str) -> None:
    with pytest.raises(UsageError, match="Unknown model 'resnet81'; did you mean 'resnet18'"):
        edited(tiny_suite(), lambda s: s[part]["standard"].update(model="resnet81"))


@pytest.mark.parametrize(
    ("path", "key", "value", "sentence"),
    [
        ([], "fractoins", [0.1], "Unknown key 'fractoins'; did you mean 'fractions'"),
        (["regimes", "trades", "recipe"], "bata", 6.0, "Unknown key 'bata'; did you mean 'beta'"),
        ([], "fractions", [0.0], "'fractions.0': .*greater than 0"),
        ([], "fractions", [1.2], "'fractions.0': .*less than or equal to 1"),
        ([], "fractions", [0.3, 0.1], "ascending order"),
        ([], "rows", ["random", "random"], "two rows are called 'random'"),
        ([], "rows", [{"method": "random", "label": "full"}], "'full' is the row of the full pool"),
        ([], "rows", [{"method": "loss", "proxy": "robust"}], "reads proxy 'robust'"),
        ([], "proxy_seeds", {"standrad": 2}, "Unknown proxy in proxy_seeds 'standrad'; did you mean 'standard'"),
        ([], "proxy_seeds", {"standard": 0}, "'proxy_seeds.standard': .*greater than 0"),
        (["regimes", "trades"], "primary", 0.2, "primary epsilon 0.2 is not one of"),
        (["regimes", "trades"], "primary", "half", "'regimes.trades.primary': write one of epsilons, or \"calibrate\""),
    ],
)
def test_a_suite_that_is_wrong_is_one_sentence(
    tiny_suite: Tiny, path: list[str], key: str, value: Any, sentence: str
) -> None:
    values = place = tiny_suite().canonical()
    for step in path:
        place = place[step]
    place[key] = value
    with pytest.raises(ValidationError) as caught:
        Suite.model_validate(values)
    said = explain(caught.value, Suite)
    assert "\n" not in said
    with pytest.raises(UsageError, match=sentence):
        raise UsageError(said)


def test_an_unknown_cell_is_named_with_the_nearest(tiny_suite: Tiny) -> None:
    plan = make_plan(tiny_suite())
    assert plan.find("tiny/random/0.3/trades/0") is by_id(plan)["tiny/random/0.3/trades/0"]
    with pytest.raises(UsageError, match=r"did you mean 'tiny/random/0.3/trades/0'"):
        plan.find("tiny/random/0.3/trade/0")


def test_a_version_moves_the_stage_and_what_comes_of_it(tiny_suite: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    before = make_plan(tiny_suite())
    kinds = {kind: set(keys(before, kind).values()) for kind in ("signal", "coreset", "model", "outcome")}
    monkeypatch.setitem(VERSIONS, "model", VERSIONS["model"] + 1)
    after = make_plan(before.suite)
    kept = {kind: bool(values & set(keys(after, kind).values())) for kind, values in kinds.items()}
    assert kept == {"signal": True, "coreset": True, "model": False, "outcome": False}
