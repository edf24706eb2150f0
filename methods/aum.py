"""Area under the margin (Pleiss et al. 2020, arXiv:2001.10528).

    AUM(x) = 1/T sum_t ( z_t[y] - max_{c != y} z_t[c] )     equation 1

over the presentations of training (training mode, augmented), z the logits. Code around CCS takes the same of
probabilities: `outputs="probabilities"`.
"""

from methods.api import Floats, Signals
from methods.errors import unknown
from methods.registry import score

SIGNAL = {"logits": "logit_margin", "probabilities": "probability_margin"}


@score("aum", needs=SIGNAL.values(), keep="low", direction="hard", paper="arXiv:2001.10528")
def aum(signals: Signals, *, outputs: str = "logits") -> Floats:
    """Smallest area under the margin: the labels that training contradicts most."""
    if outputs not in SIGNAL:
        raise unknown("value of aum's 'outputs'", outputs, SIGNAL)
    return getattr(signals, SIGNAL[outputs]).mean(axis=0, dtype="float64")
