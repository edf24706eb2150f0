"""GLISTER (Killamsetty et al. 2021, AAAI, arXiv:2012.10630): train on what lowers the loss of a held-out part.

    S = argmin over |S| = k of L_V(theta_S),  theta_S = theta - eta sum_{j in S} g_j

greedily, by the first-order Taylor expansion of the held-out loss L_V around the step taken so far:

    gain(i | S) = < g_i, grad L_V(theta_S) >

theta is the last layer, weight and bias, after the proxy's last epoch. Its gradients have a closed form, and a step
moves the held-out logits exactly, z_m -= eta (h_m . h_j + 1) e_j, without a pass through the network. L_V is the mean
cross-entropy of the held-out part of train. The paper's text could not be reached: this follows its authors' code,
CORDS, and the formulas printed there.

The gradient of L_V is taken anew after every pick. Left at its first value, as in DeepCore (where a misspelt keyword
keeps the update from being called), the method is the plain top-k of < g_i, grad L_V(theta) >.

Left open by the paper, or decided otherwise here: three things.
- eta is 0.05, the learning rate of the authors' CIFAR-10 setting, which takes gradients of the bias alone. With those
of the weights a step grows with the square of the features' scale, so that eta is here relative to the mean of
||h||^2 + 1 over the held-out part: a pick with e = 1 moves the logits of a sample much like it by about eta.
- One ranking over all classes, as in that setting ("Supervised").
- Greedy over all candidates. The authors draw a random share of them for each pick.

Cost: M C D operations a pick for M held-out samples, and up to N C D for the candidates, most of which are ruled out
by a bound that never changes the answer; memory linear in N.
"""

from dataclasses import dataclass

import numpy as np

from methods.api import Budget, Context, Floats, HeldOut, Integers
from methods.errors import CoresetBenchError, UsageError
from methods.gradients import LastLayer, finite
from methods.registry import subset

FEW = 0.25  # the share of candidates worth looking at one by one; above it all of them are cheaper
ROUNDING = 1e-7  # of a gain and of its bound, as a share of the product of two norms


@subset(
    "glister",
    needs=("probability", "features", "select.features", "select.logits"),
    direction="hard",
    nested=True,
    paper="arXiv:2012.10630",
)
def glister(context: Context, budget: Budget, *, eta: float = 0.05) -> Integers:
    """Greedy: the sample whose last-layer gradient points most along that of the held-out loss, updated at each pick.

    Reads a held-out part of train, which other methods leave alone.
    """
    if not eta > 0:
        raise UsageError(f"glister's 'eta' is {eta:g}; give a step above 0, such as 0.05.")
    shuffle = context.rng.permutation(context.n)  # equal gains are decided by the generator
    gradients = LastLayer.of(context.signals, context.labels)[shuffle]
    return shuffle[greedy(gradients, Validation.of(context.held_out, eta), budget.k)]


@dataclass
class Validation:
    """The held-out part as the last layer takes steps.

    logits    z, [M, C]
    features  h, [M, D]
    labels    int64 [M]
    step      how far one unit of a gradient moves the last layer
    """

    logits: Floats
    features: Floats
    labels: Integers
    step: float

    @classmethod
    def of(cls, part: HeldOut | None, eta: float) -> "Validation":
        """As the proxy leaves it, in float64.

        Raises:
            CoresetBenchError: there are no held-out samples, or NaN or infinity in their signals.
        """
        if part is None or len(part.labels) == 0:
            raise CoresetBenchError("'glister' needs held-out samples, and there are none; hold some of train out.")
        logits, features = finite(part.signals, "logits"), finite(part.signals, "features")
        scale = 1 + np.einsum("md,md->m", features, features).mean()
        return cls(logits, features, part.labels, eta / float(scale))

    def gradient(self) -> Floats:
        """That of the mean cross-entropy, [C, D + 1]."""
        m = len(self.labels)
        errors = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        errors /= errors.sum(axis=1, keepdims=True)
        errors[np.arange(m), self.labels] -= 1
        return LastLayer(errors, self.features).total(np.full(m, 1 / m))

    def descend(self, pick: LastLayer) -> None:
        """A step down one sample's gradient."""
        self.logits -= self.step * np.outer(self.features @ pick.features[0] + 1, pick.errors[0])


def greedy(gradients: LastLayer, validation: Validation, k: int) -> Integers:
    """The first k picks.

    Since the last time that all gains were computed, the validation gradient has moved by some matrix. Along the mean
    of the held-out [h, 1], where it moves most, its product with g_i is followed for every i; the rest of it changes no
    gain by more than the product of two norms. Only those candidates are looked at that could be the best one under
    this bound.
    """
    lead = np.append(validation.features.mean(axis=0), 1)
    lead /= np.linalg.norm(lead)
    places = gradients.features @ lead[:-1] + lead[-1]  # of [h, 1] along it
    lengths = np.sqrt(gradients.squares())
    apart = np.linalg.norm(gradients.errors, axis=1) * places
    beyond = np.sqrt(np.maximum(lengths**2 - apart**2, 0))
    direction = validation.gradient()
    gains = gradients.along(direction)
    free, picks = np.ones(len(gradients), dtype=bool), np.empty(k, dtype=np.int64)
    for step in range(k):
        now = validation.gradient()
        moved = now - direction
        followed = moved @ lead
        near = gains + (gradients.errors @ followed) * places
        slack = beyond * np.linalg.norm(moved - np.outer(followed, lead))
        slack += ROUNDING * np.linalg.norm(now) * lengths
        candidates = np.flatnonzero(free & (near + slack >= (near - slack)[free].max()))
        if len(candidates) > FEW * len(gradients):
            direction, gains = now, gradients.along(now)
            candidates = np.flatnonzero(free)
            found = gains[candidates]
        else:
            found = gradients[candidates].along(now)
        picks[step] = best = candidates[np.argmax(found)]
        free[best] = False
        validation.descend(gradients[[best]])
    return picks
