"""GradMatch as in DeepCore (deepcore/methods/gradmatch.py, `orthogonal_matching_pursuit_np`): a ridge that swamps."""

import numpy as np

from methods.api import Budget, Context, Coreset, Floats, Integers
from methods.gradients import NEEDS, LastLayer
from methods.policies import class_turns
from methods.registry import subset


@subset(
    "gradmatch-deepcore",
    needs=NEEDS,
    direction="any",
    per_class=True,
    weighted=True,
    paper="arXiv:2103.00123",
    repeats="gradmatch",
)
def gradmatch_deepcore(context: Context, budget: Budget, *, lam: float = 1.0, batch: int = 256) -> Coreset:
    """Orthogonal matching pursuit with a ridge of 1 on gradients of a batch's mean loss: nearly a plain top-k.

    Two faults. Gradients come as 1/B of each sample's own, their Gram matrix therefore as 1/B^2 of what it should be,
    and beside it the ridge is all that counts: the residual hardly moves, and each pick is the next largest inner
    product with the class mean. And negative weights are projected away after the last pick, so that fewer samples
    than asked come back; what is missing is drawn here by the generator at weight 0 (`returned` says how many came).
    B is the smaller of the class and the project's default batch. Its pursuit solves a k x k system for each pick.
    """
    turns = class_turns(np.bincount(context.labels, minlength=context.num_classes), budget.k, context.rng)
    shuffle = context.rng.permutation(context.n)
    labels, gradients = context.labels[shuffle], LastLayer.of(context.signals, context.labels)
    picks, weights = np.empty(budget.k, dtype=np.int64), np.zeros(budget.k)
    returned = 0
    for c in np.unique(turns):
        members, mine = shuffle[labels == c], np.flatnonzero(turns == c)
        own = gradients[members]
        own = LastLayer(own.errors / min(batch, len(members)), own.features)
        chosen, found = pursue(own, len(mine), lam)
        kept, rest = chosen[found > 0], np.setdiff1d(np.arange(len(members)), chosen[found > 0])
        filled = context.rng.permutation(rest)[: len(mine) - len(kept)]
        picks[mine] = members[np.append(kept, filled)]
        weights[mine[: len(kept)]] = found[found > 0]
        returned += len(kept)
    return Coreset(picks, weights if weights.any() else np.ones(budget.k), {"returned": returned})


def pursue(gradients: LastLayer, k: int, lam: float) -> tuple[Integers, Floats]:
    """k picks whose weighted gradients approach the mean one, and weights made non-negative at the end."""
    from scipy.optimize import nnls

    target = gradients.total(np.full(len(gradients), 1 / len(gradients)))
    wanted, residual = gradients.along(target), target
    picks: list[int] = []
    for _ in range(k):
        gain = gradients.along(residual)
        gain[picks] = -np.inf
        picks.append(int(np.argmax(gain)))
        within = gradients[picks]
        gram = within.inner(within) + (lam * np.eye(len(picks)) if len(picks) > 1 else 0)
        free = np.linalg.lstsq(gram, wanted[picks], rcond=None)[0]
        residual = target - within.total(free)
    weights = nnls(gram, wanted[picks])[0] if k > 1 else np.ones(k)
    return np.array(picks, dtype=np.int64), weights
