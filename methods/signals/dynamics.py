"""Signals of how a training step's probabilities move: training mode, augmented images, at each presentation."""

from typing import TYPE_CHECKING

from methods.signals import signal
from methods.signals.recorder import Memory

if TYPE_CHECKING:  # torch is imported by whoever trains; listing the signals stays light
    from torch import Tensor


@signal("label_probability", view="online", shape="[T, N]")
def label_probability(logits: "Tensor", y: "Tensor") -> "Tensor":
    """The label's probability (He et al. 2024, arXiv:2306.05175; Cho et al. 2025, arXiv:2502.06905)."""
    return logits.float().softmax(dim=1).gather(1, y[:, None]).squeeze(1)


@signal("probability_shift", view="online", shape="[T, N]")
def probability_shift(logits: "Tensor", memory: Memory) -> "Tensor":
    """How far the probabilities moved since the last presentation (Zhang et al. 2024, arXiv:2311.13613).

    sum_c p_t[c] |log p_t[c] - log p_{t-1}[c]|, the softmax taken first; 0 at the first presentation. Only the last
    presentation's [N, C] log-probabilities are remembered.
    """
    now = logits.float().log_softmax(dim=1)
    before = memory.recall("log_probability")
    memory.keep("log_probability", now)
    return (now.exp() * (now - (now if before is None else before)).abs()).sum(dim=1)
