"""Training against plain loops written out here, and what must leave no trace: order, observers, the inner attack."""

import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmark.models.classifier import Classifier
from benchmark.randomness import derive_seed, normal_images, shuffled
from benchmark.spec import Augment, Recipe
from benchmark.stages import train as module
from benchmark.stages.trace import Tracer
from benchmark.stages.train import Passes, rate_factor, total_steps, trades_images, trades_loss, train
from methods.errors import CoresetBenchError
from methods.signals import get_signal, signal_names
from tests.trainings import BOTH, IDS, SEED, STANDARD, TRADES, assert_same, differ, digits, images, network, trained


class Watcher:
    """Keeps what every step saw, and the weights after every epoch."""

    def __init__(self, model: Classifier) -> None:
        self.model = model
        self.steps: list[tuple[int, Tensor, Tensor]] = []
        self.snapshots: list[dict[str, Tensor]] = []

    def step(self, epoch: int, ids: Tensor, x: Tensor, y: Tensor, logits: Tensor, features: Tensor) -> None:
        self.steps.append((epoch, ids, x.clone()))

    def epoch_end(self, epoch: int) -> None:
        self.snapshots.append({name: tensor.clone() for name, tensor in self.model.state_dict().items()})


def watched(recipe: Recipe, ids: Tensor = IDS, name: str = "mlp", until: int | None = None) -> Watcher:
    model = network(name)
    watcher = Watcher(model)
    train(model, digits().train, ids, recipe, SEED, observer=watcher, until=until)
    return watcher


# TRADES as Zhang et al. 2019 wrote it: the clean output in every inner step, and again for the loss.


def zhang_images(model: nn.Module, x: Tensor, noise: Tensor, epsilon: float, step_size: float, steps: int) -> Tensor:
    model.eval()
    x_adv = x.detach() + 0.001 * noise
    for _ in range(steps):
        x_adv.requires_grad_()
        kl = nn.KLDivLoss(reduction="sum")(F.log_softmax(model(x_adv), dim=1), F.softmax(model(x), dim=1))
        (gradient,) = torch.autograd.grad(kl, [x_adv])
        x_adv = x_adv.detach() + step_size * torch.sign(gradient.detach())
        x_adv = torch.min(torch.max(x_adv, x - epsilon), x + epsilon)
        x_adv = torch.clamp(x_adv, 0.0, 1.0)
    model.train()
    return x_adv


def zhang_loss(model: nn.Module, x: Tensor, x_adv: Tensor, y: Tensor, beta: float, detach: bool = False) -> Tensor:
    natural = F.cross_entropy(model(x), y)
    target = F.softmax(model(x), dim=1)
    kl = nn.KLDivLoss(reduction="sum")(F.log_softmax(model(x_adv), dim=1), target.detach() if detach else target)
    return natural + beta * (1.0 / len(x)) * kl


@pytest.mark.parametrize("name", ["mlp", "cnn-tiny"])
def test_inner_maximisation_is_that_of_the_authors_bit_for_bit(name: str) -> None:
    x, _ = images()
    noise = normal_images(SEED, torch.arange(len(x)), x.shape[1:])
    recipe = TRADES.model_copy(update={"inner_steps": 10, "inner_step_size": 0.03})
    ours = trades_images(network(name), x, recipe, noise)
    assert torch.equal(ours, zhang_images(network(name), x, noise, 0.1, 0.03, 10))
    assert float((ours - x).abs().max()) > 0.09  # the ball was used


def gradients(loss: Tensor, model: nn.Module) -> Tensor:
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, list(model.parameters()))])


@pytest.mark.parametrize("name", ["mlp", "cnn-tiny"])
def test_trades_loss_and_gradient_are_those_of_the_authors(name: str) -> None:
    x, y = images()
    model = network(name).double().train()
    x, x_adv = x.double(), (x.double() + 0.1 * normal_images(1, torch.arange(len(x)), x.shape[1:]).sign()).clamp(0, 1)
    ours = trades_loss(model(x), model(x_adv), y, beta=6.0)
    theirs = zhang_loss(model, x, x_adv, y, beta=6.0)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=0)
    torch.testing.assert_close(gradients(ours, model), gradients(theirs, model), rtol=1e-9, atol=1e-12)
    detached = gradients(zhang_loss(model, x, x_adv, y, beta=6.0, detach=True), model)
    assert not torch.allclose(gradients(trades_loss(model(x), model(x_adv), y, 6.0), model), detached, rtol=1e-2)


