"""Attacks against closed forms, against torchattacks and pyautoattack, and against what they promise to leave alone."""

import random
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

from benchmark import spec
from benchmark.attacks import (
    AutoAttackResult,
    CountedModel,
    autoattack,
    correct,
    margin_pgd,
    pgd,
    pgd_images,
    smallest_epsilon,
)
from benchmark.attacks.pgd import nearest_margin, unit_noise
from benchmark.attacks.signs import Signs
from benchmark.randomness import derive_seed

KEY = 7
PGD = spec.PGD(steps=20, step_ratio=0.1, batch_size=16)
AUTOATTACK = spec.AutoAttack(batch_size=12)  # two batches at first, one for what is left after APGD-CE


def fit(network: nn.Module, x: Tensor, y: Tensor, steps: int = 60) -> nn.Module:
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        F.cross_entropy(network(x), y).backward()
        optimiser.step()
    optimiser.zero_grad()
    return network.eval()


def mlp(classes: int, *extra: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), *extra, nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, classes))


@pytest.fixture(scope="module")
def digits() -> tuple[Tensor, Tensor]:
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images / 16, dtype=torch.float32).view(-1, 1, 8, 8), torch.tensor(labels, dtype=torch.int64)


@pytest.fixture(scope="module")
def model(digits: tuple[Tensor, Tensor]) -> nn.Module:
    return fit(mlp(10), *digits)


