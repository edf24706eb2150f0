"""Is the boundary in the plane simpler when a network learns the easiest points alone? The paper's Figure 4, counted.

Fewer points leave less to follow, whichever they are, so the network of the easiest 720 points is compared with two:
of all 1,200, as in the paper, and of 720 at random. All start from the same weights in the same replicate. A simpler
boundary may be a worse one, so each network's accuracy on fresh points stands beside it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmark.claims.measurement import Fact, Measurement
from benchmark.experiments.plane import ALL, DATA, EASY, RANDOM, TRAINING, boundary, field, hardness, learn, load_plane
from benchmark.experiments.plane import subsets as divided
from benchmark.provenance import provenance
from methods.errors import CoresetBenchError

PLANE = "plane"  # the name by which it is measured, beside those of suites
REPLICATES = 8
AGAINST = {ALL: "all points", RANDOM: "as many at random"}


@dataclass(frozen=True)
class Learnt:
    """What one network's boundary is like, and the share of fresh points that it gets right."""

    segments: int
    length: float
    curvature: float
    accuracy: float


COUNTED: dict[str, tuple[str, Callable[[Learnt], float]]] = {
    "plane-segments": ("segments", lambda learnt: learnt.segments),
    "plane-length": ("lengths", lambda learnt: learnt.length),
    "plane-curvature": ("per length", lambda learnt: learnt.curvature),
}


def networks(replicate: int) -> dict[str, Learnt]:
    """The three networks of a replicate.

    Raises:
        CoresetBenchError: a network answers with one class everywhere, and has no boundary.
    """
    import torch

    from benchmark.attacks import correct

    data, found = load_plane(), {}
    x, y, _ = next(iter(data.test.batches(torch.arange(len(data.test)), len(data.test))))
    for name, ids in divided(hardness(data, replicate), replicate).items():
        model = learn(data, ids, replicate)
        line = boundary(field(model))
        if not line.count:
            raise CoresetBenchError(f"The network of replicate {replicate} that learnt '{name}' has no boundary.")
        right = correct(model, x, y, len(x))
        found[name] = Learnt(line.count, line.length, line.curvature, float(right.double().mean()))
    return found


def measured(replicates: int) -> Iterator[Measurement]:
    """Number of segments, length and mean curvature: the easiest points' less those of others."""
    found = [networks(replicate) for replicate in range(replicates)]
    size = len(load_plane().train)
    for question, (unit, count) in COUNTED.items():
        for other, case in AGAINST.items():
            pairs = [(each[EASY], each[other]) for each in found]
            values = [float(count(easy) - count(rival)) for easy, rival in pairs]
            facts: dict[str, Fact] = {
                "easiest": float(np.mean([count(easy) for easy, _ in pairs])),
                case: float(np.mean([count(rival) for _, rival in pairs])),
                "accuracy, easiest": float(np.mean([easy.accuracy for easy, _ in pairs])),
                f"accuracy, {case}": float(np.mean([rival.accuracy for _, rival in pairs])),
            }
            yield Measurement(
                question=question,
                suite=PLANE,
                case=case,
                data=f"{DATA.name}, {size:,} points",
                pool=size,
                model=TRAINING.model,
                seeds=tuple(range(replicates)),
                unit=unit,
                values=tuple(values),
                facts=facts,
                provenance=provenance("cpu"),
            )
