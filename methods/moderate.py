"""Moderate coreset (Xia et al. 2023, "Moderate Coreset: A Universal Method of Data Selection", ICLR)."""

from collections.abc import Callable

import numpy as np

from methods.api import Floats, Integers, Signals
from methods.errors import unknown
from methods.registry import score

CENTRES: dict[str, Callable[..., Floats]] = {"mean": np.mean, "median": np.median}


@score("moderate", needs="features", keep="middle", direction="middle", paper="Xia et al., ICLR 2023")
def moderate(signals: Signals, labels: Integers, num_classes: int, *, centre: str = "mean") -> Floats:
    """Distance to the centre of the class nearest to the median: the band [1/2 - f/2, 1/2 + f/2] of ranks.

    Euclidean distance of penultimate features after the last epoch. The centre is the class mean, as in the paper;
    `centre="median"` takes the coordinate-wise median of circulating code. One ranking over all classes;
    `moderate@balanced` ranks within each.
    """
    if centre not in CENTRES:
        raise unknown("value of moderate's 'centre'", centre, CENTRES)
    distance = np.zeros(len(labels))
    for members in (np.flatnonzero(labels == c) for c in range(num_classes)):
        if len(members):
            features = signals.features[members].astype(np.float64)
            distance[members] = np.linalg.norm(features - CENTRES[centre](features, axis=0), axis=1)
    return distance
