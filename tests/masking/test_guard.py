"""The guard against a slow version of itself, against planted masking, and against honest networks."""

import pytest
import torch
from torch import Tensor

from benchmark.attacks import correct, guard, margin_pgd, pgd, pgd_images
from benchmark.attacks.pgd import cross_entropy, margin, unit_noise
from benchmark.leaderboard.masking import telling
from benchmark.randomness import derive_seed
from benchmark.records import Sign
from benchmark.spec import PGD, MarginPGD
from tests.masking.planted import EPSILON, MASKED, Broken, World, world

KEY = 5
DESCENT, CLIMB = PGD(steps=10, step_ratio=0.2, batch_size=64), MarginPGD(steps=10, step_ratio=0.2, batch_size=64)


@pytest.fixture(scope="module")
def honest() -> World:
    return world()


def beyond(model: torch.nn.Module, w: World, descent: PGD = DESCENT, climb: MarginPGD | None = CLIMB) -> Sign:
    """What the guard finds beyond the attacks that it guards; without `climb` it has the usual one all the same."""
    usual = pgd(model, w.x, w.y, (EPSILON,), descent, KEY, w.ids)[0]
    if climb:
        usual &= margin_pgd(model, w.x, w.y, (EPSILON,), climb, KEY, w.ids)[0]
    stages, _ = guard(model, w.x, w.y, EPSILON, descent, climb or CLIMB, 10, KEY, w.ids)
    return Sign(found=int((usual & ~stages["margin"]).sum()), of=len(w.x))


def slow(w: World, few: int, descent: PGD, climb: MarginPGD, factor: int) -> tuple[Tensor, Tensor]:
    """Every restart of every image to its end, one after another, judged at every iterate."""
    x, y, ids = w.x[:few], w.y[:few], w.ids[:few]
    shape, nearest = (1, 8, 8), w.network(x).scatter(1, y[:, None], -torch.inf).argsort(1, descending=True)

    def run(seed: int, spec: PGD | MarginPGD, aim: Tensor | None) -> Tensor:
        def objective(logits: Tensor, labels: Tensor, _: None) -> Tensor:
            return cross_entropy(logits, labels, None) if aim is None else margin(logits, labels, aim)

        start = unit_noise(seed, ids, shape)
        runs = (
            pgd_images(w.network, x, y, EPSILON, steps, spec.step_ratio, start, objective)
            for steps in range(factor * spec.steps + 1)
        )
        return torch.stack([correct(w.network, images.detach(), y, 64) for images in runs]).all(0)

    after = correct(w.network, x, y, 64)
    for restart in range(factor * descent.restarts):
        after = after & run(derive_seed("guard pgd start", KEY, restart), descent, None)
    last = after
    for number in range(climb.targets):
        for restart in range(factor):
            last = last & run(derive_seed("guard margin start", KEY, number, restart), climb, nearest[:, number])
    return after, last


def test_equals_every_restart_run_to_its_end(honest: World) -> None:
    few = 24
    descent = PGD(steps=2, step_ratio=0.3, restarts=2, batch_size=7)
    climb = MarginPGD(steps=2, step_ratio=0.3, targets=2, batch_size=7)
    stages, _ = guard(honest.network, honest.x[:few], honest.y[:few], EPSILON, descent, climb, 3, KEY, honest.ids[:few])
    after, last = slow(honest, few, descent, climb, 3)
    assert torch.equal(stages["pgd"], after)
    assert torch.equal(stages["margin"], last)
    assert 0 < last.sum() < few


def test_depends_on_key_and_ids_not_on_batch_or_order(honest: World) -> None:
    model, w = MASKED["ripples"](honest.network), honest

    def verdicts(order: Tensor, size: int, key: int = KEY) -> Tensor:
        descent, climb = (spec.model_copy(update={"steps": 1, "batch_size": size}) for spec in (DESCENT, CLIMB))
        return guard(model, w.x[order], w.y[order], EPSILON, descent, climb, 2, key, w.ids[order])[0]["margin"]

    order = torch.randperm(len(w.x), generator=torch.Generator().manual_seed(0))
    first = verdicts(torch.arange(len(w.x)), 512)
    assert torch.equal(verdicts(order, 3), first[order])
    assert not torch.equal(verdicts(torch.arange(len(w.x)), 512, KEY + 1), first)


@pytest.mark.parametrize("name", ["quantised", "ripples"])
def test_fires_where_gradients_mislead(name: str, honest: World) -> None:
    assert telling(beyond(MASKED[name](honest.network), honest))


def test_fires_where_the_suite_has_pgd_on_the_cross_entropy_alone(honest: World) -> None:
    saturated = MASKED["saturated"](honest.network)
    found = beyond(saturated, honest, climb=None)
    assert found.found > honest.x.shape[0] / 2
    assert not telling(beyond(saturated, honest))  # the margin of the suite's own attacks has a gradient still


def test_fires_where_the_suites_own_attacks_are_too_short(honest: World) -> None:
    timid = PGD(steps=10, step_ratio=0.02), MarginPGD(steps=10, step_ratio=0.02)
    assert telling(beyond(honest.network, honest, *timid))


def test_is_quiet_on_honest_networks(honest: World) -> None:
    found = [beyond(w.network, w) for w in (honest, *(world(seed) for seed in range(1, 6)))]
    assert not any(map(telling, found))
    assert sum(sign.found for sign in found) <= len(found)


def test_a_broken_network_survives_nothing(honest: World) -> None:
    stages, signs = guard(Broken(honest.network), honest.x, honest.y, EPSILON, DESCENT, CLIMB, 2, KEY, honest.ids)
    assert not stages["pgd"].any()
    assert (signs.nonfinite, signs.randomised, signs.zero_gradients) == (1, 0, 0)


def test_no_image_and_two_classes() -> None:
    def model(x: Tensor) -> Tensor:
        return x.flatten(1) @ torch.tensor([[1.0, -1.0], [-1.0, 1.0]])

    x = torch.tensor([[0.6, 0.3], [0.5, 0.48], [0.2, 0.5]]).view(-1, 1, 1, 2)
    for points in (0, 3):
        y, ids = model(x[:points]).argmax(1), torch.arange(points)
        stages, _ = guard(model, x[:points], y, 0.1, DESCENT, CLIMB, 2, KEY, ids)
        assert stages["margin"].tolist() == [True, False, True][:points]
