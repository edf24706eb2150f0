"""Temporal dual-depth scoring (Zhang et al. 2024, CVPR, arXiv:2311.13613).

    v_t(x)  = sum_c p_t[c] |log p_t[c] - log p_{t-1}[c]|                      one presentation to the next
    TDDS(x) = sum over windows w of beta (1 - beta)^age(w) || v - mean v ||   v over the window's steps

with p the softmax output at each presentation (training mode, augmented). A window is J presentations, which are
J - 1 steps; windows slide by one over the first T presentations, the age of the last one is 0, and beta = `decay` =
0.9. The norm is L2 and not divided by the number of steps. The definition is that of the authors' code
(zhangxin-xd/Dataset-Pruning-TDDS); its logarithms add 1e-8 to p, which is left out here.

The authors tuned T and J for each pruning rate. `table="paper"` takes them for CIFAR-100, the only ones that could be
found, as shares of their 200 epochs: (T, J) = (90, 10), (70, 10), (60, 20), (20, 10), (10, 5) at 70, 50, 30, 20 and
10 % kept, the nearest of these. The first and the last are in the discussion of the authors' repository, the others
in behaapyy/dual-pruning, where the rates they belong to are read off their order. `table="default"` is one rule, that
of the authors' example: 30 of 200 epochs, windows of 10. `trajectory` (the share T of the schedule) and `window` (J),
where positive, override both.

No direction is stated: what moves most depends on how early the trajectory ends.

Left open by the paper: a trajectory shorter than the window, one window of all of it here; and schedules so short
that T is below three presentations, whose single step does not vary: T is three at least. By default that is every
proxy of up to 60 epochs: T is scaled with the schedule and J is not, so there is one window, in which `decay` does
nothing. At 20 epochs it holds two steps, and the score is 0.9 |v_2 - v_1| / sqrt(2). A row is charged for its proxy's
whole schedule, though it reads the first T presentations alone.

That the three middle pairs are of CIFAR-100 is assumed: the script that has them runs either data set.
"""

from collections.abc import Mapping

import numpy as np

from methods.api import Budget, Floats, Signals
from methods.errors import UsageError
from methods.registry import score
from methods.sampling import published

EXAMPLE = (30 / 200, 10)
PAPER: Mapping[int, Mapping[float, tuple[float, int]]] = {
    100: {0.7: (90 / 200, 10), 0.5: (70 / 200, 10), 0.3: (60 / 200, 20), 0.2: (20 / 200, 10), 0.1: (10 / 200, 5)}
}


@score("tdds", needs="probability_shift", keep="high", direction="any", nested=False, paper="arXiv:2311.13613")
def tdds(
    signals: Signals,
    num_classes: int,
    budget: Budget,
    *,
    table: str = "default",
    trajectory: float = 0.0,
    window: int = 0,
    decay: float = 0.9,
) -> Floats:
    """Probabilities that move most unevenly over the last epochs of a trajectory early in training."""
    share, length = published(PAPER, EXAMPLE, table, num_classes, budget.fraction)
    share, length = trajectory or share, window or length
    if not 0 < share <= 1:
        raise UsageError(f"The trajectory is the share {share} of the schedule; it must lie in (0, 1].")
    if length < 3:
        raise UsageError(f"A window of {length} epochs has no steps that could vary; take three at least.")
    if not 0 < decay <= 1:
        raise UsageError(f"The decay is {decay}; it must lie in (0, 1].")
    steps = signals.probability_shift[: max(3, signals.epoch(share) + 1)].astype(np.float64)[1:]
    if not len(steps):
        return 0 * signals.probability_shift[0]  # one presentation has no step, and what is not finite stays so
    inside = min(length - 1, len(steps))
    total = np.zeros(steps.shape[1])
    for last in range(inside, len(steps) + 1):
        seen = steps[last - inside : last]
        total = (1 - decay) * total + decay * np.linalg.norm(seen - seen.mean(axis=0), axis=0)
    return total
