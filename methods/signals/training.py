"""Signals of the objective that a model is trained by, for dynamic methods.

The objective of one sample is a function of the logits z of its image and, where training attacks, of the logits z'
of an adversarial image: l(z, z'). Its gradients with respect to both say all that the last layer's gradient is made of,

    dl/dW = dl/dz (x) h + dl/dz' (x) h'

with h and h' the penultimate features (`features` is h). Each is the gradient of its own sample's objective, in
evaluation mode on un-augmented images, with every weight inside the objective (beta of TRADES) applied once. Training
that attacks nothing has dl/dz' = 0. So a method follows whatever objective there is and need not be told which.
"""

from typing import TYPE_CHECKING

from methods.signals import signal

if TYPE_CHECKING:  # torch is imported by whoever trains; listing the signals stays light
    from torch import Tensor


@signal("last_loss", view="training", shape="[N]")
def last_loss(last_loss: "Tensor") -> "Tensor":
    """The objective of each sample when it was last presented (training mode, augmented); log C before that."""
    return last_loss


@signal("clean_error", view="training", shape="[N, C]")
def clean_error(clean_error: "Tensor") -> "Tensor":
    """dl/dz: the gradient of a sample's objective with respect to the logits of its image."""
    return clean_error


@signal("attacked_error", view="training", shape="[N, C]")
def attacked_error(attacked_error: "Tensor") -> "Tensor":
    """dl/dz': the gradient with respect to the logits of its adversarial image; 0 where training attacks nothing."""
    return attacked_error


@signal("attacked_features", view="training", shape="[N, D]")
def attacked_features(attacked_features: "Tensor") -> "Tensor":
    """h': penultimate features of the adversarial image; those of the image where training attacks nothing."""
    return attacked_features
