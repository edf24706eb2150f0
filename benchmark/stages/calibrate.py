"""Where a regime's primary epsilon lies: a model trained on a random coreset, judged on the `tune` part.

The primary epsilon is the declared one at which a model trained on `random` at the middle fraction keeps nearest to
half of its clean accuracy. A suite whose file names none leaves the choice to this stage.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from benchmark.attacks import correct, margin_pgd, pgd, smallest_epsilon
from benchmark.data import Dataset
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.plan import Stage
from benchmark.provenance import provenance
from benchmark.randomness import derive_seed, shuffled
from benchmark.spec import PGD, MarginPGD, Recipe, SmallestEpsilon
from benchmark.stages.stopwatch import stopwatch
from benchmark.stages.trace import Report, Reporter, unreported
from benchmark.stages.train import train
from benchmark.store import Artifact
from methods.api import Budget
from methods.errors import CoresetBenchError

BOUND = 0.5  # pixels: beyond it an image is another image
LEVELS = 250
BATCH = 512
IMAGES = 500  # of tune, drawn once: the share that is kept is good to two hundredths


def trained_on_random(
    spec: Mapping[str, Any], data: Dataset, device: str, report: Report, presentations: int | None = None
) -> Classifier:
    """The network of a spec, trained by its recipe on a random coreset: a set of its own for each seed.

    Raises:
        CoresetBenchError: training diverged.
    """
    recipe, seed = Recipe.model_validate(spec["recipe"]), spec["seed"]
    k = Budget.of(spec["fraction"], len(data.train)).k
    ids = torch.from_numpy(np.random.default_rng(seed).permutation(len(data.train))[:k])
    model = build(spec["model"], data.num_classes, data.shape, data.mean, data.std, seed=seed).to(device)
    watch = Reporter(report, len(ids) * recipe.work)
    train(model, data.train, ids, recipe, seed, observer=watch, presentations=presentations)
    return model


def calibrate(stage: Stage, data: Dataset, device: str, report: Report = unreported) -> Artifact:
    """Measures what a calibration stage asks for.

    Its values: `images` judged, `clean` right ones, `robust` right ones at each of the stage's epsilons (worst case of
    the suite's PGDs), `primary` epsilon, and `half_at`, the median smallest epsilon of the cleanly right.

    Raises:
        CoresetBenchError: training diverged, or learnt nothing that an attack could take away.
    """
    spec, seconds = stage.spec, stopwatch(device)
    seed, epsilons = spec["seed"], spec["epsilons"]
    model = trained_on_random(spec, data, device, report)
    judged = shuffled(derive_seed("calibrate", "tune"), torch.arange(len(data.tune)))[:IMAGES]
    x, y, own = next(data.tune.batches(judged, IMAGES))
    clean = correct(model, x, y, BATCH)
    if not clean.any():
        raise CoresetBenchError(
            "The calibration's model is right on no image of 'tune'; mend the recipe of its regime."
        )
    robust = pgd(model, x, y, epsilons, PGD.model_validate(spec["pgd"]), seed, own)
    if spec["margin"]:
        robust &= margin_pgd(model, x, y, epsilons, MarginPGD.model_validate(spec["margin"]), seed, own)
    levels = smallest_epsilon(model, x, y, BOUND, SmallestEpsilon(levels=LEVELS, steps=20, step_ratio=0.1), seed, own)
    right = int(clean.sum())
    kept = [int(bits.sum()) for bits in robust]
    values: dict[str, Any] = {
        "images": len(y),
        "clean": right,
        "robust": kept,
        "primary": epsilons[int(np.argmin([abs(count / right - 0.5) for count in kept]))],
        "half_at": float(levels[clean].double().median()) * BOUND / LEVELS,
        "seconds": seconds(),
        "provenance": provenance(device),
    }
    return Artifact({}, values)
