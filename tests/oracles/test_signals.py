"""Each signal against a plain loop over single images in float64: no batching, no batch mean."""

import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from methods.errors import CoresetBenchError, UsageError
from methods.signals import get_signal, signal, signal_names
from methods.signals.recorder import Memory, Recorder
from tests.oracles.snapshots import (
    CLASSES,
    N,
    Network,
    batches,
    convolutional,
    loss_of,
    one_by_one,
    perceptron,
    random_images,
    snapshot,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(params=[perceptron, convolutional])
def model(request: pytest.FixtureRequest) -> Network:
    torch.manual_seed(0)
    net = request.param()
    with torch.no_grad():
        net.head.weight.mul_(4)  # confident enough that softmax is not flat
    return net


@pytest.fixture
def images() -> tuple[Tensor, Tensor]:
    return random_images(1)


def softmax(logits: list[float]) -> list[float]:
    powers = [math.exp(z - max(logits)) for z in logits]
    return [p / sum(powers) for p in powers]


def input_gradient_norm(model: nn.Module, x: Tensor, label: int) -> float:
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss_of(model, x, label), x)
    return math.sqrt(sum(float(g) ** 2 for g in gradient.flatten()))


def head_gradient_norm(model: Any, x: Tensor, label: int) -> float:
    gradients = torch.autograd.grad(loss_of(model, x, label), [model.head.weight, model.head.bias])
    return math.sqrt(sum(float(g) ** 2 for gradient in gradients for g in gradient.flatten()))


def gradient_norm(model: Any, x: Tensor, label: int) -> float:
    gradients = torch.autograd.grad(loss_of(model, x, label), list(model.parameters()))
    return math.sqrt(sum(float(g) ** 2 for gradient in gradients for g in gradient.flatten()))


def cross_entropy(model: nn.Module, x: Tensor, label: int) -> float:
    return -math.log(softmax(model(x)[0].tolist())[label])


def error_norm(model: nn.Module, x: Tensor, label: int) -> float:
    return math.sqrt(sum((p - (c == label)) ** 2 for c, p in enumerate(softmax(model(x)[0].tolist()))))


def probabilities(model: nn.Module, x: Tensor, label: int) -> list[float]:
    return softmax(model(x)[0].tolist())


def penultimate(model: Any, x: Tensor, label: int) -> list[float]:
    return model.features(x)[0].tolist()


def outputs(model: nn.Module, x: Tensor, label: int) -> list[float]:
    return model(x)[0].tolist()


def image(model: nn.Module, x: Tensor, label: int) -> list[Any]:
    return x[0].tolist()


SNAPSHOTS = {
    "input_grad_norm": input_gradient_norm,
    "last_layer_grad_norm": head_gradient_norm,
    "grad_norm": gradient_norm,
    "loss": cross_entropy,
    "error_norm": error_norm,
    "probability": probabilities,
    "features": penultimate,
    "logits": outputs,
    "pixels": image,
}
ONLINE = ("correct", "logit_margin", "probability_margin", "online_logits")


def test_every_signal_is_named_in_this_folder() -> None:
    """Those that are not compared here have an oracle of their own, beside their method's."""
    oracles = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py"))
    assert not [name for name in signal_names() if f'"{name}"' not in oracles]


@pytest.mark.parametrize("name", SNAPSHOTS)
def test_a_snapshot_is_what_single_images_give(name: str, model: Network, images: tuple[Tensor, Tensor]) -> None:
    expected = one_by_one(model, *images, SNAPSHOTS[name])
    np.testing.assert_allclose(snapshot(name, model, *images), expected, rtol=2e-5, atol=1e-6)
    assert np.ptp(expected) > 1e-3  # a constant would be compared with nothing


@pytest.mark.parametrize("name", [*SNAPSHOTS, "input_curvature"])
@pytest.mark.parametrize("size", [1, 7, 11, 22, N])
def test_the_batch_changes_nothing(name: str, size: int, model: Network, images: tuple[Tensor, Tensor]) -> None:
    """Also a ragged last batch of one (22), which a mean-reduced loss inflates 22-fold."""
    together, apart = snapshot(name, model, *images, size), snapshot(name, model, *images, 1)
    np.testing.assert_allclose(together, apart, rtol=1e-4, atol=1e-6)


