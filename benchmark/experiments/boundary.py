"""Is the boundary in the plane simpler when a network learns the easiest points alone? The paper's Figure 4, counted.

Fewer points leave less to follow, whichever they are, so each network of the easiest 720 points is compared with two:
of all 1,200, as in the paper, and of 720 at random. Both start from the same weights in the same replicate.
"""

from collections.abc import Iterator

import numpy as np

from benchmark.claims.measurement import Measurement
from benchmark.plane import ALL, DATA, EASY, RANDOM, TRAINING, Boundary, boundary, field, hardness, learn, load_plane
from benchmark.plane import subsets as divided
from benchmark.provenance import provenance

PLANE = "plane"  # the name by which it is measured, beside those of suites
AGAINST = {ALL: "all points", RANDOM: "as many at random"}
COUNTED = {
    "plane-segments": ("segments", lambda found: float(found.count)),
    "plane-length": ("lengths", lambda found: found.length),
    "plane-curvature": ("per length", lambda found: found.curvature),
}


def boundaries(replicate: int) -> dict[str, Boundary]:
    """The boundary of each network of a replicate."""
    data = load_plane()
    chosen = divided(hardness(data, replicate), replicate)
    return {name: boundary(field(learn(data, ids, replicate))) for name, ids in chosen.items()}


def measured(replicates: int) -> Iterator[Measurement]:
    """Number of segments, length and mean curvature: the easiest points' less those of others."""
    found = [boundaries(replicate) for replicate in range(replicates)]
    size = len(load_plane().train)
    for question, (unit, count) in COUNTED.items():
        counts = {name: [count(each[name]) for each in found] for name in (EASY, *AGAINST)}
        for other, case in AGAINST.items():
            differences = np.subtract(counts[EASY], counts[other])
            yield Measurement(
                question=question,
                suite=PLANE,
                case=case,
                data=f"{DATA.name}, {size:,} points",
                pool=size,
                model=TRAINING.model,
                seeds=tuple(range(replicates)),
                unit=unit,
                values=tuple(map(float, differences)),
                facts={"easiest": float(np.mean(counts[EASY])), case: float(np.mean(counts[other]))},
                provenance=provenance("cpu"),
            )
