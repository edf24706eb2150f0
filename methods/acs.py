"""ACS, adversarial coreset selection (Dolatabadi et al. 2022, arXiv:2112.00378, ECCV; extended arXiv:2209.05785).

CRAIG and GradMatch on the gradients of the objective that the model is trained by. For TRADES, with z the logits of an
image and z' those of its adversarial image, x' from the training's own attack on the model as it stands,

    l = CE(z, y) + beta KL(p(z) || p(z')),    g = dl/dz (x) [h, 1] + dl/dz' (x) [h', 1]

for the last layer, weight and bias: the sum over both passes, with beta where the objective has it and nowhere else
(the authors' code multiplies the KL's gradients by beta twice). For cross-entropy on adversarial images dl/dz is 0; and
where training attacks nothing this is CRAIG or GradMatch with a warm start. The signals `clean_error` and
`attacked_error` are these derivatives (`signals/training.py`), so the method need not know which objective it serves.

From the authors' code (run_train_TRADES.py, their CIFAR-10 configurations):
- batch-wise: the pool is divided at random into batches of 20, the gradient of a batch is the mean of its samples', and
  whole batches are picked, for the sum of all batches' gradients;
- warm start: what the first int(kappa E) rounds would present is spent on all data first; kappa = 0.6;
- re-selected every R = 20 of 200 epochs, here a share `every` of the schedule, and right after the warm start;
- losses, clean and KL term alike, are weighted and divided by the sum of the weights in the batch;
- CRAIG on gradients of the logits alone, GradMatch on weight and bias without a ridge.

Left open, or decided otherwise here: the warm start spends exactly its share, and its last epoch presents a random part
of the data (the authors round to whole epochs, which spends more or less than asked). Distances are Euclidean as in
CRAIG's paper (squared in the authors' code). The last of the picked batches is cut, so that a round has exactly f N
samples. The authors present the picked batches as they are, in which equal weights cancel; here a round is shuffled as
in every training, and they count. The schedule moves with what is presented: the authors' moves with the epoch's
number, also over epochs that present nothing. Without a warm start (kappa E < 1) the first R epochs present a random
subset. GradMatch has a ridge of 1e-6 of the mean squared norm, so that its system is never singular.
"""

import numpy as np

from methods.api import Coreset, Floats, Integers
from methods.craig import closeness, cluster_sizes
from methods.dynamics import Presentations, TrainingContext, rounds_between
from methods.errors import UsageError, unknown
from methods.gradients import LastLayer, finite
from methods.gradmatch import pursue
from methods.greedy import facility_location_order
from methods.registry import dynamic

RIDGE = 1e-6


@dynamic(
    "acs",
    needs=("clean_error", "attacked_error", "features", "attacked_features"),
    direction="any",
    stochastic=True,
    weighted=True,
    weighting="batch",
    paper="arXiv:2112.00378",
)
def acs(
    context: TrainingContext,
    budget: Presentations,
    epoch: int,
    *,
    base: str = "craig",
    batch: int = 20,
    kappa: float = 0.6,
    every: float = 0.1,
) -> Coreset:
    """CRAIG or GradMatch (`base`) over batches, on gradients of the training's own objective, after a warm start.

    Each refresh makes an adversarial image of every sample, where training attacks: about as dear as an epoch on all.
    Memory: the pairs of N / `batch` batches, and with GradMatch their gradients, C (D + 1) numbers each.
    """
    if base not in ("craig", "gradmatch"):
        raise unknown("value of acs's 'base'", base, ("craig", "gradmatch"))
    if not 0 <= kappa < 1 or batch < 1:
        raise UsageError(f"acs takes 0 <= kappa < 1 and batches of 1 or more, not kappa = {kappa:g}, batch = {batch}.")
    warm = int(kappa * budget.epochs + 1e-9) * budget.k
    if budget.spent < warm:
        everyone = context.rng.permutation(context.n)[: warm - budget.spent]
        return Coreset(everyone, np.ones(len(everyone)))
    if epoch == 0:
        context.memory["chosen"] = Coreset(context.rng.permutation(context.n)[: budget.k], np.ones(budget.k))
    elif (budget.spent - warm) // budget.k % rounds_between(every, budget) == 0:
        context.memory["chosen"] = chosen(context, budget.k, base, batch)
    held: Coreset = context.memory["chosen"]
    return held


def chosen(context: TrainingContext, k: int, base: str, size: int) -> Coreset:
    """k samples of the batches picked, in the order of picks, each with the weight of its batch."""
    count = -(-context.n // size)
    batches = np.array_split(context.rng.permutation(context.n), count)  # sizes differ by one at most
    wanted = min(count, -(-k // len(batches[-1])))
    gradients = batch_gradients(context, batches, logits_only=base == "craig")
    if base == "craig":
        picks = facility_location_order(closeness(gradients), wanted)
        weights = cluster_sizes(gradients, np.zeros(count, dtype=np.int64), picks)
    else:
        picks, weights = pursue(gradients, gradients.total(np.ones(count)), wanted, RIDGE)
    samples = np.concatenate([batches[pick] for pick in picks])[:k]
    each = np.repeat(weights, [len(batches[pick]) for pick in picks])[:k]
    return Coreset(samples, each if each.any() else np.ones(k), {"batches": wanted})


def batch_gradients(context: TrainingContext, batches: list[Integers], logits_only: bool) -> LastLayer:
    """The mean gradient of each batch's objective with respect to the last layer, as vectors beside an empty factor.

    [M, C] for the bias alone, which is the gradient of the logits; [M, C (D + 1)] with the weight.
    """
    clean, attacked = (finite(context.signals, name) for name in ("clean_error", "attacked_error"))
    vectors = means(clean + attacked, batches)
    if not logits_only:
        h, h_attacked = (finite(context.signals, name) for name in ("features", "attacked_features"))
        weight = [(clean[b].T @ h[b] + attacked[b].T @ h_attacked[b]).ravel() / len(b) for b in batches]
        vectors = np.hstack([vectors, np.stack(weight)])
    return LastLayer(vectors, np.empty((len(batches), 0)))


def means(values: Floats, batches: list[Integers]) -> Floats:
    """The mean over each batch, [M, ...]."""
    return np.stack([values[batch].mean(axis=0) for batch in batches])