def test_a_mean_reduced_loss_would_inflate_the_ragged_batch(model: Network, images: tuple[Tensor, Tensor]) -> None:
    """The published fault, repeated here: the same comparison must reject it."""
    expected, faulty = one_by_one(model, *images, input_gradient_norm), np.zeros(N)
    exact = deepcopy(model).double().eval()
    for x, y, ids in batches(*images, 22):
        x = x.double().requires_grad_()
        (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(exact(x), y), x)
        faulty[ids.numpy()] = gradient.flatten(1).norm(dim=1).numpy()
    np.testing.assert_allclose(faulty[22] / expected[22], 22 * np.median(faulty[:22] / expected[:22]), rtol=1e-6)
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(faulty, expected, rtol=2e-5, atol=1e-6)


def test_input_gradients_by_hand(images: tuple[Tensor, Tensor]) -> None:
    """Backpropagation of the perceptron written out in NumPy: W1' ((W2' (p - onehot)) * 1[h > 0])."""
    torch.manual_seed(3)
    model, (x, y) = perceptron(), images
    w1, b1 = (p.detach().double().numpy() for p in (model.features[1].weight, model.features[1].bias))
    w2, b2 = (p.detach().double().numpy() for p in (model.head.weight, model.head.bias))
    expected = []
    for image, label in zip(x.double().numpy(), y.tolist(), strict=True):
        before = w1 @ image.ravel() + b1
        logits = w2 @ np.maximum(before, 0) + b2
        error = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        error[label] -= 1
        expected.append(np.sqrt(((w1.T @ ((w2.T @ error) * (before > 0))) ** 2).sum()))
    np.testing.assert_allclose(snapshot("input_grad_norm", model, x, y), expected, rtol=2e-5, atol=1e-6)


def test_rows_land_at_their_ids(model: Network, images: tuple[Tensor, Tensor]) -> None:
    x, y = images
    order = torch.randperm(N, generator=torch.Generator().manual_seed(4))
    recorder = Recorder([get_signal("loss")], N, 1, seed=0)
    recorder.snapshot(0, zip(x[order].split(6), y[order].split(6), order.split(6), strict=True), model)
    np.testing.assert_allclose(recorder.arrays()["loss"][0], snapshot("loss", model, x, y), rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_recording_leaves_weights_mode_gradients_and_generators_alone(
    training: bool, model: Network, images: tuple[Tensor, Tensor]
) -> None:
    x, y = images
    model.train(training)
    nn.functional.cross_entropy(model(x), y).backward()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    gradients = [p.grad.clone() for p in model.parameters() if p.grad is not None]
    random_state = torch.get_rng_state()
    recorder = Recorder([get_signal(name) for name in SNAPSHOTS], N, 1, seed=0)
    recorder.snapshot(0, batches(x, y, 6), model)
    assert model.training is training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), gradients, strict=True) if p.grad is not None)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not x.requires_grad


def test_the_mode_returns_also_after_a_failure(model: Network, images: tuple[Tensor, Tensor]) -> None:
    model.train()
    with pytest.raises(RuntimeError):
        Recorder([get_signal("loss")], N, 1, seed=0).snapshot(0, batches(images[0][:, :0], images[1], 6), model)
    assert model.training


def test_online_signals_are_what_a_loop_over_presentations_gives() -> None:
    generator = torch.Generator().manual_seed(5)
    epochs, y = 3, torch.randint(0, CLASSES, (N,), generator=generator)
    logits = 2 * torch.randn(epochs, N, CLASSES, generator=generator, dtype=torch.float64)
    recorder = Recorder([get_signal(name) for name in ONLINE], N, epochs, seed=0)
    for t in range(epochs):
        for ids in torch.randperm(N, generator=generator).split(7):
            shown = logits[t, ids].requires_grad_()
            recorder.online(t, ids, torch.zeros(len(ids), 1), y[ids], shown, shown, None)
    recorded = recorder.arrays()
    assert recorded["correct"].dtype == bool
    for t in range(epochs):
        for i in range(N):
            values, label = logits[t, i].tolist(), int(y[i])
            p = softmax(values)
            others = [c for c in range(CLASSES) if c != label]
            assert recorded["online_logits"][t, i].tolist() == pytest.approx(values, rel=1e-6)
            assert recorded["correct"][t, i] == (max(range(CLASSES), key=values.__getitem__) == label)
            assert recorded["logit_margin"][t, i] == pytest.approx(values[label] - max(values[c] for c in others), 1e-5)
            assert recorded["probability_margin"][t, i] == pytest.approx(
                p[label] - max(p[c] for c in others), rel=1e-5, abs=1e-6
            )


