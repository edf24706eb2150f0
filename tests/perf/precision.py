"""What bfloat16 does to a trained model: `python -m tests.perf.precision results/perf/precision.json`.

cnn-small on real CIFAR-10, from the folder named by CORESET_BENCH_DATA: each replicate trains one model in float32 and
one in bfloat16, from the same seed and on the same images, and both are judged on `tune` in float32. A model that is
in the file already is not trained again.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from benchmark.attacks import correct, margin_pgd, pgd
from benchmark.data import Dataset, load
from benchmark.models import build
from benchmark.models.folded import folded
from benchmark.randomness import derive_seed
from benchmark.spec import PGD, Augment, DatasetSpec, MarginPGD, Recipe
from benchmark.stages.train import train
from benchmark.stats import paired_difference
from benchmark.store import write_atomically
from tests.perf.conftest import machine

POOL, IMAGES, REPLICATES = 2_500, 500, 4
PRECISIONS = ("float32", "bfloat16")
COLUMNS = ("training", "share of tune", *PRECISIONS, "bfloat16 − float32", "seconds, float32 / bfloat16")
EPSILON = {"standard": 1 / 255, "trades": 8 / 255}
BASE: dict[str, Any] = {"batch_size": 64, "channels_last": True, "augment": Augment(pad=4, flip=True)}
RECIPES = {
    "standard": Recipe(epochs=10, lr=0.1, **BASE),
    "trades": Recipe(objective="trades", epochs=6, lr=0.1, **BASE),
}


def judged(data: Dataset, objective: str, precision: str, replicate: int) -> dict[str, float]:
    """Shares of `tune` that are right and robust, and the seconds that training took."""
    recipe = RECIPES[objective].model_copy(update={"precision": precision})
    seed = derive_seed("precision", replicate)
    model = build("cnn-small", data.num_classes, data.shape, data.mean, data.std, seed=seed)
    started = time.perf_counter()
    train(model, data.train, torch.arange(len(data.train)), recipe, seed)
    seconds = time.perf_counter() - started
    x, y, ids = next(data.tune.batches(torch.arange(IMAGES), IMAGES))
    network, radii = folded(model), (EPSILON[objective],)
    robust = (
        pgd(network, x, y, radii, PGD(), seed, ids)[0] & margin_pgd(network, x, y, radii, MarginPGD(), seed, ids)[0]
    )
    clean = correct(network, x, y, IMAGES)
    return {"clean": float(clean.double().mean()), "robust": float(robust.double().mean()), "seconds": seconds}


def title(found: dict[str, Any]) -> str:
    """What was trained, and on what."""
    return (
        f"cnn-small on {POOL:,} images of CIFAR-10, {REPLICATES} replicates, judged in float32 on {IMAGES} images of "
        f"tune (PGD-20 on the cross-entropy and on the margin): % right, and the difference with its 95 % t interval "
        f"in points. {found['processor']}."
    )


def rows(found: dict[str, Any]) -> list[list[str]]:
    """A line for each way of training and each share, in the order of COLUMNS."""
    lines = []
    for objective in RECIPES:
        by = [[found["models"][f"{objective} {p} {r}"] for r in range(REPLICATES)] for p in PRECISIONS]
        spent = [sum(model["seconds"] for model in models) for models in by]
        for what in ("clean", "robust"):
            values = [[100 * model[what] for model in models] for models in by]
            gap = paired_difference(values[1], values[0])
            shown = [f"{sum(column) / REPLICATES:.1f}" for column in values]
            lines.append(
                [objective, what, *shown, f"{gap.mean:+.1f} ± {gap.half_width:.1f}", f"{spent[0] / spent[1]:.2f}"]
            )
    return lines


def print_report(found: dict[str, Any], console: Console) -> None:
    table = Table(title=title(found))
    for heading in COLUMNS:
        table.add_column(heading, justify="right")
    for row in rows(found):
        table.add_row(*row)
    console.print(table)


def main(path: Path) -> int:
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {**machine(), "models": {}}
    data = load(DatasetSpec(name="cifar10", train=POOL))
    for replicate in range(REPLICATES):
        for objective in RECIPES:
            for precision in PRECISIONS:
                name = f"{objective} {precision} {replicate}"
                if name not in found["models"]:
                    found["models"][name] = judged(data, objective, precision, replicate)
                    path.parent.mkdir(parents=True, exist_ok=True)
                    write_atomically(path, (json.dumps(found, indent=1) + "\n").encode())
    print_report(found, Console(width=120))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
