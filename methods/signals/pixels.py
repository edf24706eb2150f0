"""The images themselves, for methods that train a network of their own."""

from typing import TYPE_CHECKING

from methods.signals import signal

if TYPE_CHECKING:  # torch is imported by whoever trains; listing the signals stays light
    from torch import Tensor


@signal("pixels", view="snapshot", shape="[N, ...]")
def pixels(x: "Tensor") -> "Tensor":
    """Un-augmented images in [0, 1], as large as the data set."""
    return x