def test_last_epoch_signals_wait_for_the_last_epoch(model: Network, images: tuple[Tensor, Tensor]) -> None:
    recorder = Recorder([get_signal("features")], N, 3, seed=0)
    assert [recorder.wants_snapshot(t) for t in range(3)] == [False, False, True]
    assert not recorder.wants_online


def test_passes_are_those_of_the_signals_that_are_due() -> None:
    """One shared pass forward, one back where the input gradient is asked for, and what functions take themselves."""
    names = ("loss", "input_curvature", "grad_norm", "correct")
    recorder = Recorder([get_signal(name) for name in names], N, 20, seed=0)
    assert {t: recorder.snapshot_passes(t) for t in (0, 1, 19)} == {0: (1, 0), 1: (2, 1), 19: (11, 11)}
    assert Recorder([get_signal("correct")], N, 20, seed=0).snapshot_passes(19) == (0, 0)
    assert Recorder([get_signal("input_grad_norm")], N, 20, seed=0).snapshot_passes(3) == (1, 1)


@pytest.mark.parametrize(
    ("epochs", "schedule", "at", "read"),
    [(20, None, 1.0, 19), (20, 20, 0.1, 1), (2, 20, 0.1, 1), (1, 20, 0.1, 0), (5, 20, 1.0, 4), (20, 30, 0.5, 14)],
)
def test_an_early_signal_is_read_at_a_share_of_the_schedule(
    epochs: int, schedule: int | None, at: float, read: int
) -> None:
    """Of the schedule and not of the epochs trained; a shorter run records after its own last epoch."""
    early = replace(get_signal("features"), at=at)
    recorder = Recorder([early], N, epochs, seed=0, schedule=schedule)
    assert [t for t in range(epochs) if recorder.wants_snapshot(t)] == [read]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    import methods.signals

    signal_names()
    monkeypatch.setattr(methods.signals, "_signals", dict(methods.signals._signals))


@pytest.mark.usefixtures("registered")
def test_a_signal_of_ones_own(model: Network, images: tuple[Tensor, Tensor]) -> None:
    """Noise from its own generator repeats whatever the batches before it, and the model itself may be asked."""

    @signal("noisy_loss", view="snapshot", shape="[T, N]")
    def noisy_loss(model: Any, x: Tensor, y: Tensor, rng: torch.Generator) -> Tensor:
        noise = 0.1 * torch.randn(x.shape, generator=rng)
        return nn.functional.cross_entropy(model(x + noise), y, reduction="none")

    first, second = (snapshot("noisy_loss", model, *images) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, snapshot("loss", model, *images))


@pytest.mark.usefixtures("registered")
def test_memory_is_what_earlier_epochs_kept_of_the_same_samples() -> None:
    """Each presentation's distance from the one before it, in whatever order and batches samples come."""

    @signal("moved", view="online", shape="[T, N]")
    def moved(logits: Tensor, memory: Memory) -> Tensor:
        before = memory.recall("logits")
        assert memory.recall("nothing") is None
        memory.keep("logits", logits)
        return torch.zeros(len(logits)) if before is None else (logits - before).norm(dim=1)

    generator = torch.Generator().manual_seed(6)
    epochs, logits = 4, torch.randn(4, N, CLASSES, generator=generator)
    recorder = Recorder([get_signal("moved"), get_signal("correct")], N, epochs, seed=0)
    for t, size in enumerate((7, 4, N, 1)):
        for ids in torch.randperm(N, generator=generator).split(size):
            recorder.online(t, ids, torch.zeros(len(ids), 1), ids % CLASSES, logits[t, ids], logits[t, ids], None)
    expected = [[0.0] * N]
    for t in range(1, epochs):
        rows = zip(logits[t].tolist(), logits[t - 1].tolist(), strict=True)
        expected.append([math.dist(row, before) for row, before in rows])
    np.testing.assert_allclose(recorder.arrays()["moved"], expected, rtol=1e-5)


