"""EL2N as in CCS (generate_importance_score.py, `EL2N`): a sum over the first ten epochs of the training step."""

import numpy as np

from methods.api import Floats, Integers, Signals
from methods.registry import score


@score("el2n-ccs", needs="online_logits", keep="high", direction="hard", paper="arXiv:2107.07075", repeats="el2n")
def el2n_ccs(signals: Signals, labels: Integers, *, epochs: int = 10) -> Floats:
    """Largest sum of error norms over the first ten epochs of one run, of augmented images in training mode.

    EL2N is read once, early, in evaluation mode on plain images, and averaged over ten runs. Ten epochs are the
    project's own number, of 200; on a shorter proxy they reach further into the schedule.
    """
    from scipy.special import softmax

    errors = softmax(signals.online_logits[:epochs].astype(np.float64), axis=2)
    errors[:, np.arange(len(labels)), labels] -= 1
    return np.linalg.norm(errors, axis=2).sum(axis=0)
