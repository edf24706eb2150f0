"""Trying out one recipe: a stage of its own, which the store keeps."""

import torch

from benchmark.attacks import correct, margin_pgd, pgd
from benchmark.charges import Charge, presentations
from benchmark.data import Dataset
from benchmark.plan import Stage
from benchmark.randomness import derive_seed, shuffled
from benchmark.spec import PGD, MarginPGD, Recipe
from benchmark.stages.calibrate import BATCH, trained_on_random
from benchmark.stages.stopwatch import stopwatch
from benchmark.stages.trace import Report, unreported
from benchmark.store import Artifact
from methods.api import Budget

ATTACKED = 500  # images of tune that meet the attacks, drawn once; clean ones are judged on all of it


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