@pytest.mark.usefixtures("registered")
def test_nothing_is_recalled_in_the_epoch_that_first_keeps_it() -> None:
    """A first batch has kept something when the second one asks: the epoch decides, not the batch."""
    found = []

    @signal("late", view="online", shape="[T, N]")
    def late(logits: Tensor, memory: Memory) -> Tensor:
        found.append((memory.epoch, memory.recall("twice") is not None))
        if memory.epoch > 0:
            memory.keep("twice", logits.double().requires_grad_())
        return logits[:, 0]

    recorder = Recorder([get_signal("late")], N, 3, seed=0)
    logits = torch.zeros(N, CLASSES)
    for t in range(3):
        for ids in torch.arange(N).split(12):
            recorder.online(t, ids, logits[ids], ids, logits[ids], logits[ids], None)
    assert found == [(0, False)] * 2 + [(1, False)] * 2 + [(2, True)] * 2


@pytest.mark.usefixtures("registered")
def test_a_memory_is_the_signal_s_own_and_takes_a_row_for_each_sample() -> None:
    @signal("writer", view="online", shape="[T, N]")
    def writer(logits: Tensor, memory: Memory) -> Tensor:
        memory.keep("shared", logits)
        return logits[:, 0]

    @signal("reader", view="online", shape="[T, N]")
    def reader(logits: Tensor, memory: Memory) -> Tensor:
        assert memory.recall("shared") is None
        return logits[:, 0]

    @signal("short", view="online", shape="[T, N]")
    def short(logits: Tensor, memory: Memory) -> Tensor:
        memory.keep("mean", logits.mean(dim=0))
        return logits[:, 0]

    ids, logits = torch.arange(N), torch.zeros(N, CLASSES)
    recorder = Recorder([get_signal("writer"), get_signal("reader")], N, 2, seed=0)
    for t in range(2):
        recorder.online(t, ids, logits, ids, logits, logits, None)
    with pytest.raises(CoresetBenchError, match="'short' keeps 4 rows of 'mean' for 23 samples"):
        Recorder([get_signal("short")], N, 2, seed=0).online(0, ids, logits, ids, logits, logits, None)


@pytest.mark.usefixtures("registered")
def test_a_signal_that_cannot_be_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Unknown input of the online signal 'x' 'input_grad'"):
        signal("x", view="online", shape="[T, N]")(lambda input_grad: input_grad)
    with pytest.raises(UsageError, match=r"write \[T, N\]"):
        signal("x", view="online", shape="[C, N]")(lambda logits: logits)
    for at in (0.0, 1.5):
        with pytest.raises(UsageError, match=r"'at' must lie in \(0, 1\]"):
            signal("x", view="online", shape="[N]", at=at)(lambda logits: logits)
    with pytest.raises(UsageError, match=r"recorded at every epoch; drop 'at', or write \[N"):
        signal("x", view="online", shape="[T, N]", at=0.5)(lambda logits: logits)
    with pytest.raises(UsageError, match="recorded once and has nothing to recall"):
        signal("x", view="online", shape="[N]")(lambda memory: memory)
    with pytest.raises(UsageError, match="Two signals are called 'loss'"):
        signal("loss", view="online", shape="[T, N]")(lambda logits: logits)
    with pytest.raises(UsageError, match="did you mean 'features'"):
        get_signal("feature")


@pytest.mark.usefixtures("registered")
def test_a_signal_of_too_few_rows_is_refused(model: Network, images: tuple[Tensor, Tensor]) -> None:
    @signal("mean_loss", view="snapshot", shape="[T, N]")
    def mean_loss(logits: Tensor, y: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits, y, reduction="none")[:1]

    with pytest.raises(CoresetBenchError, match="'mean_loss' returned 1 rows for 5 samples"):
        snapshot("mean_loss", model, *images)
