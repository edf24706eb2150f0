"""Uniform random selection: what every method has to beat."""

import numpy as np

from methods.api import Floats, Integers
from methods.registry import score


@score("random", needs=(), keep="low", direction="any", stochastic=True, paper="none")
def random(labels: Integers, rng: np.random.Generator) -> Floats:
    """Uniform without replacement.

    A score, so that `random@balanced` is uniform within each class with the classes' own shares: the control for
    every balanced row.
    """
    return rng.random(len(labels))
