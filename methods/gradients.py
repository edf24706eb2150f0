"""Gradients of the last layer, one a sample, that are never written out.

The head is linear, z = W h + b, so that the gradient of one sample's cross-entropy with respect to (W, b) is an outer
product of two short vectors:

    g_i = e_i (x) [h_i, 1],  e = p - onehot(y)
    <g_i, g_j> = (e_i . e_j) (h_i . h_j + 1),  ||g_i|| = ||e_i|| sqrt(||h_i||^2 + 1)

Everything below is computed from the factors, N x (C + D), and never from N x C(D + 1). Each gradient is that of its
own sample's loss: a gradient of a mean over a batch would be divided by that batch's size.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from methods.api import Floats, Integers, Signals
from methods.errors import CoresetBenchError

NEEDS = ("probability", "features")


def finite(signals: Signals, name: str, dtype: DTypeLike = np.float64) -> Floats:
    """The signal of that name in float64, or in the precision that is asked for, where it may be the signal itself.

    Raises:
        CoresetBenchError: NaN or infinity in it.
    """
    values: Floats = getattr(signals, name)
    samples = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if len(samples):
        raise CoresetBenchError(
            f"The signal '{name}' is NaN or infinite for {len(samples)} of {len(values)} samples "
            f"(first: {samples[0]}); the proxy's training has diverged, lower its learning rate."
        )
    return values.astype(dtype, copy=dtype == np.float64)


def errors(signals: Signals, labels: Integers) -> Floats:
    """e = p - onehot(y) after the last epoch, [N, C]: the gradient of each sample's cross-entropy in its logits."""
    e = finite(signals, "probability")
    e[np.arange(len(labels)), labels] -= 1
    return e


@dataclass(frozen=True)
class LastLayer:
    """The last layer's gradient of each of n samples, by its two factors.

    errors    e, [n, C]
    features  h, [n, D], without the 1 that stands for the bias
    """

    errors: Floats
    features: Floats

    @classmethod
    def of(cls, signals: Signals, labels: Integers) -> "LastLayer":
        """Those of the proxy after its last epoch, in float64; reads the signals of `NEEDS`."""
        return cls(errors(signals, labels), finite(signals, "features"))

    def __len__(self) -> int:
        return len(self.errors)

    def __getitem__(self, samples: Any) -> "LastLayer":
        """Those of some samples: an array of indices, a mask or a slice."""
        return LastLayer(self.errors[samples], self.features[samples])

    def inner(self, other: "LastLayer") -> Floats:
        """Inner products <g_i, g_j> with every gradient of another, [n, m]."""
        return (self.errors @ other.errors.T) * (self.features @ other.features.T + 1)

    def squares(self) -> Floats:
        """Squared norms ||g_i||^2, [n]."""
        return np.einsum("nc,nc->n", self.errors, self.errors) * (
            np.einsum("nd,nd->n", self.features, self.features) + 1
        )

    def squared_distances(self, other: "LastLayer") -> Floats:
        """||g_i - g_j||^2 to every gradient of another, [n, m], never below 0."""
        squares = self.squares()[:, None] + other.squares() - 2 * self.inner(other)
        return np.maximum(squares, 0, out=squares)

    def total(self, weights: Floats) -> Floats:
        """The weighted sum of all gradients, [C, D + 1], the bias's last. A mean has the weights 1 / n."""
        weighted = self.errors * weights[:, None]
        return np.column_stack([weighted.T @ self.features, weighted.sum(axis=0)])

    def along(self, gradient: Floats) -> Floats:
        """Inner products of each sample's gradient with one of [C, D + 1], [n]."""
        seen = gradient[:, :-1] @ self.features.T + gradient[:, -1:]  # [C, n]: over D first, as C is smaller
        return np.einsum("cn,nc->n", seen, self.errors)
