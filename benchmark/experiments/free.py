"""AIGN without a pass of its own: from the input gradients that the training step's backward pass gives on its way.

The step has a mean loss, so a gradient is scaled by the size of its batch. It differs from AIGN in all else: the
network is in training mode, where batch norm lets the others of a batch into each gradient; the image is the augmented
one; and each sample is seen once an epoch, somewhere between two snapshots.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.claims.measurement import Measurement
from benchmark.experiments.lab import RHO, Lab
from benchmark.experiments.ranks import shared_picks, spearman
from benchmark.experiments.scales import STANDARD
from benchmark.stages.trace import Report, Reporter

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.data import Dataset
    from benchmark.models.classifier import Classifier
    from benchmark.spec import Training
    from benchmark.store import Arrays

PICKED = 0.3  # of the pool, from its easy end


class InputGradients(Reporter):
    """Watches a training run and keeps the norm of each presentation's input gradient, [T, N], in pixels."""

    def __init__(self, model: "Classifier", n: int, epochs: int, report: Report, work: float) -> None:
        super().__init__(report, work)
        self.std = model.std
        self.norms = np.full((epochs, n), np.nan)
        self.inputs: Tensor | None = None
        self.hook = model.body.register_forward_pre_hook(self._keep)

    def _keep(self, module: Any, inputs: "tuple[Tensor, ...]") -> "tuple[Tensor, ...]":
        """The normalised images become a leaf, at which the step's own backward pass leaves its gradient."""
        self.inputs = inputs[0].detach().requires_grad_()
        return (self.inputs,)

    def step(self, epoch: int, ids: "Tensor", x: "Tensor", y: "Tensor", logits: "Tensor", features: "Tensor") -> None:
        assert self.inputs is not None  # the step has gone through the network, and back
        assert self.inputs.grad is not None
        gradient = self.inputs.grad.float() / self.std * len(ids)  # of a sum, per pixel in [0, 1]
        self.norms[epoch, ids.cpu().numpy()] = gradient.flatten(1).norm(dim=1).cpu().numpy()


def free_norms(
    data: "Dataset", training: "Training", seed: int, device: str, report: Report
) -> tuple[NDArray[np.float64], "Classifier"]:
    """Trains the proxy of that seed again, watched in this way; the norms [T, N] and the network."""
    import torch

    from benchmark.models import build
    from benchmark.randomness import derive_seed
    from benchmark.stages.train import train

    start = derive_seed("init", seed)
    model = build(training.model, data.num_classes, data.shape, data.mean, data.std, seed=start).to(device)
    n, recipe = len(data.train), training.recipe
    watch = InputGradients(model, n, recipe.epochs, report, n * recipe.work)
    train(model, data.train, torch.arange(n), recipe, seed, observer=watch)
    watch.hook.remove()
    return watch.norms, model


def measured(lab: Lab) -> Iterator[Measurement]:
    """The ranking by free gradients against AIGN, on the standard proxy."""
    pairs = [(lab.aign(STANDARD, r), _norms(lab, r).mean(axis=0)) for r in lab.replicates]
    picks = float(np.mean([shared_picks(a, b, PICKED) for a, b in pairs]))
    facts = {"shared picks at 30 %": picks, "shared picks by chance": PICKED}
    yield lab.line("free-aign", RHO, [spearman(a, b) for a, b in pairs], facts=facts)


def _norms(lab: Lab, replicate: int) -> NDArray[np.float64]:
    wanted, workshop = lab.trace(STANDARD, replicate), lab.workshop

    def compute() -> "Arrays":
        norms, _ = free_norms(workshop.data, wanted.training, wanted.seed, workshop.device, workshop.report)
        return {"norms": norms}

    return lab.kept(__file__, STANDARD, replicate, {}, compute)["norms"]