def test_weights_apply_to_both_terms_of_trades() -> None:
    generator = torch.Generator().manual_seed(0)
    clean, adversarial = torch.randn(2, 6, 10, generator=generator, dtype=torch.float64)
    weights = torch.rand(6, generator=generator, dtype=torch.float64)
    y = torch.arange(6)
    expected = torch.zeros((), dtype=torch.float64)
    for i in range(6):
        p, q = clean[i].softmax(0), adversarial[i].softmax(0)
        expected += weights[i] * (-p[i].log() + 2.5 * (p * (p / q).log()).sum()) / 6
    torch.testing.assert_close(trades_loss(clean, adversarial, y, 2.5, weights), expected, rtol=1e-12, atol=0)


def test_the_inner_maximisation_leaves_statistics_and_gradients_alone() -> None:
    model = network("cnn-tiny").train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    x, _ = images()
    trades_images(model, x, TRADES, torch.zeros_like(x))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.training


# Whole trainings.


def plain_loop(recipe: Recipe, ids: Tensor, weights: Tensor | None = None) -> Classifier:
    """A textbook loop: momentum written out, one sample's weight looked up at a time."""
    model = network()
    ids = ids.sort().values if weights is None else ids
    share = {int(i): 1.0 if weights is None else float(weights[n] / weights.mean()) for n, i in enumerate(ids)}
    velocity, squares = ([torch.zeros_like(p) for p in model.parameters()] for _ in range(2))
    batches = math.ceil(len(ids) / recipe.batch_size)
    total, step = recipe.epochs * batches, 0
    for epoch in range(recipe.epochs):
        key = derive_seed("epoch", SEED, epoch)
        for batch in shuffled(key, ids).tensor_split(batches):
            x, y, _ = next(digits().train.batches(batch, len(batch)))
            w = torch.tensor([share[int(i)] for i in batch])
            if recipe.objective == "trades":
                noise = normal_images(key, batch, x.shape[1:])
                x_adv = zhang_images(model, x, noise, recipe.epsilon, recipe.inner_step_size, recipe.inner_steps)
                p, log_q = model(x).softmax(1), model(x_adv).log_softmax(1)
                losses = -p[range(len(y)), y].log() + recipe.beta * (p * (p.log() - log_q)).sum(1)
            else:
                losses = -model(x).log_softmax(1)[range(len(y)), y]
            found = torch.autograd.grad((w * losses).sum() / len(y), list(model.parameters()))
            length = math.sqrt(sum(float(g.double().square().sum()) for g in found))
            if recipe.max_norm and length > recipe.max_norm:
                found = tuple(g * (recipe.max_norm / length) for g in found)
            rate = recipe.lr * rate_factor(step, total, recipe.schedule)
            step += 1
            with torch.no_grad():
                for p, g, v, s in zip(model.parameters(), found, velocity, squares, strict=True):
                    if recipe.optimiser == "adamw":
                        v.mul_(recipe.momentum).add_((1 - recipe.momentum) * g)
                        s.mul_(0.999).add_(0.001 * g * g)
                        first, second = v / (1 - recipe.momentum**step), s / (1 - 0.999**step)
                        p.sub_(rate * (first / (second.sqrt() + 1e-8) + recipe.weight_decay * p))
                        continue
                    g = g + recipe.weight_decay * p
                    v.mul_(recipe.momentum).add_(g)
                    p.sub_(rate * (g + recipe.momentum * v if recipe.nesterov else v))
    return model


OPTIMISERS: dict[str, dict[str, object]] = {
    "sgd": {"nesterov": False},
    "nesterov": {"nesterov": True},
    "adamw": {"optimiser": "adamw", "lr": 0.003, "weight_decay": 0.1},
}


@BOTH
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_training_is_the_textbook_loop(recipe: Recipe, weighted: bool, optimiser: str) -> None:
    recipe = recipe.model_copy(update=OPTIMISERS[optimiser])
    weights = torch.linspace(0, 3, len(IDS), dtype=torch.float64) if weighted else None
    ours, plain = trained(recipe, weights=weights), plain_loop(recipe, IDS, weights)
    for a, b, start in zip(ours.parameters(), plain.parameters(), network().parameters(), strict=True):
        # Relative to the way gone: a sign in the inner maximisation may flip where rounding differs.
        assert float((a - b).detach().norm()) < 0.01 * float((a - start).detach().norm())


