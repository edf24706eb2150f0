"""EasyCore: keep the samples whose loss is flattest in input space (Ramesh et al. 2025, arXiv:2510.11018).

    AIGN(x) = 1/T sum_t || d loss(f_t(x), y) / d x ||_2

with the L2 norm over all pixels, the loss of one sample (never a batch mean), and snapshots f_t of the proxy in
evaluation mode after each of T epochs. One ranking over the whole set: the paper names no per-class step.

Left open by the paper: whether the norm is squared (public summaries disagree). It is not by default; `squared`
turns it on. The gradient is taken per pixel in [0, 1], with normalisation inside the model.
"""

from methods.api import Floats, Signals
from methods.registry import score


def aign(signals: Signals, squared: bool) -> Floats:
    """Average input-gradient norm, [N]."""
    norms = signals.input_grad_norm.astype("float64")
    return (norms**2 if squared else norms).mean(axis=0)


@score("easycore", needs="input_grad_norm", keep="low", direction="easy", paper="arXiv:2510.11018")
def easycore(signals: Signals, *, squared: bool = False) -> Floats:
    """Lowest average input-gradient norm over the proxy's epochs."""
    return aign(signals, squared)


@score("aign-hard", needs="input_grad_norm", keep="high", direction="hard", paper="arXiv:2510.11018")
def aign_hard(signals: Signals, *, squared: bool = False) -> Floats:
    """Highest average input-gradient norm: EasyCore's contrast."""
    return aign(signals, squared)
