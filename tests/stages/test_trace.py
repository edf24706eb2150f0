"""Traced proxies against a replay by hand, and signals that are asked for later, short, held out or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from benchmark.data import Images
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.plan import Stage, Trace, make_plan, make_trace
from benchmark.randomness import derive_seed
from benchmark.spec import Suite, Training
from benchmark.stages.compute import Workshop
from benchmark.stages.network import digest, marked
from benchmark.stages.trace import trace
from benchmark.stages.train import train
from benchmark.store import Artifact, Store
from methods.errors import CoresetBenchError, UsageError

Tiny = Callable[..., Suite]
SEED, EPOCHS = 11, 3
NEEDS = ("input_grad_norm", "loss", "error_norm", "probability", "features", "correct", "logit_margin", "select.loss")
RECIPE = {"epochs": EPOCHS, "batch_size": 32, "augment": {"pad": 1}}
TRADES = RECIPE | {"objective": "trades", "epsilon": 0.1, "inner_steps": 2, "inner_step_size": 0.05}


class Bench:
    """A workshop in an empty store, and traces of its data."""

    def __init__(self, root: Path, suite: Suite) -> None:
        self.store = Store(root)
        self.workshop = Workshop(self.store, suite.dataset, None)
        self.data = make_plan(suite).data

    def wanted(self, *needs: str, until: int = EPOCHS, **recipe: Any) -> Trace:
        training = Training.model_validate({"model": "cnn-tiny", "recipe": RECIPE | recipe})
        return make_trace(self.data, training, SEED, until, needs)

    def traced(self, *needs: str, **options: Any) -> dict[str, NDArray[Any]]:
        return self.workshop.traced(self.wanted(*needs, **options))

    def files(self, *stages: Stage) -> dict[Path, tuple[int, bytes]]:
        """Time of writing and content of what these stages left."""
        found = [file for stage in stages for file in self.store.path(stage.kind, stage.key).iterdir()]
        return {file: (file.stat().st_mtime_ns, file.read_bytes()) for file in found}


@pytest.fixture
def bench(tmp_path: Path, tiny_suite: Tiny) -> Bench:
    return Bench(tmp_path / "store", tiny_suite())


class Replay:
    """The same proxy trained without a recorder: its weights after each epoch, and each presentation's logits."""

    def __init__(self, bench: Bench, training: Training) -> None:
        self.data = bench.workshop.data
        self.model = build(
            training.model, 10, self.data.shape, self.data.mean, self.data.std, derive_seed("init", SEED)
        )
        self.weights: list[dict[str, Tensor]] = []
        self.logits = torch.zeros(EPOCHS, len(self.data.train), 10)
        train(self.model, self.data.train, torch.arange(len(self.data.train)), training.recipe, SEED, observer=self)

    def step(self, epoch: int, ids: Tensor, x: Tensor, y: Tensor, logits: Tensor, features: Tensor) -> None:
        self.logits[epoch, ids] = logits

    def epoch_end(self, epoch: int) -> None:
        self.weights.append({name: tensor.clone() for name, tensor in self.model.state_dict().items()})

    def after(self, epoch: int) -> Classifier:
        self.model.load_state_dict(self.weights[epoch])
        return self.model.eval()

    def expected(self) -> dict[str, NDArray[Any]]:
        pool, y = everything(self.data.train)
        rows: dict[str, list[Tensor]] = {"input_grad_norm": [], "loss": [], "error_norm": [], "select.loss": []}
        for epoch in range(EPOCHS):
            model = self.after(epoch)
            x = pool.clone().requires_grad_()
            logits = model(x)
            (gradient,) = torch.autograd.grad(F.cross_entropy(logits, y, reduction="sum"), x)
            rows["input_grad_norm"].append(gradient.square().sum((1, 2, 3)).sqrt())
            rows["loss"].append(-logits.log_softmax(1)[range(len(y)), y])
            rows["error_norm"].append((logits.softmax(1) - F.one_hot(y, 10)).square().sum(1).sqrt())
            other, other_y = everything(self.data.select)
            rows["select.loss"].append(F.cross_entropy(model(other), other_y, reduction="none"))
        arrays = {name: torch.stack(values) for name, values in rows.items()}
        arrays["probability"] = model(pool).softmax(1)
        arrays["features"] = model.features(pool)
        label = self.logits.gather(2, y.expand(EPOCHS, -1)[:, :, None])
        others = self.logits.masked_fill(F.one_hot(y, 10).bool(), -torch.inf)
        arrays["logit_margin"] = (label - others.amax(2, keepdim=True)).squeeze(2)
        arrays["correct"] = self.logits.argmax(2) == y
        return {name: array.detach().numpy() for name, array in arrays.items()}


