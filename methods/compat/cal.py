"""CAL as in DeepCore (deepcore/methods/cal.py, `Cal.calc_kl` and `finish_run`): the other end of another divergence."""

import numpy as np

from methods.api import Floats, Signals
from methods.cal import log_probability, nearest_others
from methods.gradients import finite
from methods.registry import score


@score(
    "cal-deepcore",
    needs=("features", "probability"),
    keep="low",
    direction="easy",
    paper="arXiv:2109.03764",
    repeats="cal",
)
def cal_deepcore(signals: Signals, rng: np.random.Generator, *, k: int = 10) -> Floats:
    """Smallest mean divergence between a sample's prediction and those of its neighbours, symmetrised.

    Two faults: an ascending sort keeps the samples that agree with their neighbours, where the method is after those
    that contrast with them; and half the divergence is taken from the sample to the neighbour. The neighbours here are
    those of `cal`; the project takes them within the class, by a network trained on ImageNet.
    """
    features, p = finite(signals, "features"), finite(signals, "probability")
    log_p, divergence = log_probability(p), np.zeros(len(p))
    neighbours = nearest_others(features, min(k, len(p) - 1), rng)
    for n in neighbours.T:
        divergence += ((p[n] - p) * (log_p[n] - log_p)).sum(axis=1) / 2
    return divergence / max(1, neighbours.shape[1])
