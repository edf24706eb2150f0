"""What rows are charged, against a table worked out by hand, and how a shared proxy is divided."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmark.charges import Charge, affordable, allowance, presentations
from benchmark.plan import Plan, Selection, make_plan
from benchmark.spec import Recipe, Suite

Tiny = Callable[..., Suite]

# Forward-equivalents for each image of the pool and of the held-out part, with a proxy of 20 epochs. A presentation is
# a forward and a backward pass, 3; with TRADES of 2 steps 4 + 2 forward and 2 + 2 backward passes, 14.
BY_HAND = [
    ("random", {}, 0, 0),
    ("forgetting", {}, 20 * 3, 0),  # seen while training
    ("loss", {}, 20 * (3 + 1), 0),
    ("easycore", {}, 20 * (3 + 1 + 2), 0),
    ("easycore", {"proxy": "robust"}, 20 * (14 + 1 + 2), 0),
    ("el2n", {}, 10 * 2 * (3 + 1), 0),  # ten proxies, each up to a tenth of its schedule
    ("el2n", {"params": {"at": 0.5, "proxies": 1}}, 10 * (3 + 1), 0),
    ("grand", {}, 10 * (2 * 3 + 1 + 1 + 2), 0),  # one snapshot each, with a gradient of its own
    ("vog", {}, 20 * (3 + 1 + 1 + 2), 0),
    ("dual", {}, 3 * 3, 0),  # the first 15 % of the schedule, seen while training
    ("cld", {}, 20 * (3 + 1), 20),
    ("glister", {}, 20 * 3 + 1, 1),  # one snapshot after the last epoch
    ("adv-margin", {}, 20 * 3 + 1 + 11 + 2 * 10, 0),
]


def planned(tiny_suite: Tiny, rows: list[Any], **changes: Any) -> Plan:
    """The plan of a suite whose proxies have 20 epochs."""
    values = tiny_suite(**changes).canonical()
    values["proxies"]["standard"]["recipe"]["epochs"] = 20
    robust = {**values["regimes"]["trades"]["recipe"], "epochs": 20}
    values["proxies"]["robust"] = {"model": "mlp", "recipe": robust}
    return make_plan(Suite.model_validate({**values, "rows": rows}))


def charged(selection: Selection) -> Charge:
    return sum(selection.charges, Charge())


@pytest.mark.parametrize(("method", "row", "pool", "held_out"), BY_HAND)
def test_a_row_is_charged_what_it_would_need_alone(
    method: str, row: dict[str, Any], pool: int, held_out: int, tiny_suite: Tiny
) -> None:
    (selection,) = planned(tiny_suite, [{"method": method, **row}]).selections()
    assert charged(selection) == Charge(pool, held_out)


def test_what_is_shared_adds_up_to_what_is_run(tiny_suite: Tiny) -> None:
    rows = ["random", "easycore", "el2n", "grand", "cld", "forgetting"]
    plan = planned(tiny_suite, rows, fractions=[0.1, 0.3], replicates=2)
    run = sum((proxy(trace) for trace in plan.traces()), Charge())
    shares = list(plan.shared.values())
    assert sum(pool for pool, _ in shares) == pytest.approx(run.pool)
    assert sum(held_out for _, held_out in shares) == pytest.approx(run.held_out)
    by_row = {s.row.name: plan.shared[s.coreset.key][0] for s in plan.selections()}
    assert by_row["random"] == 0
    assert by_row["easycore"] > by_row["forgetting"] > 0


def proxy(trace: Any) -> Charge:
    """What a proxy run takes, epoch by epoch: all snapshots share one forward pass."""
    epochs = trace.until
    needs = set(trace.signals)
    every = bool(needs & {"input_grad_norm", "error_norm", "loss"})
    pool = epochs * (3 + every + 2 * ("input_grad_norm" in needs))
    if "grad_norm" in needs:
        pool += (0 if every else 1) + 1 + 2
    return Charge(pool, epochs if "select.loss" in needs else 0)


def test_a_row_of_a_whole_suite_shares_its_proxy_and_one_by_itself_pays_all(tiny_suite: Tiny) -> None:
    (alone,) = planned(tiny_suite, ["easycore"]).shared.values()
    assert alone == (120.0, 0.0)
    twice = planned(tiny_suite, ["easycore", "aign-hard"], fractions=[0.1, 0.3]).shared
    assert list(twice.values()) == [(30.0, 0.0)] * 4


def test_the_allowance_is_a_proxy_and_what_easycore_records(tiny_suite: Tiny) -> None:
    plan = planned(tiny_suite, ["easycore"])
    (selection,) = plan.selections()
    assert allowance(plan.suite) == charged(selection) == Charge(120)
    assert allowance(plan.suite.model_copy(update={"allowance": 0.5})) == Charge(30)


@pytest.mark.parametrize(
    ("spare", "expected"),
    [(Charge(), 20 * 10), (Charge(3), 20 * 10 + 100), (Charge(-3), 20 * 10 - 100), (Charge(3, -30), 20 * 10)],
)
def test_a_coreset_presents_equal_epochs_and_what_is_spare(spare: Charge, expected: int) -> None:
    assert presentations(Recipe(epochs=20), 10, spare, pool=100, held_out=10) == expected


def test_affordable_is_one_epoch_of_the_coreset() -> None:
    recipe = Recipe(epochs=20)  # at 10 % an epoch takes 0.3 for each image of the pool
    assert affordable(recipe, 0.1, Charge(-5))
    assert not affordable(recipe, 0.1, Charge(-6))
    assert affordable(recipe, 0.5, Charge(-28))
    assert not affordable(recipe, 0.1, Charge(-5, -1))  # the held-out part may be as large as the pool
    assert affordable(Recipe(epochs=1), 0.1, Charge(0))
    assert not affordable(Recipe(epochs=1), 0.1, Charge(-1))
