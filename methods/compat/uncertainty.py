"""Least confidence as in DeepCore (deepcore/methods/uncertainty.py, `Uncertainty`): of logits, from the wrong end."""

from methods.api import Floats, Signals
from methods.registry import score


@score(
    "least-confidence-deepcore",
    needs="logits",
    keep="high",
    direction="easy",
    paper="arXiv:1906.11829",
    repeats="least-confidence",
)
def least_confidence_deepcore(signals: Signals) -> Floats:
    """The largest logit after the last epoch, of which the highest are kept: the most confident samples.

    Two faults. Without balance the ranking is read from its wrong end (with balance it is not: `@low+balanced`). And
    the largest logit stands for the largest probability, though it ranks otherwise: a softmax does not change with a
    constant added to all logits of a sample.
    """
    return signals.logits.astype("float64").max(axis=1)
