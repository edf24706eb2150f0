"""DUAL: difficulty and uncertainty, early (Cho et al. 2025, arXiv:2502.06905).

    DUAL(x) = mean over windows of std(p_t[y]) (1 - mean(p_t[y]))

with p_t[y] the probability of the label at the t-th presentation (training mode, augmented), windows of `window`
(J = 10) consecutive presentations that slide by one, the unbiased standard deviation, and the presentations of the
first share `at` of the proxy's schedule alone: 30 epochs of 200 on CIFAR, 60 of 90 on ImageNet (`at=0.667`).

The policy `beta` then draws without replacement with probability in proportion to

    DUAL(x) Beta(p; a, b),   b = 15 (1 - m) (1 - r^c),   a = 16 - b,

p the sample's mean p_t[y] over the share `seen` of the schedule (in the paper the same as `at`), r the share that is
pruned and m the mean p of the ten highest scores. Published c: CIFAR-100 4, ImageNet 11 (behaapyy/dual-pruning),
CIFAR-10 5.5 (from memory, not checked); `table="paper"` takes them by the number of classes, `table="default"` is
c = 5, and a `c` that is not negative overrides both. It sets c alone: with ImageNet's, or with another `at`, give `at`
and the policy's `seen` the same share. `dual@high` keeps the highest scores, without the draw. The
paper draws so from other scores too (from memory, not checked), and so may any score here: `el2n@beta`.

Left open by the paper: p of exactly 0 or 1, where the density may be infinite (held 1e-6 away); fewer samples of
positive score than the budget (filled with those of score zero); schedules whose share is shorter than the window
(one window of all of it, two presentations at least). A helper in the authors' repository has r^(c + 2); the code
that runs, and the paper, have r^c.
"""

import numpy as np

from methods.api import Floats, Signals
from methods.errors import UsageError
from methods.registry import score


@score("dual", needs="label_probability", keep="high+beta", direction="any", paper="arXiv:2502.06905")
def dual(signals: Signals, *, at: float = 0.15, window: int = 10) -> Floats:
    """Hard and uncertain early in training, drawn with a leaning to easy samples that grows with the share pruned."""
    if window < 2:
        raise UsageError(f"A window of {window} epochs has no deviation; take two at least.")
    p = signals.label_probability[: max(2, signals.epoch(at) + 1)]
    if len(p) < 2:
        return 0 * p[0]  # one presentation does not vary, and what is not finite stays so
    length = min(window, len(p))
    windows = [p[t : t + length].astype(np.float64) for t in range(len(p) - length + 1)]
    return np.mean([w.std(axis=0, ddof=1) * (1 - w.mean(axis=0)) for w in windows], axis=0)
