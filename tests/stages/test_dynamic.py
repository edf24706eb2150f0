"""Training by what a dynamic method presents."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from benchmark.data import Dataset, load
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.randomness import normal_images
from benchmark.spec import DatasetSpec, Recipe, Suite
from benchmark.stages.dynamic import Course, derivatives, train_by
from benchmark.stages.train import Round, fit, trades_images, trades_loss, train
from methods import registry
from methods.api import Coreset
from methods.dynamics import DynamicFunction, DynamicInfo, Presentations, TrainingContext
from methods.errors import CoresetBenchError

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

    monkeypatch.setattr("benchmark.stages.dynamic.fit", watched)
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
