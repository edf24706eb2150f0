"""GradMatch (Killamsetty et al. 2021, "GRAD-MATCH", ICML, arXiv:2103.00123): few weighted gradients in place of all.

    minimise || sum_{i in S} w_i g_i - b ||^2 + lambda ||w||^2  over |S| = k and w >= 0

with b the sum of all gradients of a class, by orthogonal matching pursuit: the next pick has the largest inner product
with the residual b - sum w_i g_i, and after each pick all weights are solved anew. g_i is the last layer's gradient of
one sample's loss, weight and bias, after the proxy's last epoch. The paper's text could not be reached: this follows
its authors' code, CORDS, in its class-wise strategies.

There the target is a sum as well, so that the weights of a class grow with its size (a mean would give the same picks,
and weights that do not), and candidates are compared by their signed inner product. `own_row=True` is their
`PerClassPerGradient`: gradients of the row of the last layer that belongs to the class, and of no other.

Left open by the paper, or decided otherwise here: three things.
- lambda is `lam` times the mean ||g_i||^2 of the class. The authors' 0.5 (for CIFAR-10) is absolute: what it does
depends on the scale of the features, and on gradients divided by a batch's size it swamps the Gram matrix, so that the
residual never moves and the pursuit is a plain top-k.
- The weights are the exact minimum over w >= 0 at each step. The authors drop negative ones one by one, DeepCore
projects after the last pick.
- A pick whose weight falls to 0 stays one of the k, and may win weight back. Where no sample improves the fit any more,
the rest of the budget is filled in the order of the inner product with the residual, at weight 0. The authors add
random samples at weight 1.

Cost: N_c (C + D + k_c) operations a pick in a class of N_c with k_c picks, and the inverse Gram matrix of its picks;
k_c N_c numbers in memory, 0.5 GB at most.
"""

import numpy as np

from methods.api import Budget, Context, Coreset, Floats, Integers
from methods.errors import UsageError
from methods.gradients import NEEDS, LastLayer
from methods.policies import class_turns
from methods.registry import subset

ROUNDING = 1e-10  # an inner product this small a share of the largest one is 0
ROOM = 2**26  # numbers of the Gram matrix that are kept: 0.5 GB


@subset(
    "gradmatch",
    needs=NEEDS,
    direction="hard",
    nested=True,
    weighted=True,
    per_class=True,
    paper="arXiv:2103.00123",
)
def gradmatch(context: Context, budget: Budget, *, lam: float = 0.5, own_row: bool = False) -> Coreset:
    """Weighted samples whose last-layer gradients add up to those of their whole class.

    The picks of a smaller budget are the first of a larger one; their weights are not, they are solved for each.
    Each class gets picks in proportion to its size, and a class without a pick is not matched. Weights are raw.
    Diagnostics: `effective_size`, the picks of positive weight; `residual`, the share ||sum w_i g_i - b|| / ||b|| that
    is left, over all classes. Where every gradient is 0 there is nothing to match, and all picks weigh 1.
    """
    if not lam > 0:
        raise UsageError(f"gradmatch's 'lam' is {lam:g}; give a number above 0, such as 1e-6 for nearly no ridge.")
    turns = class_turns(np.bincount(context.labels, minlength=context.num_classes), budget.k, context.rng)
    shuffle = context.rng.permutation(context.n)  # equal inner products are decided by the generator
    labels, gradients = context.labels[shuffle], LastLayer.of(context.signals, context.labels)
    picks, weights = np.empty(budget.k, dtype=np.int64), np.empty(budget.k)
    missed = wanted = 0.0
    for c in range(context.num_classes):
        members, mine = shuffle[labels == c], np.flatnonzero(turns == c)
        own = gradients[members]
        if own_row:
            own = LastLayer(own.errors[:, [c]], own.features)
        target = own.total(np.ones(len(own)))
        first, weights[mine] = pursue(own, target, len(mine), lam)
        picks[mine] = members[first]
        missed += np.square(target - own[first].total(weights[mine])).sum()
        wanted += np.square(target).sum()
    residual = float(np.sqrt(missed / wanted)) if wanted else 0.0
    diagnostics = {"effective_size": int((weights > 0).sum()), "residual": residual}
    return Coreset(picks, weights if weights.any() else np.ones(budget.k), diagnostics)


