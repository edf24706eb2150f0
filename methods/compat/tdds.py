"""TDDS as in the baselines of DUAL's repository (exp_cifar/importance_evaluation.py, `tdds`): one window, of logits."""

import numpy as np

from methods.api import Floats, Signals
from methods.errors import CoresetBenchError
from methods.registry import score


@score("tdds-dual", needs="online_logits", keep="high", direction="any", paper="arXiv:2311.13613", repeats="tdds")
def tdds_dual(signals: Signals, *, window: int = 10) -> Floats:
    """What moves most unevenly over the first ten presentations, by logarithms of the logits that have one.

    Two faults. The loop over windows never moves them: all of them are the first, and the weights only scale it. And
    the softmax is left out: v_t = sum_c |z_t (log z_t - log z_{t-1})| over the logits z, of which those below zero
    have no logarithm and count 0.
    """
    logits = signals.online_logits[:window].astype(np.float64)
    if not np.isfinite(logits).all():
        raise CoresetBenchError("'tdds-dual' reads logits that are NaN or infinite; look at the proxy's training.")
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = np.diff(np.log(logits + 1e-8), axis=0)
    steps = np.abs(logits[1:] * np.nan_to_num(logs)).sum(axis=2)
    return np.linalg.norm(steps - steps.mean(axis=0), axis=0)
