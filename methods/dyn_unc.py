"""Dynamic uncertainty (He et al. 2024, "Large-scale Dataset Pruning with Dynamic Uncertainty", arXiv:2306.05175).

    Dyn-Unc(x) = mean over windows of std(p_t[y] : t in the window)

with p_t[y] the probability of the label at the t-th presentation (training mode, augmented), windows of `window`
(J = 10) consecutive presentations that slide by one, and the unbiased standard deviation (equations 1 and 2 from
memory, not checked; window, deviation and mean as in BAAI-DCAI/Dataset-Pruning, which multiplies by 10 and leaves
the last epoch's window out).

No direction is stated: in long trainings the highest scores are of hard samples, in short ones of easy samples too,
whose probability rises within a window or two.

Left open by the paper: a training shorter than the window. It is one window of all its presentations here.
"""

import numpy as np

from methods.api import Floats, Signals
from methods.errors import UsageError
from methods.registry import score


@score("dyn-unc", needs="label_probability", keep="high", direction="any", paper="arXiv:2306.05175")
def dyn_unc(signals: Signals, *, window: int = 10) -> Floats:
    """Most uncertain over training: the label's probability varies most within windows of epochs."""
    if window < 2:
        raise UsageError(f"A window of {window} epochs has no deviation; take two at least.")
    p = signals.label_probability
    if len(p) < 2:
        return 0 * p[0]  # one presentation does not vary, and what is not finite stays so
    length = min(window, len(p))
    starts = range(len(p) - length + 1)
    return np.mean([p[t : t + length].std(axis=0, ddof=1, dtype=np.float64) for t in starts], axis=0)