@pytest.fixture(scope="module")
def batch(digits: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    x, y = digits
    return x[:40], y[:40], torch.arange(40) * 31


class Linear(nn.Module):
    """A linear classifier and images at known distances from its decision boundary.

    Two classes meet at the centre of the box; the image at distance r is r * sign(w) away from there, with a
    displacement along the boundary added. Further classes are never near.
    """

    def __init__(self, classes: int = 2) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        w = torch.randn(16, generator=generator)
        self.weight = torch.zeros(classes, 16)
        self.weight[0], self.weight[1] = -w / 2, w / 2
        self.bias = torch.full((classes,), -50.0)
        self.bias[0], self.bias[1] = w.sum() / 4, -w.sum() / 4

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weight.T + self.bias

    def images(self, distances: Tensor) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(2)
        w = 2 * self.weight[1]
        y = torch.arange(len(distances)) % 2
        along = 0.02 * torch.randn(len(distances), 16, generator=generator)
        along -= (along @ w)[:, None] * w / (w @ w)
        x = 0.5 + (2 * y - 1)[:, None] * distances[:, None] * w.sign() + along
        return x.view(-1, 1, 4, 4), y


DISTANCES = torch.tensor([-0.02, 0.013, 0.0195, 0.0205, 0.034, 0.0495, 0.0505, 0.078, 0.0995, 0.1005, 0.123, 0.31])


class TestLinear:
    def test_pgd_finds_the_exact_radius(self) -> None:
        model = Linear()
        x, y = model.images(DISTANCES)
        epsilons = (0.05, 0.0, 0.02, 0.1)
        robust = pgd(model, x, y, epsilons, PGD, KEY, torch.arange(len(x)))
        for row, epsilon in zip(robust, epsilons, strict=True):
            assert torch.equal(row, epsilon < DISTANCES.clamp(min=0)), epsilon

    def test_smallest_epsilon_is_the_next_level_of_the_grid(self) -> None:
        model = Linear()
        x, y = model.images(DISTANCES)
        for levels, bound in ((15, 0.15), (63, 0.125), (10, 0.1), (1, 0.05)):
            search = spec.SmallestEpsilon(levels=levels, steps=10, step_ratio=0.2)
            level = smallest_epsilon(model, x, y, bound, search, KEY, torch.arange(len(x)), batch_size=5)
            expected = (DISTANCES * levels / bound).ceil().clamp(max=levels + 1).long()
            assert torch.equal(level, torch.where(DISTANCES > 0, expected, 0)), levels

    @pytest.mark.parametrize("classes", [2, 3, 4])
    def test_autoattack_finds_the_exact_radius_whatever_the_number_of_classes(self, classes: int) -> None:
        model = Linear(classes)
        x, y = model.images(DISTANCES)
        result = autoattack(model, x, y, 0.05, AUTOATTACK, 3, classes)
        assert torch.equal(result.robust, DISTANCES > 0.05)
        assert torch.equal(result.clean, DISTANCES > 0)
        assert list(result.stages) == ["apgd-ce"] + ["apgd-t"] * (classes >= 4) + ["fab-t", "square"]
        assert [reason.split(":")[0] for reason in result.omitted] == ["apgd-t"] * (classes < 4)
        assert (result.signs, result.square_gain) == (Signs(0, 0, 0), 0)


def at_every_iterate(model, x: Tensor, y: Tensor, epsilon, search, start: Tensor, objective=None) -> Tensor:
    """Right after 0, 1, 2, ... steps, each run from the start anew, with every image in the batch."""
    runs = (
        pgd_images(model, x, y, epsilon, steps, search.step_ratio, start, objective)
        for steps in range(search.steps + 1)
    )
    return torch.stack([correct(model, images.detach(), y, 64) for images in runs]).all(dim=0)


class TestPGD:
    def test_images_equal_those_of_torchattacks(self, model, batch) -> None:
        import torchattacks

        x, y, _ = batch
        epsilon = 0.1
        torch.manual_seed(5)
        start = torch.empty_like(x).uniform_(-epsilon, epsilon) / epsilon
        torch.manual_seed(5)
        theirs = torchattacks.PGD(model, eps=epsilon, alpha=0.1 * epsilon, steps=20)(x, y)
        ours = pgd_images(model, x, y, epsilon, 20, 0.1, start)
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-6)
        assert torch.equal(model(ours).argmax(1), model(theirs).argmax(1))

    def test_images_stay_in_ball_and_box(self, model, batch) -> None:
        x, y, ids = batch
        epsilon = torch.linspace(0, 0.5, len(x))
        images = pgd_images(model, x, y, epsilon, 5, 0.4, unit_noise(KEY, ids, (1, 8, 8)))
        assert ((images - x).abs().flatten(1).amax(1) <= epsilon + 1e-7).all()
        assert images.min() >= 0
        assert images.max() <= 1
        assert torch.equal(images[0], x[0])

    def test_dropping_fooled_images_is_exact(self, model, batch) -> None:
        x, y, ids = batch
        epsilons, restarts = (0.05, 0.1, 0.15), 3
        expected, alive = [], correct(model, x, y, 64)
        for epsilon in epsilons:
            for restart in range(restarts):
                start = unit_noise(derive_seed("pgd start", KEY, repr(epsilon), restart), ids, (1, 8, 8))
                alive = alive & at_every_iterate(model, x, y, epsilon, PGD, start)
            expected.append(alive)
        robust = pgd(model, x, y, epsilons, PGD.model_copy(update={"restarts": restarts}), KEY, ids)
        assert torch.equal(robust, torch.stack(expected))
        assert 0 < robust[-1].sum() < robust[0].sum() < len(x)

    def test_margin_finds_what_cross_entropy_cannot_see(self, model, batch) -> None:
        x, y, ids = batch

        def saturated(images: Tensor) -> Tensor:
            return 1000 * model(images)  # the softmax is 0 or 1 in float32: the cross-entropy has no gradient

        blind = pgd(saturated, x, y, (0.1,), PGD, KEY, ids)
        seeing = margin_pgd(saturated, x, y, (0.1,), spec.MarginPGD(), KEY, ids)
        assert seeing.sum() < blind.sum()
        # The margin's steps do not depend on the scale of the logits at all.
        assert torch.equal(seeing, margin_pgd(model, x, y, (0.1,), spec.MarginPGD(), KEY, ids))

    def test_margin_aims_at_the_nearest_wrong_classes(self, model, batch) -> None:
        x, y, ids = batch
        logits = model(x).detach()
        nearest = logits.scatter(1, y[:, None], -torch.inf).argmax(dim=1)
        start = unit_noise(derive_seed("margin pgd start", KEY, repr(0.1), 0), ids, (1, 8, 8))

        def margin(z: Tensor, labels: Tensor, aims: None) -> Tensor:
            return sum(z[i, nearest[i]] - z[i, labels[i]] for i in range(len(z)))

        expected = correct(model, x, y, 64) & at_every_iterate(model, x, y, 0.1, PGD, start, margin)
        assert torch.equal(margin_pgd(model, x, y, (0.1,), spec.MarginPGD(targets=1), KEY, ids)[0], expected)
        every = margin_pgd(model, x, y, (0.1,), spec.MarginPGD(targets=9), KEY, ids)[0]
        assert (every <= expected).all()

    def test_order_of_radii_is_the_callers(self, model, batch) -> None:
        x, y, ids = batch
        up = pgd(model, x, y, (0.05, 0.1, 0.15), PGD, KEY, ids)
        assert torch.equal(pgd(model, x, y, (0.15, 0.05, 0.1), PGD, KEY, ids), up[[2, 0, 1]])

    def test_more_restarts_never_leave_more_robust(self, model, batch) -> None:
        x, y, ids = batch
        weak = PGD.model_copy(update={"steps": 2})
        one, four = (pgd(model, x, y, (0.12,), weak.model_copy(update={"restarts": k}), KEY, ids)[0] for k in (1, 4))
        assert (four <= one).all()
        assert four.sum() < one.sum()

    def test_verdicts_depend_on_key_and_ids_not_on_batch_or_position(self, model, batch) -> None:
        x, y, ids = batch
        weak = PGD.model_copy(update={"steps": 1})
        robust = pgd(model, x, y, (0.3,), weak, KEY, ids)
        for size in (1, 7, 512):
            assert torch.equal(pgd(model, x, y, (0.3,), weak.model_copy(update={"batch_size": size}), KEY, ids), robust)
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
        assert torch.equal(pgd(model, x[order], y[order], (0.3,), weak, KEY, ids[order]), robust[:, order])
        assert not torch.equal(pgd(model, x, y, (0.3,), weak, KEY + 1, ids), robust)
        assert not torch.equal(pgd(model, x, y, (0.3,), weak, KEY, ids + 1), robust)

    def test_a_gradient_that_is_no_number_does_not_count_as_a_success(self, batch) -> None:
        x, y, ids = batch

        def constant(images: Tensor) -> Tensor:
            first = F.one_hot(torch.zeros(len(images), dtype=torch.int64), 10).float()
            return first + (images.flatten(1)[:, :1] * 0).sqrt()  # infinite slope times zero

        assert pgd(constant, x, y * 0, (0.1,), PGD, KEY, ids).all()

    def test_no_image_and_all_wrong(self, model, batch) -> None:
        x, y, ids = batch
        assert pgd(model, x[:0], y[:0], (0.1,), PGD, KEY, ids[:0]).shape == (1, 0)
        wrong = (model(x).argmax(1) + 1) % 10
        assert not pgd(model, x, wrong, (0.1,), PGD, KEY, ids).any()
        assert not smallest_epsilon(model, x, wrong, 0.2, spec.SmallestEpsilon(), KEY, ids).any()


