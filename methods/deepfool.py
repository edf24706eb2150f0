"""DeepFool as a distance to the decision boundary (Ducoffe and Precioso 2018, arXiv:1802.09841).

    score(x) = || r(x) ||_2,  r(x) the DeepFool perturbation that changes the prediction for x

(Moosavi-Dezfooli et al. 2016, arXiv:1511.04599, algorithm 2), of the proxy after its last epoch, in pixels. The active
learner of the paper asks for the labels of the samples with the smallest perturbation: low is kept.

Left open by the paper: what of samples that are misclassified. DeepFool leaves the *predicted* class and never sees a
label, since the paper's pool has none, and so it is here: a mislabelled sample deep inside another class is far from
the boundary. As in the code of DeepFool's authors: the nine most probable other classes, 2 % of overshoot, at most 50
iterations, pixels not clipped to [0, 1]. What is still not across then gets the diameter of the pixel cube,
sqrt(number of pixels), so that no score is infinite.

Cost: some twenty to thirty backward passes of every image in most cases, once.
"""

from methods.api import Floats, Signals
from methods.registry import score


@score("deepfool", needs="deepfool_norm", keep="low", direction="hard", paper="arXiv:1802.09841")
def deepfool(signals: Signals) -> Floats:
    """Smallest DeepFool perturbation: nearest to the decision boundary."""
    return signals.deepfool_norm.astype("float64")
