"""Probabilistic margin under attack (Liu et al. 2021, "Probabilistic margins for instance reweighting", NeurIPS).

    PM(x, y) = p_y(x') - max_{j != y} p_j(x'),  x' the last of ten iterates of PGD on the cross-entropy

the paper's PM-adv, on the proxy after its last epoch. MAIL weighs samples with a small margin more in adversarial
training and selects nothing: both ends are rows here. The default keeps the low end, the one that MAIL weighs most;
`adv-margin@high` keeps what stays right most surely.

Left open by the paper: how strong PGD is on other images than CIFAR-10's: see the signal `adversarial_margin`, whose
radius follows from the model's normalisation. PGD starts at x, without the authors' noise of 0.001. Margins are of
probabilities, as in the paper, and saturate at 1 and -1, where the generator decides.

Cost: ten forward and backward passes of every image, once.
"""

from methods.api import Floats, Signals
from methods.registry import score


@score("adv-margin", needs="adversarial_margin", keep="low", direction="hard", paper="arXiv:2106.07904")
def adv_margin(signals: Signals) -> Floats:
    """Smallest margin of probabilities under PGD."""
    return signals.adversarial_margin.astype("float64")