def everything(images: Images) -> tuple[Tensor, Tensor]:
    x, y, _ = next(images.batches(torch.arange(len(images)), len(images)))
    return x, y


@pytest.mark.parametrize("recipe", [{}, TRADES], ids=["standard", "trades"])
def test_signals_are_those_of_a_replay_by_hand(bench: Bench, recipe: dict[str, Any]) -> None:
    wanted = bench.wanted(*NEEDS, **recipe)
    recorded = bench.workshop.traced(wanted)
    replay = Replay(bench, wanted.training)
    expected = replay.expected()
    assert recorded.keys() == expected.keys() == set(NEEDS)
    for name, array in expected.items():
        assert recorded[name].shape == array.shape, name
        np.testing.assert_allclose(recorded[name], array, rtol=1e-4, atol=1e-5, err_msg=name)
    assert not np.allclose(recorded["loss"][0], recorded["loss"][-1])  # epochs are told apart
    proxy = bench.store.read("proxy", wanted.proxy.key)
    assert proxy is not None
    assert all(np.array_equal(proxy.arrays[name], tensor) for name, tensor in replay.weights[-1].items())


def test_a_trades_proxy_is_another_proxy(bench: Bench) -> None:
    standard, robust = bench.traced("loss"), bench.traced("loss", **TRADES)
    assert not np.allclose(standard["loss"], robust["loss"])


def test_a_signal_asked_for_later_leaves_the_earlier_ones_alone(bench: Bench, tmp_path: Path, tiny_suite: Tiny) -> None:
    first = bench.wanted("loss", "correct")
    bench.workshop.traced(first)
    before = bench.files(first.proxy, *first.signals.values())
    later = bench.workshop.traced(bench.wanted("loss", "input_grad_norm", "select.features"))
    assert bench.files(first.proxy, *first.signals.values()) == before
    at_once = Bench(tmp_path / "other", tiny_suite()).traced("loss", "correct", "input_grad_norm", "select.features")
    assert all(np.array_equal(later[name], at_once[name]) for name in later)


def test_what_is_stored_is_not_traced_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bench.traced("loss", "correct")
    monkeypatch.setattr("benchmark.stages.compute.trace", None)
    assert np.array_equal(bench.traced("correct")["correct"], first["correct"])


def test_a_damaged_signal_is_recorded_again(bench: Bench) -> None:
    wanted = bench.wanted("loss", "correct")
    before = bench.workshop.traced(wanted)
    stage = wanted.signals["loss"]
    kept = bench.files(wanted.proxy, wanted.signals["correct"])
    file = bench.store.path(stage.kind, stage.key) / "data.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    assert np.array_equal(bench.workshop.traced(wanted)["loss"], before["loss"])
    assert bench.files(wanted.proxy, wanted.signals["correct"]) == kept


@pytest.mark.parametrize("marked_by_its_weights", [True, False])  # early stores are not
def test_a_proxy_that_does_not_reproduce_is_refused(bench: Bench, marked_by_its_weights: bool) -> None:
    wanted = bench.wanted("loss")
    bench.workshop.traced(wanted)
    stored = bench.store.read("proxy", wanted.proxy.key)
    assert stored is not None
    nudged = {
        name: np.nextafter(array, 9) if array.dtype.kind == "f" else array for name, array in stored.arrays.items()
    }
    meta = {name: value for name, value in stored.meta.items() if name != "weights"}
    other = marked(Artifact(nudged, meta), digest(nudged) if marked_by_its_weights else None)
    bench.store.write("proxy", wanted.proxy.key, other, wanted.proxy.described)
    with pytest.raises(
        CoresetBenchError, match=r"^Trained again, the proxy differs .* name an empty folder with --store"
    ):
        bench.traced("loss", "correct")
    assert not bench.wanted("correct").done(bench.store)


