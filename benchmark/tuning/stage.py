"""Trying out one recipe: a stage of its own, which the store keeps."""

from dataclasses import asdict
from typing import Any

import torch

from benchmark.attacks import correct, margin_pgd, pgd
from benchmark.calibrate import BATCH, trained_on_random
from benchmark.charges import Charge, allowance, presentations
from benchmark.data import Dataset
from benchmark.plan import Data, Stage
from benchmark.randomness import derive_seed, shuffled
from benchmark.spec import PGD, MarginPGD, Recipe, Suite
from benchmark.stopwatch import stopwatch
from benchmark.store import Artifact
from benchmark.trace import Report, unreported
from benchmark.tuning.trials import Request
from methods.api import Budget

ATTACKED = 500  # images of tune that meet the attacks, drawn once; clean ones are judged on all of it


def make_trial(suite: Suite, data: Data, request: Request) -> Stage:
    """The stage that answers a request. Random coresets have seeds of their own: no model of the suite is judged."""
    recipe, regime = request.recipe, suite.on_clocks()[request.regime]
    spec: dict[str, Any] = {
        **data.canonical(),
        "model": regime.model,
        "recipe": recipe.canonical(),
        "fraction": request.fraction,
        "seed": derive_seed("tune", request.replicate),
    }
    if recipe.objective == "trades":
        attacks = suite.attacks
        spec["epsilon"] = recipe.epsilon
        spec["pgd"] = attacks.pgd.canonical()
        spec["margin"] = attacks.margin.canonical() if attacks.margin else None
    if recipe.clock == "cost":
        spec["spare"] = asdict(allowance(suite))  # `random` spends none of it before training
    return Stage("trial", spec)


def try_out(stage: Stage, data: Dataset, device: str, report: Report = unreported) -> Artifact:
    """Trains the recipe of a trial's stage and judges it on `tune`: `images`, and how many of them were `right`.

    Raises:
        CoresetBenchError: training diverged.
    """
    spec, seconds = stage.spec, stopwatch(device)
    recipe, length = Recipe.model_validate(spec["recipe"]), None
    if "spare" in spec:
        k = Budget.of(spec["fraction"], len(data.train)).k
        length = presentations(recipe, k, Charge(**spec["spare"]), len(data.train), len(data.select))
    model = trained_on_random(spec, data, device, report, length)
    attacked = "epsilon" in spec
    judged = shuffled(derive_seed("trial", "tune"), torch.arange(len(data.tune)))
    if attacked:
        judged = judged[:ATTACKED]
    right = images = 0
    for x, y, own in data.tune.batches(judged, BATCH):
        bits = correct(model, x, y, BATCH)
        if attacked:
            bits &= pgd(model, x, y, [spec["epsilon"]], PGD.model_validate(spec["pgd"]), spec["seed"], own)[0]
        if attacked and spec["margin"]:
            margin = MarginPGD.model_validate(spec["margin"])
            bits &= margin_pgd(model, x, y, [spec["epsilon"]], margin, spec["seed"], own)[0]
        right, images = right + int(bits.sum()), images + len(y)
    return Artifact({}, {"images": images, "right": right, "seconds": seconds()})