@BOTH
def test_equal_weights_are_no_weights_and_their_scale_is_nothing(recipe: Recipe) -> None:
    weights = torch.linspace(0.5, 2, len(IDS), dtype=torch.float64)
    assert_same(trained(recipe), trained(recipe, weights=torch.full((len(IDS),), 0.1, dtype=torch.float64)))
    assert_same(trained(recipe, weights=weights), trained(recipe, weights=4 * weights))
    assert differ(trained(recipe), trained(recipe, weights=weights))


@BOTH
@pytest.mark.parametrize("weighted", [False, True])
def test_the_order_of_picks_leaves_no_trace(recipe: Recipe, weighted: bool) -> None:
    order = torch.randperm(len(IDS), generator=torch.Generator().manual_seed(0))
    weights = torch.linspace(0.5, 2, len(IDS), dtype=torch.float64) if weighted else None
    permuted = None if weights is None else weights[order]
    assert_same(trained(recipe, weights=weights), trained(recipe, IDS[order], weights=permuted))


def test_two_sets_share_the_augmentation_of_the_samples_they_share() -> None:
    recipe = STANDARD.model_copy(update={"augment": Augment(pad=2, flip=True)})

    def seen(ids: Tensor) -> dict[tuple[int, int], Tensor]:
        steps = watched(recipe, ids).steps
        return {(epoch, int(i)): image for epoch, batch, x in steps for i, image in zip(batch, x, strict=True)}

    one, other = seen(torch.arange(40)), seen(torch.arange(20, 70))
    shared = one.keys() & other.keys()
    assert len(shared) == 20 * recipe.epochs
    assert all(torch.equal(one[key], other[key]) for key in shared)
    assert sum(torch.equal(one[0, i], one[1, i]) for i in range(40)) < 10  # each epoch draws again


def test_two_sets_share_the_noise_of_the_samples_they_share(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Tensor] = []

    def recording(model: Classifier, x: Tensor, recipe: Recipe, noise: Tensor) -> Tensor:
        given.append(noise)
        return trades_images(model, x, recipe, noise)

    monkeypatch.setattr(module, "trades_images", recording)

    def seen(ids: Tensor) -> dict[tuple[int, int], Tensor]:
        given.clear()
        steps = watched(TRADES, ids).steps
        pairs = zip(steps, given, strict=True)
        return {(epoch, int(i)): n for (epoch, batch, _), noise in pairs for i, n in zip(batch, noise, strict=True)}

    one, other = seen(torch.arange(40)), seen(torch.arange(20, 70))
    shared = one.keys() & other.keys()
    assert len(shared) == 20 * TRADES.epochs
    assert all(torch.equal(one[key], other[key]) for key in shared)
    assert not torch.equal(one[0, 0], one[1, 0])


@pytest.mark.parametrize(
    ("clock", "samples", "steps", "presentations"),
    [
        ("epochs", 1, 2, 2),  # one sample
        ("epochs", 10, 2, 20),  # a batch larger than the set
        ("epochs", 33, 4, 66),  # ragged
        ("epochs", 120, 8, 240),
        ("steps", 1, 8, 8),
        ("steps", 10, 8, 80),
        ("steps", 66, 8, 22 * 8),  # three batches an epoch: the last epoch stops short
        ("steps", 120, 8, 240),
    ],
)
def test_the_clock_counts_epochs_or_steps(clock: str, samples: int, steps: int, presentations: int) -> None:
    recipe = Recipe(epochs=2, batch_size=32, clock=clock)
    assert total_steps(recipe, samples, 120) == steps
    passes = train(network(), digits().train, torch.arange(samples), recipe, SEED)
    assert passes == Passes(forward=presentations, backward=presentations, steps=steps)


@pytest.mark.parametrize(
    ("samples", "batch_size", "sizes"), [(21, 5, [5, 4, 4, 4, 4]), (33, 32, [17, 16]), (3, 8, [3])]
)
def test_batches_of_an_epoch_are_even(samples: int, batch_size: int, sizes: list[int]) -> None:
    recipe = Recipe(epochs=1, batch_size=batch_size)
    steps = watched(recipe, torch.arange(samples)).steps
    assert [len(ids) for _, ids, _ in steps] == sizes
    assert sorted(int(i) for _, ids, _ in steps for i in ids) == list(range(samples))


