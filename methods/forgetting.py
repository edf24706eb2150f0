"""Forgetting events (Toneva et al. 2019, arXiv:1812.05159, algorithm 1)."""

import numpy as np

from methods.api import Floats, Signals
from methods.registry import score


@score("forgetting", needs="correct", keep="high", direction="hard", paper="arXiv:1812.05159")
def forgetting(signals: Signals) -> Floats:
    """Most often forgotten: classified right at one presentation and wrong at the next.

    A sample that was never right counts as most forgettable (the paper's infinity, here T). Ties are many and are
    broken by the generator, never by array order.
    """
    correct = signals.correct.astype(bool)
    events = (correct[:-1] & ~correct[1:]).sum(axis=0)
    return np.where(correct.any(axis=0), events, len(correct)).astype(np.float64)
