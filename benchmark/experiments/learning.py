"""Are easy samples learnt early, and do they lie near the centre of their class?

Learning is watched at the presentations of the training itself (augmented, in training mode); features are those of
the trained proxy.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from benchmark.claims.measurement import Measurement
from benchmark.experiments.lab import RHO, Lab
from benchmark.experiments.ranks import spearman, spearman_within
from benchmark.experiments.scales import STANDARD
from methods.api import Floats


def first_right(correct: ArrayLike) -> Floats:
    """The epoch, from 1, in which each sample was first right, [N] from bool [T, N]; T + 1 where it never was."""
    hits = np.asarray(correct, dtype=bool)
    return np.where(hits.any(axis=0), hits.argmax(axis=0) + 1, len(hits) + 1).astype(np.float64)


def last_wrong(correct: ArrayLike) -> Floats:
    """The epoch, from 1, in which each sample was last wrong, [N]; 0 where it never was."""
    misses = ~np.asarray(correct, dtype=bool)
    return np.where(misses.any(axis=0), len(misses) - misses[::-1].argmax(axis=0), 0).astype(np.float64)


def centre_distance(features: ArrayLike, labels: ArrayLike) -> Floats:
    """The Euclidean distance of each sample's features from the mean of its class, [N]."""
    points, classes = np.asarray(features, dtype=np.float64), np.asarray(labels)
    distance = np.zeros(len(points))
    for label in np.unique(classes):
        own = points[classes == label]
        distance[classes == label] = np.linalg.norm(own - own.mean(axis=0), axis=1)
    return distance


def measured(lab: Lab) -> Iterator[Measurement]:
    """When samples are learnt, and how far from their centres they lie, each against AIGN."""
    shown = [lab.signals(STANDARD, r) for r in lab.replicates]
    hardness = [lab.aign(STANDARD, r) for r in lab.replicates]
    loss = [signals["loss"].mean(axis=0) for signals in shown]
    correct = [signals["correct"] for signals in shown]
    distance = [centre_distance(signals["features"], lab.labels) for signals in shown]
    for case, epoch in (("first right", first_right), ("last wrong", last_wrong)):
        epochs = [epoch(each) for each in correct]
        facts = {"rho of the mean loss instead": _mean(loss, epochs), "mean epoch": float(np.mean(epochs))}
        yield lab.line("learnt-early", RHO, list(map(spearman, hardness, epochs)), case=case, facts=facts)
    within = [spearman_within(a, d, lab.labels) for a, d in zip(hardness, distance, strict=True)]
    facts = {"rho of the mean loss instead": _mean(loss, distance), "rho within classes": float(np.mean(within))}
    yield lab.line("class-centre", RHO, list(map(spearman, hardness, distance)), facts=facts)


def _mean(first: list[Floats], second: list[Floats]) -> float:
    return float(np.mean(list(map(spearman, first, second))))
