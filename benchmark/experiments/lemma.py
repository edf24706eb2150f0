"""Lemma 1 of the EasyCore paper: the input gradients of a batch are bounded by the gradient of the weights.

    || grad_X l ||_F  <=  k_g || grad_w l ||,      k_g = || W1 ||_F || (X^T)^+ ||_F / s_P

for a network whose first layer is dense, A = W1 X + b with the images as the columns of X [d, n], and a loss that is
summed over the batch on both sides. Why it holds: with D = dl/dA [h, n], grad_X l = W1^T D and grad_W1 l = D X^T, so
grad_W1 l (X^T)^+ = D P with P = X^T (X^T)^+, and || D ||_F <= || D P ||_F / s_P, s_P being P's smallest singular value.

Left open by the public text, whose definition of P is cut off: this P is inferred, as the one with which that proof
goes through. It projects onto the span of X's rows, so s_P is 1 where the n images are linearly independent and
otherwise 0: then k_g is infinite and the bound says nothing. That is so whenever n > d. Which weights w means is open
as well: here the first layer's, the tighter choice and all that the proof uses. X is what the first layer sees, the
images less the mean over the deviation, and not the images themselves.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.claims.measurement import Fact, Measurement
from benchmark.experiments.lab import Lab
from benchmark.experiments.ranks import spearman
from benchmark.experiments.scales import STANDARD
from benchmark.randomness import derive_seed
from methods.errors import CoresetBenchError

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.models.classifier import Classifier
    from benchmark.store import Arrays


@dataclass(frozen=True)
class Sides:
    """Both sides for one batch. `right` is infinite where the images are linearly dependent."""

    left: float
    right: float

    @property
    def applies(self) -> bool:
        return bool(np.isfinite(self.right))

    @property
    def holds(self) -> bool:
        """Up to a rounding of float64."""
        return self.left <= self.right * (1 + 1e-9)

    @property
    def ratio(self) -> float:
        """How many times too large the bound is: 1 is tight."""
        return self.right / self.left if self.left else float("inf")


def sides(model: "Classifier", x: "Tensor", y: "Tensor") -> Sides:
    """Both sides for the batch x [n, C, H, W], in float64.

    Raises:
        CoresetBenchError: the network's first layer is not dense.
    """
    import torch
    from torch import nn
    from torch.nn.functional import cross_entropy

    exact = deepcopy(model).double().eval().requires_grad_(True)
    layers = list(exact.body.children())
    if len(layers) < 2 or not isinstance(layers[0], nn.Flatten) or not isinstance(layers[1], nn.Linear):
        raise CoresetBenchError("Lemma 1 is of networks whose first layer is dense; measure it on an 'mlp'.")
    weight = layers[1].weight
    inputs = ((x.double() - exact.mean) / exact.std).detach().requires_grad_()
    loss = cross_entropy(exact.head(exact.body(inputs)), y, reduction="sum")
    by_input, by_weight = torch.autograd.grad(loss, (inputs, weight))
    images = inputs.detach().flatten(1).cpu().numpy()
    constant = float(weight.detach().norm()) * inverse_norm(images)
    return Sides(float(by_input.norm()), constant * float(by_weight.norm()))


def inverse_norm(images: NDArray[np.float64]) -> float:
    """|| (X^T)^+ ||_F / s_P of the images, the rows of [n, d]: infinite where they are linearly dependent."""
    values = np.linalg.svd(images, compute_uv=False)
    n, d = images.shape
    independent = n <= d and values.min() > values.max() * max(n, d) * np.finfo(np.float64).eps
    return float(np.sqrt((values**-2.0).sum())) if independent else float("inf")


def measured(lab: Lab) -> Iterator[Measurement]:
    """How often the bound says anything, and how far off it is where it does, by the size of the batch."""
    proxy = STANDARD if lab.proxies[STANDARD].model == lab.scale.dense else lab.scale.dense
    found = [_batches(lab, proxy, r) for r in lab.replicates]
    dimension = int(np.prod(lab.workshop.data.shape))
    for column, size in enumerate(lab.scale.sizes):
        pairs = [zip(arrays["left"][column], arrays["right"][column], strict=True) for arrays in found]
        both = [[Sides(*pair) for pair in each] for each in pairs]
        applied = [[side for side in each if side.applies] for each in both]
        case = f"batch of {size}"
        facts: dict[str, Fact] = {"dimension": dimension, "batches": lab.scale.batches}
        shares = [len(some) / len(each) for some, each in zip(applied, both, strict=True)]
        yield lab.line("lemma-applies", "share", shares, case=case, proxies=[proxy], facts=facts)
        if all(len(each) > 1 for each in applied):
            broken = sum(not side.holds for each in applied for side in each)
            ratios = [float(np.median([side.ratio for side in each])) for each in applied]
            ranks = [spearman([side.left for side in each], [side.right for side in each]) for each in applied]
            facts = {
                **facts,
                "batches where it applies": sum(map(len, applied)),
                "batches where it is broken": broken,
                "rho of both sides over batches": float(np.mean(ranks)),
            }
            yield lab.line("lemma-tightness", "ratio", ratios, case=case, proxies=[proxy], facts=facts)


def _batches(lab: Lab, proxy: str, replicate: int) -> "Arrays":
    """Both sides for batches drawn from the pool, [sizes, batches] each."""
    scale, seed = lab.scale, derive_seed("experiments", "lemma", replicate)

    def compute() -> "Arrays":
        model, rng = lab.network(proxy, replicate), np.random.default_rng(seed)
        found = np.zeros((2, len(scale.sizes), scale.batches))
        for row, size in enumerate(scale.sizes):
            for batch in range(scale.batches):
                x, y, _ = lab.images(rng.permutation(len(lab.labels))[:size])
                both = sides(model, x, y)
                found[:, row, batch] = both.left, both.right
        return {"left": found[0], "right": found[1]}

    spec = {"sizes": list(scale.sizes), "batches": scale.batches, "seed": seed}
    return lab.kept(__file__, proxy, replicate, spec, compute)
