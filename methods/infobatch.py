"""InfoBatch: unbiased dynamic data pruning (Qin et al. 2024, arXiv:2303.04947, ICLR).

Before each epoch t, with l_i the loss of sample i when it was last presented and m their mean over all samples,

    P(i is dropped) = r where l_i < m, else 0        (equation 3)
    weight of i     = 1 / (1 - r) where l_i < m and i is kept, else 1

so that the expected sum of weighted gradients over an epoch is that of all samples. From epoch delta E on nothing is
dropped (annealing): r = 0.5 and delta = 0.875, the authors' defaults.

As in the authors' code the share r of the samples below the mean is dropped as a number and not by N coins, the number
kept is rounded down, the comparison is strict, and no loss is known before the first epoch, which presents all. Weights
are used as they are, never scaled to mean 1: with fewer steps an epoch, each is to be as much longer.

The number of the equation is from memory, not checked; all else was read in the authors' repository.

Left open by the paper: the loss of an adversarial training. Here it is that training's own objective (TRADES: both
terms), which is what is minimised.
"""

import numpy as np

from methods.api import Coreset
from methods.dynamics import Presentations, TrainingContext
from methods.errors import CoresetBenchError, UsageError
from methods.registry import dynamic


@dynamic(
    "infobatch",
    needs="last_loss",
    direction="hard",
    stochastic=True,
    weighted=True,
    weighting="raw",
    own_budget=True,
    paper="arXiv:2303.04947",
)
def infobatch(
    context: TrainingContext, budget: Presentations, epoch: int, *, r: float = 0.5, delta: float = 0.875
) -> Coreset:
    """All samples but a random half of those with a loss below the mean, the kept half weighted twice.

    The loss is the one that training itself last saw, so it costs no pass. No share can be asked of it: it presents
    what it must, and stands at its measured presentations.
    """
    if not 0 <= r < 1:
        raise UsageError(f"The share 'r' that 'infobatch' drops is {r:g}; it must lie in [0, 1).")
    everyone, weights = context.rng.permutation(context.n), np.ones(context.n)
    if epoch + 1 > delta * budget.epochs:
        return Coreset(everyone, weights)
    losses = context.signals.last_loss.astype(np.float64)
    if not np.isfinite(losses).all():
        raise CoresetBenchError("'infobatch' met a loss that is NaN or infinite; lower the learning rate.")
    learned = losses[everyone] < losses.mean()
    below = np.flatnonzero(learned)
    kept = below[: int((1 - r) * len(below))]
    weights[kept] = 1 / (1 - r)
    present = ~learned
    present[kept] = True
    return Coreset(everyone[present], weights[present])
