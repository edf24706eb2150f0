"""Low input curvature (Garg and Roy 2023, "Samples with low loss curvature improve data efficiency", CVPR).

    Curv(x) = 1/R sum_r || grad loss(x + h v_r) - grad loss(x) ||_2        v_r in {-1, 1}^pixels at random

with gradients in the image, of one sample's own loss, on the trained proxy in evaluation mode. R = 10 and h = 0.001
are the values of the authors' released code and of their later papers (arXiv:2402.18726, equation 14, squares the
norm and finds the ranking robust to both).

Selection only: the paper also trains with a penalty on the curvature, so its accuracies do not compare with these.
Averaging over epochs is a later work's measure of memorisation (Garg et al. 2023, arXiv:2307.05831).

Left open: the paper's own text was not at hand, and a public reproduction takes one direction a sample in place of
random ones, the sign of its gradient, as the paper's penalty does. Theirs is a step in normalised pixels, here in
[0, 1]; their code takes the mean loss of a batch, here each sample has its own. The directions are the same for all
samples of a proxy, so that none is luckier. One ranking over the whole set; `slo-curves@balanced` ranks within classes.
"""

from methods.api import Floats, Signals
from methods.registry import score


@score("slo-curves", needs="input_curvature", keep="low", direction="easy", paper="Garg and Roy, CVPR 2023")
def slo_curves(signals: Signals) -> Floats:
    """Lowest curvature of the loss around the image, after the last epoch."""
    return signals.input_curvature.astype("float64")
