"""RS2, repeated sampling of random subsets (Okanovic et al. 2024, arXiv:2305.18424), and the random of this track.

A fresh random subset of k = f N samples in every epoch, the schedule as long as the rounds. Two variants:

- with replacement over epochs (`cycle=False`): every epoch's draw is independent of the others;
- without (`cycle=True`): epochs take consecutive parts of a permutation of all N, and of a new one when it is used
  up. That is training on all data for f E epochs, cut into rounds: whatever does not beat it has selected nothing.

Left open by the paper: what happens when N is no multiple of k. The authors' code then fills a round from the start of
the same permutation; here it is filled from a new one, with none twice in a round, so that after any number of rounds
no sample has been presented two times more than another. Draws are uniform over all samples, not per class (the
authors' default).
"""

import numpy as np

from methods.api import Integers
from methods.dynamics import Presentations, TrainingContext
from methods.registry import dynamic


@dynamic("rs2", direction="any", stochastic=True, paper="arXiv:2305.18424")
def rs2(context: TrainingContext, budget: Presentations, epoch: int, *, cycle: bool = False) -> Integers:
    """A fresh random subset each epoch; with `cycle` none comes again before all others did.

    Reads nothing and costs nothing beside training.
    """
    if not cycle:
        return context.rng.permutation(context.n)[: budget.k]
    waiting = context.memory.get("waiting", np.empty(0, dtype=np.int64))
    if len(waiting) < budget.k:
        fresh = context.rng.permutation(context.n)
        late = np.isin(fresh, waiting)  # these are in the round already, and wait for the next one
        waiting = np.concatenate([waiting, fresh[~late], fresh[late]])
    context.memory["waiting"] = waiting[budget.k :]
    return waiting[: budget.k]