def pursue(gradients: LastLayer, target: Floats, k: int, lam: float) -> tuple[Integers, Floats]:
    """The first k picks in their order and their weights: non-negative orthogonal matching pursuit of the target.

    Inner products with the residual are those with the target less the sum of w_i <g_i, g_j>, so that a pick costs a
    row of the Gram matrix, and no residual is ever built (batch OMP, Rubinstein et al. 2008). Rows are kept as long as
    there is room; the gradients of later picks are added up.
    """
    if k == 0:
        return np.empty(0, dtype=np.int64), np.empty(0)
    wanted = gradients.along(target)
    zero = ROUNDING * np.abs(wanted).max()
    fit = Fit(wanted, lam * gradients.squares().mean(), k)
    kept = np.empty((min(k, ROOM // len(gradients)), len(gradients)))
    picks: list[int] = []
    picked = np.zeros(len(gradients), dtype=bool)
    while True:
        early, late = picks[: len(kept)], picks[len(kept) :]
        gain = wanted - fit.weights[early] @ kept[: len(early)]
        if late:
            gain -= gradients.along(gradients[late].total(fit.weights[late]))
        again = np.where(picked & (fit.weights == 0), gain, -np.inf)
        if again.max() > zero:  # a pick that lost its weight is worth some again
            best = int(np.argmax(again))
            fit.add(best, gradients[[best]].inner(gradients)[0])
            continue
        if len(picks) == k:
            break
        gain[picked] = -np.inf
        best = int(np.argmax(gain))
        if gain[best] <= zero:  # nothing reduces the residual any more, which therefore stays as it is
            picks += np.argsort(-gain, kind="stable")[: k - len(picks)].tolist()
            break
        row = gradients[[best]].inner(gradients)[0]
        kept[len(picks) : len(picks) + 1] = row
        picks.append(best)
        picked[best] = True
        fit.add(best, row)
    return np.array(picks), fit.weights[picks]


class Fit:
    """The weights w >= 0 that minimise || sum w_i g_i - b ||^2 + ridge ||w||^2 over the samples added so far.

    Lawson and Hanson's active set (1974), one sample at a time: whoever would get a negative weight is left out. The
    inverse of (Gram + ridge) over the samples in is kept up to date, as one comes or goes, by a rank-one change.
    """

    def __init__(self, wanted: Floats, ridge: float, room: int) -> None:
        self._wanted, self._ridge = wanted, ridge  # wanted: <g_i, b>
        self._within: list[int] = []
        self._inverse = np.empty((room, room))  # its upper left corner is in use; memory is taken as it is written
        self.weights = np.zeros(len(wanted))

    def add(self, sample: int, products: Floats) -> None:
        """Lets in a sample whose gradient has a positive inner product with the residual, given those with all."""
        size, cross = len(self._within), products[self._within]
        inverse, weights = self._inverse[:size, :size], self.weights[self._within]
        moved = inverse @ cross
        pivot = 1 / (products[sample] + self._ridge - cross @ moved)
        share = pivot * (self._wanted[sample] - cross @ weights)
        inverse += np.outer(pivot * moved, moved)
        self._inverse[size, :size] = self._inverse[:size, size] = -pivot * moved
        self._inverse[size, size] = pivot
        self._within.append(sample)
        self._settle(np.append(weights, 0.0), np.append(weights - share * moved, share))

    def _settle(self, feasible: Floats, free: Floats) -> None:
        """From feasible weights towards the free minimum, as far as all stay positive; whoever falls to 0 goes."""
        self.weights[:] = 0
        while (free < 0).any():
            falling = np.flatnonzero(free < 0)
            steps = feasible[falling] / (feasible[falling] - free[falling])
            first = int(np.argmin(steps))
            feasible += steps[first] * (free - feasible)
            free, feasible = self._without(int(falling[first]), free, feasible)
        self.weights[self._within] = free

    def _without(self, place: int, free: Floats, feasible: Floats) -> tuple[Floats, Floats]:
        """Takes out a sample; the last one moves to its place."""
        size = len(self._within)
        inverse = self._inverse[:size, :size]
        column = inverse[:, place].copy()
        free = free - column * (free[place] / column[place])
        inverse -= np.outer(column / column[place], column)
        inverse[place], self._within[place] = inverse[-1], self._within[-1]
        inverse[:, place] = inverse[:, -1]
        free[place], feasible[place] = free[-1], feasible[-1]
        self._within.pop()
        return free[:-1], feasible[:-1]
