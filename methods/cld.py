"""Correlation of loss differences (Nagaraj et al. 2025, arXiv:2508.20230).

    CLD(x) = Pearson correlation over t of  l_{t+1}(x) - l_t(x)  with  L_{t+1}(y) - L_t(y)

with l the loss of a training sample, L(c) the mean loss of the held-out samples of class c, and snapshots in
evaluation mode after each epoch. Differences: raw trajectories all fall, and so all correlate. The highest of each
class are kept. The held-out part is `select`, apart from test data and from what recipes are tuned on.

Left open by the paper: a trajectory without any change has no correlation and scores 0, as does every sample of a
proxy of two epochs or fewer; a class without held-out samples is compared with the mean of all of them. The paper
starts at the initial weights, here the first snapshot is the one after the first epoch.
"""

import numpy as np

from methods.api import Floats, HeldOut, Integers, Signals
from methods.registry import score


@score("cld", needs=("loss", "select.loss"), keep="high+balanced", direction="any", paper="arXiv:2508.20230")
def cld(signals: Signals, labels: Integers, num_classes: int, held_out: HeldOut) -> Floats:
    """Highest correlation of a sample's loss changes with those of its class in the held-out part, per class.

    Neither the easy nor the hard end: what is learnt when its class is. Mislabelled samples correlate least.
    """
    differences = np.diff(signals.loss.astype(np.float64), axis=0)
    others = np.diff(held_out.signals.loss.astype(np.float64), axis=0)
    score = np.zeros(len(labels))
    for c in range(num_classes):
        members, theirs = labels == c, held_out.labels == c
        reference = others[:, theirs if theirs.any() else slice(None)].mean(axis=1)
        score[members] = correlation(differences[:, members], reference)
    return score


def correlation(columns: Floats, reference: Floats) -> Floats:
    """Pearson correlation of each column of [T, n] with [T]; 0 where either is constant."""
    score = np.zeros(columns.shape[1])
    if len(reference) < 2 or np.ptp(reference) == 0:
        return score
    varying = np.ptp(columns, axis=0) != 0
    columns, reference = columns - columns.mean(axis=0), reference - reference.mean()
    lengths = np.linalg.norm(columns, axis=0) * np.linalg.norm(reference)
    return np.divide(reference @ columns, lengths, out=score, where=varying)
