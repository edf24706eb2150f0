"""Least number of PGD steps (Zhang et al. 2021, "Geometry-aware instance-reweighted adversarial training", ICLR).

    kappa(x, y) = min { t : argmax f(x_t) != y },  x_0 = x, x_t the t-th iterate of PGD on the cross-entropy

on the proxy after its last epoch. GAIRAT weighs samples with a small kappa more in adversarial training and selects
nothing: both ends are rows here. The default keeps the low end, which the paper calls important;
`pgd-steps@high` the one that it calls guarded.

Left open by the paper: what a proxy that was not trained adversarially makes of it (most samples fall in a step or
two), and how strong PGD is on other images than CIFAR-10's: see the signal `pgd_steps`, whose radius follows from the
model's normalisation. PGD starts at x, without the authors' random start. Their code counts the iterates that are
classified right, before the last; here it is the first wrong one, 11 if all ten steps fail. Twelve values for N
samples: most of the order among equals is drawn by the generator.

Cost: at most eleven forward and backward passes of every image, once.
"""

from methods.api import Floats, Signals
from methods.registry import score


@score("pgd-steps", needs="pgd_steps", keep="low", direction="hard", paper="arXiv:2010.01736")
def pgd_steps(signals: Signals) -> Floats:
    """Fewest PGD steps until misclassified; 0 where the image is wrong already."""
    return signals.pgd_steps.astype("float64")
