"""Uncertainty of the trained proxy (Coleman et al. 2020, arXiv:1906.11829, section 3.1)."""

from methods.api import Floats, Signals
from methods.registry import score


@score("least-confidence", needs="probability", keep="high", direction="hard", paper="arXiv:1906.11829")
def least_confidence(signals: Signals) -> Floats:
    """Least confident prediction: 1 - max_c p_c after the last epoch, from probabilities and not logits."""
    return 1 - signals.probability.astype("float64").max(axis=1)


@score("loss", needs="loss", keep="high", direction="hard", paper="arXiv:1906.11829")
def loss(signals: Signals) -> Floats:
    """Largest cross-entropy after the last epoch."""
    return signals.loss[-1]