def test_a_proxy_whose_weights_stayed_elsewhere(bench: Bench) -> None:
    """It is stored whole again; where it is another network here, only if no signal of the first is here either."""
    wanted = bench.wanted("loss")
    bench.workshop.traced(wanted)
    stored = bench.store.read("proxy", wanted.proxy.key)
    assert stored is not None
    bench.store.write("proxy", wanted.proxy.key, Artifact({}, stored.meta), {}, bare=True)
    bench.traced("loss", "correct")
    again = bench.store.read("proxy", wanted.proxy.key)
    assert again is not None
    assert again.meta == stored.meta
    assert all(np.array_equal(again.arrays[name], array) for name, array in stored.arrays.items())

    other = {**stored.meta, "weights": "of another machine"}
    bench.store.write("proxy", wanted.proxy.key, Artifact({}, other), {}, bare=True)
    with pytest.raises(CoresetBenchError, match=r"^Trained again, the proxy differs"):
        bench.traced("loss", "error_norm")
    for stage in bench.wanted("loss", "correct").signals.values():
        bench.store.remove(stage.kind, stage.key)
    bench.traced("loss", "error_norm")
    assert (bench.store.read("proxy", wanted.proxy.key) or again).meta["weights"] == stored.meta["weights"]


def test_signals_of_two_networks_are_not_read_together(bench: Bench) -> None:
    bench.traced("loss", "correct")
    wanted = bench.wanted("loss", "correct")
    stage = wanted.signals["loss"]
    found = bench.store.read(stage.kind, stage.key)
    assert found is not None
    bench.store.write(stage.kind, stage.key, Artifact(found.arrays, {"weights": "of another machine"}), stage.described)
    with pytest.raises(CoresetBenchError, match="are of different networks"):
        bench.workshop.traced(wanted)


def test_a_short_proxy_is_a_prefix_and_costs_no_more(bench: Bench) -> None:
    full, short = bench.traced("error_norm", "correct"), bench.traced("error_norm", "correct", until=2)
    for name in full:
        assert np.array_equal(short[name], full[name][:2])
    proxy = bench.store.read("proxy", bench.wanted(until=2).proxy.key)
    assert proxy is not None
    pool = len(bench.workshop.data.train)
    assert (proxy.meta["epochs"], proxy.meta["forward"]) == (2, 2 * pool + 2 * pool)  # training and snapshots


def test_an_early_signal_is_the_same_from_a_short_and_a_whole_run(bench: Bench) -> None:
    """A tenth of three epochs ends with the first; the whole run's last epoch leaves it alone."""
    whole = bench.wanted("grad_norm", "features", "last_layer_grad_norm")
    arrays, short = bench.workshop.traced(whole), bench.traced("grad_norm", until=1)
    assert arrays["grad_norm"].shape == (len(bench.workshop.data.train),)
    assert np.array_equal(arrays["grad_norm"], short["grad_norm"])
    assert (arrays["grad_norm"] > arrays["last_layer_grad_norm"][0]).all()  # the last layer is a part of it
    assert not (arrays["grad_norm"] > arrays["last_layer_grad_norm"][-1]).all()
    proxy = bench.store.read("proxy", whole.proxy.key)
    assert proxy is not None
    pool = len(bench.workshop.data.train)
    assert (proxy.meta["forward"], proxy.meta["backward"]) == ((3 + 3 + 1) * pool, (3 + 1) * pool)


def test_a_method_reads_all_its_proxies_and_none_beyond_its_share(tmp_path: Path, tiny_suite: Tiny) -> None:
    suite = tiny_suite(rows=[{"method": "el2n", "params": {"proxies": 3, "at": 0.5}}])
    workshop = Workshop(Store(tmp_path), suite.dataset, None)
    (selection,) = make_plan(suite).selections()
    chosen = workshop.coreset(selection).arrays["indices"]
    runs = [workshop.traced(trace)["error_norm"] for trace in selection.traces]
    assert [len(run) for run in runs] == [3, 2, 2]
    scores = np.mean([run[1] for run in runs], axis=0, dtype=np.float64)
    assert set(chosen) == set(np.argsort(-scores)[: len(chosen)])
    assert len({run[1].tobytes() for run in runs}) == 3