@pytest.mark.parametrize("total", [1, 2, 5, 50, 1000])
def test_schedules(total: int) -> None:
    def factors(schedule: str) -> list[float]:
        return [rate_factor(step, total, schedule) for step in range(total)]

    one_cycle, cosine = factors("one-cycle"), factors("cosine")
    assert factors("constant") == [1.0] * total
    assert cosine[0] == 1
    assert cosine == pytest.approx([0.5 * (1 + math.cos(math.pi * step / total)) for step in range(total)])
    assert all(0 < factor <= 1 for factor in one_cycle)
    if total >= 50:
        peak = one_cycle.index(max(one_cycle))
        assert one_cycle[0] < 0.1
        assert peak == pytest.approx(0.2 * total, abs=1)
        assert max(one_cycle) > 0.95
        assert one_cycle == sorted(one_cycle[: peak + 1]) + sorted(one_cycle[peak + 1 :], reverse=True)
        assert one_cycle[-1] < 0.01
        assert max(abs(a - b) for a, b in pairwise(one_cycle)) <= 1 / (0.2 * total)  # no jump


@BOTH
def test_gradients_longer_than_that_are_cut(recipe: Recipe) -> None:
    """Half of a typical length: most steps are cut, none is lost."""
    cut = recipe.model_copy(update={"max_norm": 0.5})
    ours, plain = trained(cut), plain_loop(cut, IDS)
    for a, b, start in zip(ours.parameters(), plain.parameters(), network().parameters(), strict=True):
        assert float((a - b).detach().norm()) < 0.01 * float((a - start).detach().norm())
    assert differ(ours, trained(recipe))
    assert_same(trained(recipe), trained(recipe.model_copy(update={"max_norm": 1e6})))


def test_a_recipe_that_cuts_no_gradient_keeps_its_key() -> None:
    assert "max_norm" not in Recipe(epochs=3).canonical()
    assert Recipe(epochs=3, max_norm=2).canonical()["max_norm"] == 2
    assert Recipe.model_validate(Recipe(epochs=3, max_norm=2).canonical()).max_norm == 2


@BOTH
def test_divergence_is_one_sentence(recipe: Recipe) -> None:
    wild = recipe.model_copy(update={"lr": 1e20, "schedule": "constant"})
    with pytest.raises(CoresetBenchError, match=r"^Training diverged in epoch \d of \d .*lower the learning rate"):
        trained(wild)


@BOTH
def test_an_observer_changes_nothing(recipe: Recipe) -> None:
    """Not even one that records every signal there is, on a network with batch norm."""
    model = network("cnn-tiny")
    names = {name for name in signal_names() if get_signal(name).view != "training"}
    tracer = Tracer(sorted(names), digits(), model, recipe.epochs, SEED)
    train(model, digits().train, IDS, recipe, SEED, observer=tracer)
    assert tracer.arrays().keys() == names
    assert_same(model, trained(recipe, name="cnn-tiny"))


@BOTH
def test_until_is_a_prefix_of_the_full_schedule(recipe: Recipe) -> None:
    full, short = watched(recipe, name="cnn-tiny"), watched(recipe, name="cnn-tiny", until=1)
    assert len(full.snapshots) == recipe.epochs
    assert len(short.snapshots) == 1
    assert all(torch.equal(tensor, full.snapshots[0][name]) for name, tensor in short.snapshots[0].items())


@BOTH
def test_passes_are_those_that_a_hook_counts(recipe: Recipe) -> None:
    counted = Passes()

    def count(_: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        counted.forward += len(output)
        if output.requires_grad:
            output.register_hook(lambda gradient: setattr(counted, "backward", counted.backward + len(gradient)))

    model = network()
    model.head.register_forward_hook(count)
    passes = train(model, digits().train, IDS, recipe, SEED)
    assert (passes.forward, passes.backward) == (counted.forward, counted.backward)
    assert passes.steps == 3 * recipe.epochs


@BOTH
def test_training_ends_in_evaluation_mode_with_settled_statistics(recipe: Recipe) -> None:
    model = trained(recipe, name="cnn-tiny")
    assert not any(part.training for part in model.modules())
    counts = {int(part.num_batches_tracked) for part in model.modules() if isinstance(part, nn.BatchNorm2d)}
    assert counts == {3 * recipe.epochs * (3 if recipe is TRADES else 1)}  # clean, adversarial, clean; no inner step
