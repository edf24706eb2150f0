"""Variance of gradients (Agarwal et al. 2022, "Estimating example difficulty using variance of gradients", CVPR).

    S_t(x) = d z_t[y] / d x            z the logits of the snapshot after epoch t, y the label
    V(x) = mean over pixels of var_t S_t(x)
    VoG(x) = ( V(x) - mean of V over the class of y ) / standard deviation of V over the class of y

arXiv:2008.11600, section 2. The paper ranks samples for inspection and proposes no coreset: keeping the highest is a
choice made here.

Left open by the paper: variance or, as in the authors' scripts, the standard deviation of each pixel (`spread="std"`).
Those scripts average the gradient over colour channels first; here each channel of a pixel counts. The paper looks at
a few checkpoints, early or late; here at the snapshot after each epoch, up to a share `at` of the schedule.
A class in which all V are equal scores 0.
"""

import numpy as np

from methods.api import Floats, Integers, Signals
from methods.errors import unknown
from methods.registry import score

SPREADS = ("variance", "std")  # in the order of the signal's last axis


@score("vog", needs="label_logit_variation", keep="high", direction="hard", paper="arXiv:2008.11600")
def vog(signals: Signals, labels: Integers, num_classes: int, *, spread: str = "variance", at: float = 1.0) -> Floats:
    """Largest variation of the input gradient of the label's logit over training, against the own class.

    Recording it keeps two images a sample in memory (1.2 GB for CIFAR) and costs a pass forward and back an epoch.
    """
    if spread not in SPREADS:
        raise unknown("value of vog's 'spread'", spread, SPREADS)
    variation = signals.label_logit_variation[signals.epoch(at), :, SPREADS.index(spread)].astype(np.float64)
    for members in (np.flatnonzero(labels == c) for c in range(num_classes)):
        if len(members):
            own = variation[members]
            variation[members] = (own - own.mean()) / own.std() if np.ptp(own) != 0 else 0.0
    return variation
