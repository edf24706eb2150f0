"""How long the work ahead will take: counted passes, times rates measured on this machine just before.

Work is counted in samples sent forward once in training; a backward pass counts as two. Attacks see larger batches, so
theirs is scaled by a rate of its own. They run until images fall, which makes their part a guess at the middle: the
time left that a run shows while it works is the better number.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmark.charges import proxy_run
from benchmark.plan import Cell, Stage, Trace
from benchmark.spec import Recipe, Training
from methods.api import Budget
from methods.signals import get_signal

if TYPE_CHECKING:
    from benchmark.data import Dataset

ASK_ABOVE = 600.0  # seconds
GRADIENT = 3  # a forward and a backward pass
ATTACKED = 512  # images at once
SURVIVING = 0.4  # share of the images still right, where only these are attacked
AUTOATTACK = 4000  # forward-equivalents a test image, where about a third stay robust (measured with ResNet-18)
READS = 10  # how often a dynamic method may look at the whole pool: the built-in ones' default
AUTOATTACK_START = 4.0  # seconds of one core that it takes on the smallest network


def training_work(recipe: Recipe, samples: int, pool: int) -> int:
    """Forward-equivalents of training on `samples` of a pool for equal epochs or steps."""
    return round(recipe.work * recipe.epochs * (pool if recipe.clock == "steps" else samples))


def trace_work(trace: Trace, facts: Mapping[str, Any]) -> int:
    """Forward-equivalents of a proxy run with its snapshots."""
    return proxy_run(trace.training, trace.until, trace.signals).of(facts["pool"], facts.get("select", 0))


def calibration_work(stage: Stage, pool: int) -> int:
    """Forward-equivalents of training a calibration's model; its attacks are small beside that."""
    recipe = Recipe.model_validate(stage.spec["recipe"])
    return training_work(recipe, Budget.of(stage.spec["fraction"], pool).k, pool)


@dataclass(frozen=True)
class Rates:
    """Seconds a forward-equivalent of one network: in training, and in attacks."""

    training: float
    attacks: float


def cell_work(cell: Cell, facts: Mapping[str, Any], rates: Rates) -> float:
    """Forward-equivalents of training and attacking a cell."""
    work, seconds = 0, 0.0
    for name, stage in cell.outcomes.items():
        images = min(stage.spec.get("images") or facts["test"], facts["test"])
        if name == "pgd":
            work += images * GRADIENT * stage.spec["steps"] * stage.spec["restarts"] * len(stage.spec["epsilons"])
        elif name == "margin":
            runs = stage.spec["targets"] * len(stage.spec["epsilons"])
            work += round(images * GRADIENT * stage.spec["steps"] * runs * SURVIVING)
        elif name == "radii":
            work += images * GRADIENT * stage.spec["steps"] * stage.spec["levels"].bit_length()
        elif name == "autoattack":
            work += images * AUTOATTACK
            seconds += AUTOATTACK_START
        elif name == "guard":
            descent, climb, factor = stage.spec["pgd"], stage.spec["margin"], stage.spec["factor"]
            steps = factor**2 * (descent["steps"] * descent["restarts"] + climb["steps"] * climb["targets"])
            work += round(images * GRADIENT * steps * SURVIVING)
    training = cell_training(cell, facts)
    if cell.reselection:
        training += READS * facts["pool"] * _reading(cell)
    return training + (work * rates.attacks + seconds) / rates.training


def cell_training(cell: Cell, facts: Mapping[str, Any]) -> int:
    """Forward-equivalents of a cell's training alone."""
    recipe, pool = cell.regime.recipe, facts["pool"]
    k = Budget.of(cell.fraction, pool).k
    length = cell.presentations(k, pool, facts.get("select", 0))
    return training_work(recipe, k, pool) if length is None else recipe.work * length


def _reading(cell: Cell) -> int:
    """Forward-equivalents a sample of what a dynamic method reads of the model in training, once."""
    assert cell.reselection
    signals = [get_signal(need) for need in cell.reselection.method.info.needs]
    attacked = any(s.view == "training" and s.name != "last_loss" for s in signals)
    return attacked * cell.regime.recipe.work + any(s.view == "snapshot" for s in signals)


def measured(training: Training, data: "Dataset", device: str) -> Rates:
    """Times a few training steps, and a few steps of PGD, on the data's own first images."""
    import torch

    from benchmark.attacks import pgd_images
    from benchmark.models import build
    from benchmark.stages.train import train

    model = build(training.model, data.num_classes, data.shape, data.mean, data.std, seed=0).to(device)
    recipe = training.recipe.model_copy(update={"epochs": 1, "clock": "epochs", "lr": 1e-6})
    ids = torch.arange(min(len(data.train), 2 * recipe.batch_size))
    x, y, _ = next(data.train.batches(torch.arange(min(len(data.train), ATTACKED)), ATTACKED))
    start, steps = torch.zeros_like(x), 3
    return Rates(
        _seconds(lambda: train(model, data.train, ids, recipe, seed=0)) / training_work(recipe, len(ids), len(ids)),
        _seconds(lambda: pgd_images(model, x, y, 0.01, steps, 0.1, start).sum().item()) / (len(x) * GRADIENT * steps),
    )


def _seconds(once: Callable[[], object]) -> float:
    """Seconds a call takes, over a second's calls. The first pays for memory and code, and does not count.

    The call must wait for what it asked of an accelerator.
    """
    once()
    started, calls = time.perf_counter(), 0
    while calls == 0 or time.perf_counter() - started < 1:
        once()
        calls += 1
    return (time.perf_counter() - started) / calls


def spoken(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.1f} days"
