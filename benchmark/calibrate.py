"""Where a regime's primary epsilon lies, and whether its recipe trains: random coresets, judged on the `tune` part.

The primary epsilon is where a model trained on `random` at the middle fraction keeps about half of its clean
accuracy: the median, over the cleanly right images, of the smallest epsilon that flips them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.attacks import correct, margin_pgd, pgd, smallest_epsilon
from benchmark.data import Dataset, load
from benchmark.models import build
from benchmark.randomness import derive_seed, shuffled
from benchmark.spec import Regime, SmallestEpsilon, Suite
from benchmark.train import train
from methods.api import Budget
from methods.errors import CoresetBenchError

BOUND = 0.5  # pixels: beyond it an image is another image
LEVELS = 250
BATCH = 512
IMAGES = 500  # of tune, drawn once: the median is good to a hundredth


def calibrate_suite(
    suite: Suite, device: str, root: Path | None = None, download: bool = False
) -> Iterator[dict[str, Any]]:
    """For each regime and replicate: clean and robust accuracy on tune, and the epsilon that halves the former."""
    data = load(suite.dataset, root, device, download)
    fraction = suite.fractions[len(suite.fractions) // 2]
    for name, regime in suite.regimes.items():
        for replicate in range(suite.replicates):
            yield {
                "regime": name,
                "replicate": replicate,
                **_measured(suite, regime, data, fraction, replicate, device),
            }


def _measured(
    suite: Suite, regime: Regime, data: Dataset, fraction: float, replicate: int, device: str
) -> dict[str, Any]:
    """Seeds of its own, so that no model of the suite itself is judged here."""
    seed = derive_seed("calibrate", replicate)
    k = Budget.of(fraction, len(data.train)).k
    ids = torch.from_numpy(np.random.default_rng(seed).permutation(len(data.train))[:k])
    model = build(regime.model, data.num_classes, data.shape, data.mean, data.std, seed=seed).to(device)
    try:
        train(model, data.train, ids, regime.recipe, seed)
    except CoresetBenchError as error:
        return {"clean_%": str(error)}
    judged = shuffled(derive_seed("calibrate", "tune"), torch.arange(len(data.tune)))[:IMAGES]
    x, y, own = next(data.tune.batches(judged, IMAGES))
    clean = correct(model, x, y, BATCH)
    robust = pgd(model, x, y, regime.epsilons, suite.attacks.pgd, seed, own)
    if suite.attacks.margin:
        robust &= margin_pgd(model, x, y, regime.epsilons, suite.attacks.margin, seed, own)
    levels = smallest_epsilon(model, x, y, BOUND, SmallestEpsilon(levels=LEVELS, steps=20, step_ratio=0.1), seed, own)
    half = float(levels[clean].double().median()) * BOUND / LEVELS
    rates = {
        f"at_{e:.4g}_%": f"{100 * float(bits.float().mean()):.1f}"
        for e, bits in zip(regime.epsilons, robust, strict=True)
    }
    return {"clean_%": f"{100 * float(clean.float().mean()):.1f}", **rates, "half_at": f"{half:.4f}"}
