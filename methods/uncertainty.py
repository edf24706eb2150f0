"""Uncertainty of the trained proxy (Coleman et al. 2020, arXiv:1906.11829, section 3.1).

All from softmax outputs in evaluation mode after the last epoch, p_(1) >= p_(2) >= ... in order of size:

    least confidence   1 - p_(1)
    entropy            - sum_c p_c log p_c
    margin             p_(1) - p_(2)

Only the loss knows the label, and it is none of that section: to keep the samples of largest loss is older than any
source that could be named for it. The margin is given there from memory, not checked. Probabilities and not logits,
whose largest value says nothing of confidence.
"""

import numpy as np

from methods.api import Floats, Signals
from methods.registry import score


@score("least-confidence", needs="probability", keep="high", direction="hard", paper="arXiv:1906.11829")
def least_confidence(signals: Signals) -> Floats:
    """Least confident prediction: 1 - max_c p_c after the last epoch, from probabilities and not logits."""
    return 1 - signals.probability.astype("float64").max(axis=1)


@score("entropy", needs="probability", keep="high", direction="hard", paper="arXiv:1906.11829")
def entropy(signals: Signals) -> Floats:
    """Largest entropy of the softmax output after the last epoch, in nats."""
    from scipy.special import entr

    return entr(signals.probability.astype("float64")).sum(axis=1)


@score("margin", needs="probability", keep="low", direction="hard", paper="arXiv:1906.11829")
def margin(signals: Signals) -> Floats:
    """Smallest margin: the largest probability minus the second largest, whatever the label."""
    ascending = np.partition(signals.probability.astype("float64"), -2, axis=1)
    return ascending[:, -1] - ascending[:, -2]


@score("loss", needs="loss", keep="high", direction="hard", paper="none")
def loss(signals: Signals) -> Floats:
    """Largest cross-entropy after the last epoch."""
    return signals.loss[-1]
