"""Signals of the training step itself: training mode, augmented images, at each presentation."""

from typing import TYPE_CHECKING

from methods.signals import signal

if TYPE_CHECKING:  # torch is imported by whoever trains; listing the signals stays light
    from torch import Tensor


def label_minus_largest_other(values: "Tensor", y: "Tensor") -> "Tensor":
    """The value of the label minus the largest other value, [B]."""
    label = values.gather(1, y[:, None])
    return (label - values.scatter(1, y[:, None], float("-inf")).amax(dim=1, keepdim=True)).squeeze(1)


@signal("correct", view="online", shape="[T, N]", dtype="bool")
def correct(logits: "Tensor", y: "Tensor") -> "Tensor":
    """Whether the presentation was classified right (Toneva et al. 2019, arXiv:1812.05159)."""
    return logits.argmax(dim=1) == y


@signal("logit_margin", view="online", shape="[T, N]")
def logit_margin(logits: "Tensor", y: "Tensor") -> "Tensor":
    """The label's logit minus the largest other one (Pleiss et al. 2020, arXiv:2001.10528, eq. 1)."""
    return label_minus_largest_other(logits, y)


@signal("probability_margin", view="online", shape="[T, N]")
def probability_margin(logits: "Tensor", y: "Tensor") -> "Tensor":
    """The label's probability minus the largest other one: the margin of CCS (Zheng et al. 2023)."""
    return label_minus_largest_other(logits.softmax(dim=1), y)