class TestSmallestEpsilon:
    def test_every_level_reported_was_fooled_there(self, model, batch) -> None:
        x, y, ids = batch
        search, bound = spec.SmallestEpsilon(levels=31), 0.2
        level = smallest_epsilon(model, x, y, bound, search, KEY, ids)
        start = unit_noise(derive_seed("smallest epsilon start", KEY), ids, (1, 8, 8))
        robust = at_every_iterate(model, x, y, level * (bound / 31), search, start, nearest_margin)
        right, found = correct(model, x, y, 64), (level > 0) & (level <= 31)
        assert torch.equal(level == 0, ~right)
        assert found.any()
        assert not robust[found].any()

    def test_agrees_with_a_scan_of_the_grid(self, model, batch) -> None:
        x, y, ids = batch
        search, bound, levels = spec.SmallestEpsilon(levels=15), 0.3, 15
        start = unit_noise(derive_seed("smallest epsilon start", KEY), ids, (1, 8, 8))
        scan = torch.full((len(x),), levels + 1)
        for level in range(levels, -1, -1):
            radius = level * (bound / levels)
            scan[~at_every_iterate(model, x, y, radius, search, start, nearest_margin)] = level
        found = smallest_epsilon(model, x, y, bound, search, KEY, ids)
        assert (found >= scan).all()
        assert (found == scan).double().mean() > 0.9  # PGD is not quite monotone in epsilon


