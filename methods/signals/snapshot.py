"""Signals of a snapshot: evaluation mode, un-augmented images, after each epoch."""

from typing import TYPE_CHECKING

from methods.signals import signal

if TYPE_CHECKING:  # torch is imported by whoever trains; listing the signals stays light
    from torch import Tensor


def error(logits: "Tensor", y: "Tensor") -> "Tensor":
    """e = p - onehot(y), the gradient of the cross-entropy with respect to the logits, [B, C]."""
    p = logits.softmax(dim=1)
    return p.scatter_add(1, y[:, None], p.new_full((len(y), 1), -1.0))


@signal("input_grad_norm", view="snapshot", shape="[T, N]")
def input_grad_norm(input_grad: "Tensor") -> "Tensor":
    """L2 norm over all pixels of the input gradient of one sample's cross-entropy (Ramesh et al. 2025)."""
    return input_grad.flatten(1).norm(dim=1)


@signal("loss", view="snapshot", shape="[T, N]")
def loss(logits: "Tensor", y: "Tensor") -> "Tensor":
    """Cross-entropy of each sample, in nats."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits, y, reduction="none")


@signal("error_norm", view="snapshot", shape="[T, N]")
def error_norm(logits: "Tensor", y: "Tensor") -> "Tensor":
    """L2 norm of p - onehot(y) (Paul et al. 2021, arXiv:2107.07075, definition 2.2)."""
    return error(logits, y).norm(dim=1)


@signal("last_layer_grad_norm", view="snapshot", shape="[T, N]")
def last_layer_grad_norm(logits: "Tensor", features: "Tensor", y: "Tensor") -> "Tensor":
    """Norm of the last layer's gradient, weight and bias: ||e|| sqrt(1 + ||h||^2), exact for a linear head."""
    return error(logits, y).norm(dim=1) * (1 + features.square().sum(dim=1)).sqrt()


@signal("probability", view="snapshot", shape="[N, C]")
def probability(logits: "Tensor") -> "Tensor":
    """Softmax outputs after the last epoch."""
    return logits.softmax(dim=1)


@signal("features", view="snapshot", shape="[N, D]")
def features(features: "Tensor") -> "Tensor":
    """Penultimate features after the last epoch."""
    return features
