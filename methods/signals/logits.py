"""Raw outputs, before the softmax."""

from typing import TYPE_CHECKING

from methods.signals import signal

if TYPE_CHECKING:  # torch is imported by whoever trains; listing the signals stays light
    from torch import Tensor


@signal("logits", view="snapshot", shape="[N, C]")
def last_logits(logits: "Tensor") -> "Tensor":
    """Logits after the last epoch."""
    return logits


@signal("online_logits", view="online", shape="[T, N, C]")
def online_logits(logits: "Tensor") -> "Tensor":
    """Logits at each presentation."""
    return logits