@pytest.fixture(scope="module")
def result(model: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> AutoAttackResult:
    x, y, _ = batch
    return autoattack(model, x[:16], y[:16], 0.12, AUTOATTACK, 11, 10)


class TestAutoAttack:
    def test_every_stage_equals_the_packages_own_evaluation_with_the_same_seed(
        self, model, batch, result, monkeypatch
    ) -> None:
        import pyautoattack.checks
        from pyautoattack.state import EvaluationState

        theirs = {}
        monkeypatch.setattr(pyautoattack.checks, "check_dynamic", lambda *args, **kwargs: None)
        monkeypatch.setattr(
            EvaluationState, "add_run_attack", lambda state, stage: theirs.update({stage: state.robust_flags.clone()})
        )
        x, y, _ = batch
        counted = CountedModel(model)
        with torch.random.fork_rng():
            ensemble = pyautoattack.AutoAttack(counted, eps=0.12, seed=11, version="standard")
            ensemble.run_standard_evaluation(x[:16], y[:16], batch_size=AUTOATTACK.batch_size)
        assert list(result.stages) == list(theirs)
        assert all(torch.equal(result.stages[stage], theirs[stage]) for stage in theirs)
        assert 0 < result.robust.sum() < result.clean.sum()
        # without the package's checks, which are six passes over the first batch, and our signs, a pass over all images
        # and one with gradients over those that are right: ours is spared what APGD does after an image has fallen
        assert result.forwards - 16 - result.clean.sum() < counted.forwards - 6 * AUTOATTACK.batch_size
        assert result.backwards - result.clean.sum() < counted.backwards

    def test_is_at_least_as_strong_as_pgd(self, model, batch, result) -> None:
        x, y, ids = batch
        robust = pgd(model, x[:16], y[:16], (0.12,), PGD, KEY, ids[:16])[0]
        assert (result.robust <= robust).all()
        assert torch.equal(result.clean, correct(model, x[:16], y[:16], 64))

    def test_masked_gradients_are_flagged(self, digits) -> None:
        class Stairs(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return (8 * x).round() / 8

        x, y = digits
        network = fit(mlp(10), *digits)
        masked = nn.Sequential(Stairs(), network).eval()
        result = autoattack(masked, x[:8], y[:8], 0.2, AUTOATTACK, 0, 10)
        assert result.signs == Signs(randomised=0, zero_gradients=1, nonfinite=0)
        assert result.square_gain * 8 >= 3

    def test_logits_that_are_not_finite_are_flagged_and_wrong(self, model, batch) -> None:
        x, y, _ = batch

        def broken(images: Tensor) -> Tensor:
            return model(images) * torch.where(images[:, 0, 0, :1] > 2, 1.0, torch.nan)

        result = autoattack(broken, x[:4], y[:4], 0.1, AUTOATTACK, 0, 10)
        assert (result.signs, result.square_gain) == (Signs(0, 0, 1), 0)
        assert not result.clean.any()
        assert not result.robust.any()

    @pytest.mark.parametrize("points", [0, 1, 3])
    def test_points_in_the_plane(self, points) -> None:
        def model(x: Tensor) -> Tensor:
            return x.flatten(1) @ torch.tensor([[1.0, -1.0], [-1.0, 1.0]])

        x = torch.tensor([[0.6, 0.3], [0.5, 0.48], [0.2, 0.5]])[:points].view(-1, 1, 1, 2)
        result = autoattack(model, x, model(x).argmax(1), 0.1, AUTOATTACK, 0, 2)
        assert result.robust.tolist() == [True, False, True][:points]
        assert (result.signs, result.square_gain) == (Signs(0, 0, 0), 0)

    def test_number_of_classes_is_checked(self, model, batch) -> None:
        x, y, _ = batch
        with pytest.raises(ValueError, match="two classes"):
            autoattack(model, x, y, 0.1, AUTOATTACK, 0, 1)
        with pytest.raises(ValueError, match="10 logits for 5 classes"):
            autoattack(model, x, y, 0.1, AUTOATTACK, 0, 5)


class TestWhatAttacksLeaveAlone:
    # three classes: two targets of FAB-T instead of nine
    @pytest.fixture
    def model(self, digits) -> nn.Module:
        x, y = digits
        return fit(mlp(3, nn.BatchNorm1d(64), nn.Dropout()), x, y % 3)

    @pytest.fixture(params=["pgd", "autoattack", "smallest_epsilon"])
    def attack(self, request, batch):
        x, y, ids = (values[:6] for values in batch)
        y = y % 3
        return {
            "pgd": lambda model: pgd(model, x, y, (0.03,), PGD, KEY, ids),
            "autoattack": lambda model: autoattack(model, x, y, 0.03, AUTOATTACK, 0, 3).robust,
            "smallest_epsilon": lambda model: smallest_epsilon(model, x, y, 0.2, spec.SmallestEpsilon(), KEY, ids),
        }[request.param]

    def test_model(self, model, attack) -> None:
        expected = attack(model)
        assert expected.any()  # so the last stages of AutoAttack ran
        model.train()
        model[1].eval()
        model[3].weight.requires_grad_(False)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        torch.set_float32_matmul_precision("high")
        try:
            assert torch.equal(attack(model), expected)
            assert torch.get_float32_matmul_precision() == "high"
        finally:
            torch.set_float32_matmul_precision("highest")
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert [module.training for module in model] == [True, False, True, True, True, True]
        assert [p.requires_grad for p in model.parameters()] == [True, True, False, True, True, True]
        assert all(p.grad is None for p in model.parameters())

    def test_global_random_state_and_tracer(self, model, attack, capfd) -> None:
        def tracer(frame, event, argument):
            return None

        before = (torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate())
        previous = sys.gettrace()
        sys.settrace(tracer)
        try:
            attack(model)
            assert sys.gettrace() is tracer
        finally:
            sys.settrace(previous)
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])
        assert random.getstate() == before[2]
        assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y, ids: (x.double(), y, ids), "float32"),
        (lambda x, y, ids: (x.flatten(1), y, ids), "C, H, W"),
        (lambda x, y, ids: (x * 2, y, ids), r"\[0, 1\]"),
        (lambda x, y, ids: (x * torch.nan, y, ids), r"\[0, 1\]"),
        (lambda x, y, ids: (x, y.int(), ids), "labels must be int64"),
        (lambda x, y, ids: (x, y, ids[1:]), "ids must be int64"),
    ],
)
def test_bad_input(model, batch, change, message) -> None:
    with pytest.raises(ValueError, match=message):
        pgd(model, *change(*batch)[:2], (0.1,), PGD, KEY, change(*batch)[2])