def test_the_held_out_part_is_a_signal_of_its_own(bench: Bench) -> None:
    wanted = bench.wanted("loss", "select.loss")
    arrays = bench.workshop.traced(wanted)
    assert arrays["loss"].shape == (EPOCHS, len(bench.workshop.data.train))
    assert arrays["select.loss"].shape == (EPOCHS, len(bench.workshop.data.select))
    assert wanted.signals["loss"].key != wanted.signals["select.loss"].key


def test_the_held_out_part_is_never_trained_on(bench: Bench) -> None:
    with pytest.raises(UsageError, match=r"'select.correct' is recorded while training"):
        bench.wanted("select.correct")


def test_a_diverged_proxy_is_one_sentence_and_leaves_nothing(bench: Bench) -> None:
    wild = {"lr": 1e20, "schedule": "constant"}
    with pytest.raises(CoresetBenchError, match=r"^Training diverged in epoch 1 of 3"):
        bench.traced("loss", **wild)
    assert not bench.wanted("loss", **wild).done(bench.store)
    assert not bench.store.has("proxy", bench.wanted("loss", **wild).proxy.key)


def test_a_signal_with_a_nan_harms_only_those_who_read_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def spoilt(*arguments: Any) -> Any:
        arrays, *rest = trace(*arguments)
        arrays["loss"][1, 7] = np.nan
        return arrays, *rest

    monkeypatch.setattr("benchmark.stages.compute.trace", spoilt)
    wanted = bench.wanted("correct", "loss", "error_norm")
    with pytest.raises(CoresetBenchError, match=r"^The signal 'loss' is not finite for some samples"):
        bench.workshop.traced(wanted)
    assert not wanted.signals["loss"].done(bench.store)
    monkeypatch.setattr("benchmark.stages.compute.trace", None)  # what is asked for now is there
    assert set(bench.traced("correct", "error_norm")) == {"correct", "error_norm"}


ONLINE = ["correct", "logit_margin", "probability_margin", "label_probability", "probability_shift", "online_logits"]
SNAPSHOTS = ["input_grad_norm", "error_norm", "last_layer_grad_norm", "loss", "probability", "features"]


def recorded(bench: Bench, needs: list[str]) -> dict[str, NDArray[Any]]:
    return trace(bench.workshop.data, bench.wanted(*needs).training, SEED, EPOCHS, needs, "cpu")[0]


@pytest.mark.parametrize("waiting", [1, 50])
def test_steps_that_wait_for_others_are_recorded_bit_for_bit(
    bench: Bench, waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = recorded(bench, ONLINE)
    monkeypatch.setattr("benchmark.stages.trace.WAITING", waiting)
    apart = recorded(bench, ONLINE)
    assert all(np.array_equal(together[name], apart[name]) for name in ONLINE)


def test_a_signal_that_reads_the_step_s_images_or_weights_is_recorded_at_the_step(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    import methods.signals

    monkeypatch.setattr(methods.signals, "_signals", dict(methods.signals._signals))

    @methods.signals.signal("inked", view="online", shape="[T, N]")
    def inked(x: Tensor, model: Any) -> Tensor:
        return x.flatten(1).mean(dim=1) + model.head.bias.sum()

    found = recorded(bench, ["inked", "correct"])
    assert np.array_equal(found["correct"], recorded(bench, ["correct"])["correct"])
    assert len(np.unique(found["inked"][0] - bench.workshop.data.train.labels.numpy())) > 100


def test_a_folded_snapshot_is_that_of_the_model_to_rounding(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    folded = recorded(bench, SNAPSHOTS)
    monkeypatch.setattr("benchmark.stages.trace.snapshot_twin", lambda model: model)
    plain = recorded(bench, SNAPSHOTS)
    for name in SNAPSHOTS:
        np.testing.assert_allclose(folded[name], plain[name], rtol=1e-4, atol=1e-5, err_msg=name)
    assert not np.array_equal(folded["input_grad_norm"], plain["input_grad_norm"])  # it was folded


def test_the_size_of_a_snapshot_s_batches_moves_rounding_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = recorded(bench, SNAPSHOTS)
    monkeypatch.setattr("benchmark.stages.trace.SNAPSHOT_FLOATS", 64 * 16)
    small = recorded(bench, SNAPSHOTS)
    for name in SNAPSHOTS:
        np.testing.assert_allclose(whole[name], small[name], rtol=1e-4, atol=1e-5, err_msg=name)
