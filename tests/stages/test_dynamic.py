"""The dynamic track: training by what a method presents, its place in plans and records, and its tables."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor
from torch.nn import functional as F

from benchmark import plan as module
from benchmark.data import Dataset, load
from benchmark.dynamic import Course, derivatives, train_by
from benchmark.estimate import Rates, cell_work
from benchmark.leaderboard import render_markdown, render_summary
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.plan import make_plan
from benchmark.randomness import normal_images
from benchmark.records import Record, read_records
from benchmark.run import Settings, Summary, run_suite
from benchmark.select import suite_for
from benchmark.spec import DatasetSpec, Recipe, Suite, load_suite
from benchmark.stats import paired_difference
from benchmark.train import Round, fit, trades_images, trades_loss, train
from benchmark.wording import points
from methods import registry
from methods.api import Coreset
from methods.dynamics import DynamicFunction, DynamicInfo, Presentations, TrainingContext
from methods.errors import CoresetBenchError, UsageError
from tests.factories import FRACTIONS, REPLICATES, declared, line_of, lines, robust

Tiny = Callable[..., Suite]
STANDARD = Recipe(epochs=4, batch_size=16)
TRADES = Recipe(epochs=4, batch_size=16, objective="trades", epsilon=0.1, inner_steps=2, inner_step_size=0.05)
RECIPES = {"standard": STANDARD, "trades": TRADES}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load(DatasetSpec(name="digits", train=100, test=20))


def fresh(data: Dataset, seed: int = 1) -> Classifier:
    return build("mlp", data.num_classes, data.shape, data.mean, data.std, seed=seed)


def made(function: Callable[..., Any], **info: Any) -> DynamicFunction:
    return DynamicFunction(DynamicInfo("foreign", "dynamic", **info), function)


def trained(
    data: Dataset, method: Any, recipe: Recipe = STANDARD, k: int = 30, seed: int = 5, selection: int = 7, **more: Any
) -> tuple[bytes, Course]:
    """The model as bytes, and its course."""
    model = fresh(data)
    course = train_by(method, model, data, recipe, k, seed, selection, **more)
    return weights_of(model), course


def weights_of(model: Classifier) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())


# The driver


@pytest.mark.parametrize("name", RECIPES)
def test_presenting_everyone_is_training_on_all_data_bit_for_bit(data: Dataset, name: str) -> None:
    model = fresh(data)
    train(model, data.train, torch.arange(100), RECIPES[name], 5)
    for params in ({}, {"cycle": True}):
        assert trained(data, registry.get("rs2", params), RECIPES[name], k=100)[0] == weights_of(model)


ALL = [("rs2", {}), ("rs2", {"cycle": True}), ("infobatch", {}), ("craig-refreshed", {}), ("gradmatch-refreshed", {})]
ALL += [("acs", {"batch": 5}), ("acs", {"batch": 5, "base": "gradmatch"})]


@pytest.mark.parametrize(("name", "params"), ALL)
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_same_seeds_give_the_same_bytes(data: Dataset, name: str, params: dict[str, Any], recipe: str) -> None:
    method = registry.get(name, params)
    first, course = trained(data, method, RECIPES[recipe])
    second, again = trained(data, method, RECIPES[recipe])
    assert first == second
    assert (course.passes, course.selecting, course.rounds) == (again.passes, again.selecting, again.rounds)
    assert trained(data, method, RECIPES[recipe], selection=8)[0] != first
    assert trained(data, method, RECIPES[recipe], seed=6)[0] != first


@pytest.mark.parametrize(("name", "params"), [pair for pair in ALL if pair[0] != "infobatch"])
@pytest.mark.parametrize("k", [7, 30, 100])
def test_a_budget_is_spent_to_the_last_presentation(data: Dataset, name: str, params: dict[str, Any], k: int) -> None:
    _, course = trained(data, registry.get(name, params), k=k)
    assert course.presentations == course.passes.forward == 4 * k
    assert 0 < int(course.seen.sum()) <= min(100, 4 * k)


def test_infobatch_spends_what_it_must(data: Dataset) -> None:
    _, course = trained(data, registry.get("infobatch"), STANDARD, k=1)
    assert course.rounds == 4
    assert 2 * 100 + 2 * 50 < course.presentations < 4 * 100  # all first and last, half of some in between
    assert course.presentations == course.passes.forward
    assert int(course.seen.sum()) == 100
    assert course.selecting.forward == 0


class Asked:
    """Presents a random subset, and keeps what it was shown."""

    def __init__(self, *needs: str, present: Callable[[TrainingContext, Presentations, int], Any] | None = None):
        self.info = DynamicInfo("asked", "dynamic", needs=needs, weighted=True)
        self.present, self.shown, self.budgets = present, list[dict[str, np.ndarray]](), list[Presentations]()

    def epoch(self, context: TrainingContext, budget: Presentations, epoch: int) -> Coreset:
        self.budgets.append(budget)
        self.shown.append({need: np.array(getattr(context.signals, need)) for need in self.info.needs})
        answer = self.present(context, budget, epoch) if self.present else None
        return answer or Coreset(context.rng.permutation(context.n)[: budget.k])


def test_looking_at_the_model_leaves_its_training_alone(data: Dataset) -> None:
    needs = ("last_loss", "clean_error", "attacked_error", "attacked_features", "features", "input_grad_norm")
    for recipe in RECIPES.values():
        assert trained(data, Asked(*needs), recipe)[0] == trained(data, registry.get("rs2"), recipe)[0]


def test_what_is_read_is_paid_for_and_nothing_else(data: Dataset) -> None:
    def sometimes(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
        if epoch % 2:
            for _ in range(3):
                assert context.signals.features.shape == (100, 64)
                assert context.signals.clean_error.shape == (100, 10)
        return context.rng.permutation(context.n)[: budget.k]

    needs = ("features", "probability", "clean_error")
    _, standard = trained(data, made(sometimes, needs=needs))
    assert (standard.selecting.forward, standard.selecting.backward) == (2 * 100 * (1 + 1), 0)
    _, trades = trained(data, made(sometimes, needs=needs), TRADES)
    assert trades.selecting.forward == 2 * 100 * (1 + 2 + 3)  # a snapshot; an attack of two steps, its target, a pair
    assert trades.selecting.backward == 2 * 100 * 2
    assert trained(data, registry.get("rs2"))[1].selecting.forward == 0
    assert trained(data, registry.get("infobatch"))[1].selecting.forward == 0


def test_signals_are_of_the_model_as_it_stands_and_read_only(data: Dataset) -> None:
    asked = Asked("probability", "clean_error", "attacked_error")
    trained(data, asked)
    first, last = asked.shown[0], asked.shown[-1]
    snapshot = fresh(data).eval()
    x, y, _ = next(data.train.batches(torch.arange(100), 100))
    np.testing.assert_allclose(first["probability"], snapshot(x).softmax(dim=1).detach(), atol=1e-6)
    np.testing.assert_allclose(first["clean_error"], first["probability"] - np.eye(10)[y], atol=1e-6)
    assert np.abs(first["probability"] - last["probability"]).max() > 0.1
    assert not first["attacked_error"].any()

    def writes(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
        context.signals.probability[0] = 0
        return np.arange(budget.k)

    with pytest.raises(CoresetBenchError, match="read-only"):
        trained(data, made(writes, needs=("probability",)))


def test_a_signal_that_is_not_declared_is_named(data: Dataset) -> None:
    def reads(context: TrainingContext, budget: Presentations, epoch: int) -> np.ndarray:
        return np.argsort(context.signals.loss[-1])[: budget.k]

    with pytest.raises(CoresetBenchError, match=r"reads the signal 'loss', .*\(declared: features, last_loss\)"):
        trained(data, made(reads, needs=("features", "last_loss")))


@pytest.mark.parametrize("name", RECIPES)
def test_the_last_loss_is_the_objective_of_the_last_presentation(data: Dataset, name: str) -> None:
    """With a rate of nearly 0 the model stands still, so that any presentation's loss is that of the model."""
    still = RECIPES[name].model_copy(update={"lr": 1e-12})
    half = Asked("last_loss", present=lambda c, b, e: Coreset(np.arange(50), np.arange(50.0)))
    trained(data, half, still, k=50)
    assert set(half.shown[0]["last_loss"].tolist()) == {np.float32(np.log(10))}
    seen, unseen = half.shown[-1]["last_loss"][:50], half.shown[-1]["last_loss"][50:]
    assert set(unseen.tolist()) == {np.float32(np.log(10))}
    model = fresh(data)
    x, y, _ = next(data.train.batches(torch.arange(50), 50))
    clean = F.cross_entropy(model(x), y, reduction="none").detach().numpy()
    if name == "standard":
        np.testing.assert_allclose(seen, clean, atol=1e-5)  # unweighted
    else:
        assert (seen > clean - 1e-5).all()
        assert (seen > clean + 1e-3).any()


