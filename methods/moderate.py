"""Moderate coreset (Xia et al. 2023, "Moderate Coreset: A Universal Method of Data Selection", ICLR).

    score(x) = || h(x) - centre of x's class ||_2, and the ranks [1/2 - f/2, 1/2 + f/2] of it are kept

f being the kept fraction: the samples whose distance is nearest to the median, neither the most typical nor the most
unusual. Penultimate features after the last epoch; one ranking over all classes, as in the authors' code, and
`moderate@balanced` ranks within each.

Paper and authors' code differ in the centre: the class mean, the default here, and the coordinate-wise median, which
`centre="median"` takes. The code also rounds both ends of the band, which can miss the budget by one; here it is exact.

Cost: one pass over the features.
"""

from collections.abc import Callable

import numpy as np

from methods.api import Floats, Integers, Signals
from methods.errors import unknown
from methods.gradients import finite
from methods.registry import score

CENTRES: dict[str, Callable[..., Floats]] = {"mean": np.mean, "median": np.median}


@score("moderate", needs="features", keep="middle", direction="middle", paper="Xia et al., ICLR 2023")
def moderate(signals: Signals, labels: Integers, num_classes: int, *, centre: str = "mean") -> Floats:
    """Distance to the centre of the class nearest to the median distance."""
    if centre not in CENTRES:
        raise unknown("value of moderate's 'centre'", centre, CENTRES)
    features, distance = finite(signals, "features"), np.zeros(len(labels))
    for members in (np.flatnonzero(labels == c) for c in range(num_classes)):
        if len(members):
            own = features[members]
            distance[members] = np.linalg.norm(own - CENTRES[centre](own, axis=0), axis=1)
    return distance
