"""Training and attacks on a GPU, beside what the card's matrix units do when they do nothing else: `make perf-gpu`.

ResNet-18 on 32x32 images at batch 512. Writes gpu.json, with the card's name, into the folder that is named.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmark.attacks import pgd_images
from benchmark.data.memory import InMemory
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.spec import Augment, Recipe
from benchmark.stages.train import train

BATCH, STEPS, SIDE, REPEATS = 512, 20, 8192, 3
FORWARD_FLOPS = 2 * 0.5554e9  # of ResNet-18 with a CIFAR stem, one 32x32 image: 555 million multiply-adds
DEVICE = torch.device("cuda")


def seconds(once: Callable[[], object]) -> list[float]:
    """Of each repeat, after one that compiles and allocates."""
    found = []
    for _ in range(REPEATS + 1):
        torch.cuda.synchronize()
        started = time.perf_counter()
        once()
        torch.cuda.synchronize()
        found.append(round(time.perf_counter() - started, 6))
    return found[1:]


def matmul_rate() -> float:
    """Multiplications and additions a second of bfloat16 matrices."""
    one, other = (torch.randn(SIDE, SIDE, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    return 20 * 2 * SIDE**3 / min(seconds(lambda: [one @ other for _ in range(20)]))


def network() -> Classifier:
    return build("resnet18", 10, (3, 32, 32), (0.5,) * 3, (0.25,) * 3, seed=0).to(DEVICE)


def measure(rate: float) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(0)
    count = BATCH * STEPS
    pixels = torch.randint(0, 256, (count, 3, 32, 32), dtype=torch.uint8, generator=generator)
    images = InMemory(pixels, torch.randint(0, 10, (count,), generator=generator), DEVICE)
    model, found = network(), {}

    def note(name: str, samples: int, work: int, times: list[float]) -> None:
        """`work` in forward passes a sample; a backward pass counts as two, one to the input alone as one."""
        best = samples / min(times)
        share = best * work * FORWARD_FLOPS / rate
        found[name] = {"seconds": times, "images_per_second": round(best), "share_of_matmul_rate": round(share, 4)}

    for precision in ("bfloat16", "tf32"):
        for compile_ in (False, True):
            for objective, epochs, samples in (("standard", 3, count), ("trades", 1, count // 4)):
                recipe = Recipe(
                    objective=objective, epochs=epochs, batch_size=BATCH, lr=0.01, channels_last=True,
                    precision=precision, compile=compile_, augment=Augment(pad=4, flip=True),
                )  # fmt: skip
                # TRADES: each inner step forward and back to the image; 4 more forward, 2 back through everything.
                work = 3 if objective == "standard" else 2 * recipe.inner_steps + 4 + 2 * 2
                times = seconds(lambda r=recipe, n=samples: train(model, images, torch.arange(n), r, 0))
                note(f"{objective}, {precision}{', compiled' if compile_ else ''}", samples * epochs, work, times)
    x, y, _ = next(images.batches(torch.arange(BATCH), BATCH))
    start = torch.zeros_like(x)
    note("pgd, float32", BATCH * 20, 2, seconds(lambda: pgd_images(model, x, y, 8 / 255, 20, 0.1, start)))
    return found


def main(folder: Path) -> int:
    if not torch.cuda.is_available():
        print("There is no GPU that torch can use here; run this on a machine with one.")
        return 2
    rate = matmul_rate()
    report = {
        "card": torch.cuda.get_device_name(DEVICE),
        "torch": torch.__version__,
        "bfloat16_matmul_tflops": round(rate / 1e12, 1),
        "model": f"resnet18, 32x32, batch {BATCH}",
        "measured": measure(rate),
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gpu.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