def with_head(model: Classifier, head: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: model.features(x) @ head[:, :-1].T + head[:, -1]


@pytest.mark.parametrize("name", RECIPES)
def test_derivatives_make_up_the_last_layer_s_gradient(data: Dataset, name: str) -> None:
    """dl/dW = dl/dz (x) [h, 1] + dl/dz' (x) [h', 1], against autograd on the head; beta twice is another gradient."""
    recipe, model = RECIPES[name], fresh(data).eval()
    x, y, ids = next(data.train.batches(torch.arange(12), 12))
    noise = normal_images(3, ids, x.shape[1:])
    found = derivatives(model, x, y, recipe, noise)
    assert not model.training
    one = torch.ones(12, 1)
    h, h_attacked = model.features(x), found["attacked_features"]
    ours = torch.einsum("nc,nd->ncd", found["clean_error"], torch.cat([h, one], 1)) + torch.einsum(
        "nc,nd->ncd", found["attacked_error"], torch.cat([h_attacked, one], 1)
    )
    head = torch.cat([model.head.weight, model.head.bias[:, None]], 1).detach().requires_grad_()
    attacked = trades_images(model, x, recipe, noise) if name == "trades" else x
    model.eval()
    forward = with_head(model, head)
    for i in range(12):
        one_x, one_y, one_attacked = x[i : i + 1], y[i : i + 1], attacked[i : i + 1]
        if name == "trades":
            loss = trades_loss(forward(one_x), forward(one_attacked), one_y, recipe.beta)
            twice = trades_loss(forward(one_x), forward(one_attacked), one_y, recipe.beta**2)
            wrong = torch.autograd.grad(twice, head)[0]
            assert (ours[i] - wrong).norm() > 0.1 * ours[i].norm()
        else:
            loss = F.cross_entropy(forward(one_x), one_y)
        torch.testing.assert_close(ours[i], torch.autograd.grad(loss, head)[0], atol=1e-5, rtol=1e-4)


def test_weights_are_scaled_as_the_method_means_them(data: Dataset) -> None:
    weights = torch.tensor([1.0, 3.0, 0.0, 0.0])
    batch = torch.tensor([0, 1])
    as_is, scaled = (Round(torch.arange(4), 0, 1, weights, per_batch=each) for each in (False, True))
    assert as_is.share(batch).tolist() == [1, 3]  # type: ignore[union-attr]
    assert scaled.share(batch).tolist() == [0.5, 1.5]  # type: ignore[union-attr]
    assert scaled.share(torch.tensor([2, 3])).tolist() == [0, 0]  # type: ignore[union-attr]
    assert Round(torch.arange(4), 0, 1).share(batch) is None

    def doubled(context: TrainingContext, budget: Presentations, epoch: int) -> Coreset:
        return Coreset(np.arange(budget.k), np.full(budget.k, 2.0))

    plain = trained(data, made(lambda c, b, e: np.arange(b.k)))[0]
    by_rule = {w: trained(data, made(doubled, weighted=True, weighting=w))[0] for w in ("round", "batch", "raw")}
    assert by_rule["round"] == by_rule["batch"] == plain != by_rule["raw"]
    assert trained(data, made(doubled, weighted=True, weighting="raw"), weighted=False)[0] == plain


def test_the_schedule_moves_with_what_is_presented(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """However rounds are cut, a share of the budget is that share of the schedule; an own budget goes by epochs."""
    spans: list[tuple[float, float]] = []

    def watched(
        model: Any, images: Any, rounds: Any, recipe: Any, seed: int, total: int, *rest: Any, **more: Any
    ) -> Any:
        def noted() -> Any:
            for each in rounds:
                spans.append((each.start / total, each.end / total))
                yield each

        return fit(model, images, noted(), recipe, seed, total, *rest, **more)

    monkeypatch.setattr("benchmark.dynamic.fit", watched)
    trained(data, registry.get("acs", {"batch": 5, "kappa": 0.5}), k=60)  # 120 to warm up: 100 and 20, then 60 and 60
    np.testing.assert_allclose(spans, [(0, 100 / 240), (100 / 240, 0.5), (0.5, 0.75), (0.75, 1)])
    spans.clear()
    trained(data, registry.get("infobatch"))
    np.testing.assert_allclose(spans, [(i / 4, (i + 1) / 4) for i in range(4)])


def test_a_method_that_fails_is_one_sentence(data: Dataset) -> None:
    with pytest.raises(CoresetBenchError, match="'foreign' failed in epoch 1: ZeroDivisionError"):
        trained(data, made(lambda c, b, e: 1 // 0))
    with pytest.raises(CoresetBenchError, match="Training diverged in epoch"):
        trained(data, registry.get("rs2"), STANDARD.model_copy(update={"lr": 1e9}))
    with pytest.raises(CoresetBenchError, match="NaN or infinite"):
        trained(data, Asked("last_loss", present=lambda c, b, e: spoil(c)))


def spoil(context: TrainingContext) -> Any:
    raise CoresetBenchError("a loss is NaN or infinite")


# Plans


DYNAMIC = ["rs2", {"method": "rs2", "params": {"cycle": True}}, "infobatch", {"method": "acs", "params": {"batch": 5}}]


@pytest.fixture(scope="module")
def suite(tiny_suite: Tiny) -> Suite:
    return tiny_suite(name="tiny-dynamic", proxies={}, rows=DYNAMIC, fractions=[0.2, 0.4])


def test_a_row_of_its_own_budget_has_one_cell_a_regime(suite: Suite) -> None:
    cells = make_plan(suite).cells
    found = [(cell.name, cell.fraction) for cell in cells if cell.regime_name == "trades"]
    others = [(name, fraction) for name in ("rs2", "rs2 (cycle=True)") for fraction in (0.2, 0.4)]
    expected = [("full", 1.0), *others, ("infobatch", 1.0), ("acs (batch=5)", 0.2), ("acs (batch=5)", 0.4)]
    assert found == expected
    assert {cell.model.kind for cell in cells if cell.name != "full"} == {"dynamic"}
    assert len({cell.model.key for cell in cells}) == len(cells)
    assert not [cell for cell in cells if cell.selection]


def test_a_dynamic_model_s_key_holds_all_that_made_it(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {cell.id: cell.model.key for cell in make_plan(suite).cells}

    def moved() -> set[str]:
        return {cell.name for cell in make_plan(suite).cells if before[cell.id] != cell.model.key}

    assert moved() == set()
    true = module.source_hash
    edited = lambda method: "edited" if method.info.name == "acs" else true(method)  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr(module, "source_hash", edited)
        assert moved() == {"acs (batch=5)"}
    signal = module.get_signal
    with monkeypatch.context() as patch:
        change = lambda name: type("Edited", (), {"view": "training", "source_hash": "edited"})  # noqa: E731
        patch.setattr(module, "get_signal", lambda name: change(name) if name == "last_loss" else signal(name))
        assert moved() == {"infobatch"}
    with monkeypatch.context() as patch:
        patch.setitem(module.VERSIONS, "dynamic", 99)
        assert moved() == {"rs2", "rs2 (cycle=True)", "infobatch", "acs (batch=5)"}


def test_what_a_method_builds_on_is_part_of_its_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    acs = registry.get("acs")
    before, true = registry.source_hash(acs), Path.read_bytes
    for name, matters in (("craig.py", True), ("gradients.py", True), ("herding.py", False), ("api.py", False)):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "read_bytes", lambda self, n=name: true(self) + (b"#" if self.name == n else b""))
            assert (registry.source_hash(acs) != before) == matters


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"rows": ["rs2", "random"]}, "has the dynamic row 'rs2' beside the static 'random', which no table compares"),
        ({"rows": [{"method": "rs2", "params": {"cycles": True}}]}, "did you mean 'cycle'"),
        ({"rows": ["rs2@low"]}, "'rs2' .*takes no policy"),
    ],
)
def test_what_cannot_be_planned_is_one_sentence(tiny_suite: Tiny, changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        make_plan(tiny_suite(**changes))
    assert "\n" not in str(caught.value)


def test_equal_steps_are_refused(suite: Suite) -> None:
    values = suite.canonical()
    values["regimes"]["trades"]["recipe"]["clock"] = "steps"
    with pytest.raises(UsageError, match="spend presentations; set clock"):
        make_plan(Suite.model_validate(values))


def test_signals_of_another_kind_are_refused(tiny_suite: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    true = registry.get("rs2")
    strange = replace(true, info=replace(true.info, needs=("correct",)))
    monkeypatch.setattr(module, "get", lambda name, params: strange)
    with pytest.raises(UsageError, match="needs 'correct', which a proxy shows"):
        make_plan(tiny_suite(rows=["rs2"]))
    loss = registry.get("loss")
    monkeypatch.setattr(
        module, "get", lambda name, params: replace(loss, info=replace(loss.info, needs=("last_loss",)))
    )
    with pytest.raises(UsageError, match="'last_loss' is of a model in training"):
        make_plan(tiny_suite(rows=["loss"]))


def test_a_static_row_without_a_proxy_is_named(tiny_suite: Tiny) -> None:
    with pytest.raises(UsageError, match=r"Row 'easycore' reads proxy 'standard', which \[proxies\] does not declare"):
        make_plan(tiny_suite(rows=["easycore"], proxies={}))


def test_one_coreset_cannot_be_selected() -> None:
    with pytest.raises(UsageError, match="'infobatch' selects anew while a model trains"):
        suite_for("digits", "infobatch", 0.3, [], None)


def test_reading_is_part_of_the_estimate(suite: Suite) -> None:
    facts = {"pool": 150, "test": 60}
    work = {cell.name: cell_work(cell, facts, Rates(1.0, 1.0)) for cell in make_plan(suite).cells if cell.fraction < 1}
    assert work["rs2"] == work["rs2 (cycle=True)"] < work["acs (batch=5)"]


def test_the_suite_that_ships_differs_from_digits_in_its_rows_alone() -> None:
    ours, theirs = load_suite("digits-dynamic").canonical(), load_suite("digits").canonical()
    for key in ("dataset", "regimes", "fractions", "replicates", "full"):
        assert ours[key] == theirs[key]
    assert ours["attacks"]["pgd"] == theirs["attacks"]["pgd"]
    assert {registry.get(row["method"]).info.kind for row in ours["rows"]} == {"dynamic"}
    assert {row["method"] for row in ours["rows"]} == {
        name for name in registry.method_names() if registry.get(name).info.kind == "dynamic"
    }


# Runs and records


@pytest.fixture(scope="module")
def ran(
    suite: Suite, settings_in: Callable[..., Settings], quiet: Console, tmp_path_factory: pytest.TempPathFactory
) -> Summary:
    return run_suite(suite, settings_in(tmp_path_factory.mktemp("dynamic")), quiet)


def test_records_say_what_was_presented(suite: Suite, ran: Summary) -> None:
    records = read_records(ran.folder / "records.jsonl")
    assert [record.cell for record in records] == [cell.id for cell in make_plan(suite).cells]
    assert {record.status for record in records} == {"ok"}
    assert {record.factors.suite_cells for record in records} == {len(records)}
    for factors, cost in ((record.factors, record.cost) for record in records):
        assert factors.track == ("static" if factors.row == "full" else "dynamic")
        assert factors.own_budget == (factors.row == "infobatch")
        whole = 3 * 150
        if factors.row == "full":
            assert (factors.presentations, factors.effective_size) == (whole, 150)
        elif factors.own_budget:
            assert whole / 2 < factors.presentations < whole
            assert factors.effective_size == 150
        else:
            assert factors.presentations == 3 * factors.k == whole * factors.fraction
            assert factors.k <= factors.effective_size <= min(150, factors.presentations)
        forward, _ = factors.recipe.passes
        read = cost.forward - forward * factors.presentations
        assert cost.seconds["select"] >= 0
        assert (cost.seconds["select"] > 0) == (factors.track == "dynamic")
        assert read > 0  # attacks; and what ACS looked at


def test_the_number_of_workers_changes_no_byte(
    suite: Suite, ran: Summary, settings_in: Callable[..., Settings], quiet: Console, tmp_path: Path
) -> None:
    again = run_suite(suite, settings_in(tmp_path, jobs=2), quiet)
    for first, second in zip(ran.records, again.records, strict=True):
        assert first.model_copy(update={"cost": second.cost, "provenance": second.provenance}) == second


def test_a_real_run_makes_a_leaderboard(ran: Summary) -> None:
    text = render_markdown(ran.records)
    assert "- **Track:** dynamic" in text
    assert "rank" not in text
    assert "equal presentations: the same share of the 450 that 3 passes over the whole pool take" in text
    for row in ("rs2 (cycle=True)", "infobatch", "*all 150 images*"):
        assert line_of(text, row)


# Tables


ROBUST = {
    "rs2": [[40, 42, 44], [50, 52, 54]],
    "rs2 (cycle=True)": [[41, 42, 46], [50, 53, 53]],
    "acs": [[30, 31, 32], [60, 61, 65]],
}


def board(counts: dict[str, list[list[int]]] = ROBUST, own: list[int] | None = None) -> list[Record]:
    records = [
        robust(right, row, fraction, "standard", replicate, track="dynamic", presentations=round(33_000 * fraction))
        for row, table in counts.items()
        for fraction, line in zip(FRACTIONS, table, strict=True)
        for replicate, right in enumerate(line)
    ]
    for replicate, right in enumerate([45, 47, 46] if own is None else own):
        changes = {"track": "dynamic", "own_budget": True, "presentations": 22_110 + 330 * replicate}
        records.append(robust(right, "infobatch", 1.0, "standard", replicate, **changes))
    for replicate in REPLICATES:
        records.append(robust(70, "full", 1.0, "standard", replicate, presentations=33_000))
    return declared(records, suite_fractions=FRACTIONS)


def test_known_outcomes_give_known_numbers() -> None:
    text = render_markdown(board())
    gain = points(paired_difference([0.60, 0.61, 0.65], [0.50, 0.52, 0.54]))
    assert gain == "+10.0 ± 2.5"
    table = [cells for cells in lines(text) if len(cells) == 6][:9]
    assert table[0] == ["presented", "method", "robust", "− rs2", "clean", "worst class"]
    assert [cells[:4] for cells in table[1:]] == [
        ["10 %", "rs2 (cycle=True)", "43.0 ± 6.6", "+1.0 ± 2.5"],
        ["10 %", "rs2", "42.0 ± 5.0", "–"],
        ["10 %", "acs", "31.0 ± 2.5", "−11.0 ± 2.5"],
        ["30 %", "acs", "62.0 ± 6.6", gain],
        ["30 %", "rs2", "52.0 ± 5.0", "–"],
        ["30 %", "rs2 (cycle=True)", "52.0 ± 4.3", "0.0 ± 2.5"],
        ["68 %", "infobatch", "46.0 ± 2.5", "–"],
        ["*100 %*", "*all 1,100 images*", "*70.0 ± 0.0*", "*–*"],
    ]


def test_the_headline_names_the_best_at_each_share() -> None:
    text = render_markdown(board())
    assert (
        r"At 10 % of the presentations rs2 (cycle=True) is the most robust: 43.0 ± 6.6 %, +1.0 ± 2.5 points to rs2; "
        "not distinguishable: rs2." in text
    )
    assert (
        "At 30 % of the presentations acs is the most robust: 62.0 ± 6.6 %, +10.0 ± 2.5 points to rs2; "
        "every other row is distinguishable from it." in text
    )
    assert "infobatch spends 68 % and reaches 46.0 ± 2.5 %." in text
    for absent in ("rank", "mean over fractions", "proxy, selection"):
        assert absent not in text
    assert "(selection and training randomness)" in text


def test_a_missing_cell_is_said_and_pairs_are_those_that_both_have() -> None:
    records = [r for r in board() if (r.factors.row, r.factors.fraction, r.factors.replicate) != ("acs", 0.3, 2)]
    text = render_markdown(records)
    cells = next(cells for cells in lines(text) if cells[:2] == ["30 %", "acs"])
    assert cells[2:4] == ["60.5 (2/3)", "+9.5"]
    assert "acs: 1 of 6 cells is not in these records (30 %: replicate 2)." in text
    alone = render_markdown([r for r in board() if r.cell != "infobatch-1.0-standard-1"])
    assert "infobatch: 1 of 3 cells is not in these records (100 %: replicate 1)." in alone


def test_without_rs2_there_are_no_differences_and_with_two_replicates_no_intervals() -> None:
    text = render_markdown(board({"acs": ROBUST["acs"]}))
    assert line_of(text, "acs")[:4] == ["10 %", "acs", "31.0 ± 2.5", "–"]
    assert "− rs2:" not in text
    two = declared([r for r in board() if r.factors.replicate < 2], suite_fractions=FRACTIONS)
    few = render_markdown(two)
    assert "±" not in few
    assert "acs is the most robust: 60.5 %, +9.5 points to rs2." in few


def test_every_cell_failed() -> None:
    from tests.factories import record

    records = [record("rs2", 0.1, "standard", i, failure="no memory.", track="dynamic") for i in REPLICATES]
    text = render_markdown(declared(records))
    assert "No cell of this regime ran." in text
    assert "3 of 3 cells failed" in text


def test_a_summary_puts_regimes_side_by_side() -> None:
    both = board() + [
        r.model_copy(update={"factors": r.factors.model_copy(update={"regime": "trades"}), "cell": r.cell + "t"})
        for r in board()
    ]
    text = render_summary(declared(both, suite_fractions=FRACTIONS), "x.md")
    assert line_of(text, "infobatch") == ["own", "infobatch", *["46.0 ± 2.5", "–", "100.0"] * 2]
    assert line_of(text, "acs") == ["10 %", "acs", *["31.0 ± 2.5", "−11.0 ± 2.5", "100.0"] * 2]
