"""Uniform random selection: what every method has to beat."""

import numpy as np

from methods.api import Floats, Integers
from methods.registry import score


@score("random", needs=(), keep="low", direction="any", stochastic=True, paper="none")
def random(labels: Integers, rng: np.random.Generator) -> Floats:
    """Uniform without replacement.

    A score, so that `random@balanced` is uniform within each class with the classes' own shares: the control for
    rows under the policy `balanced`. Set methods that go class by class (herding, CRAIG, the submodular ones) round
    those shares in their own way, `policies.class_turns`: with classes of unequal size, or fewer picks than classes,
    counts differ by a pick or so. Random draws with a row's own counts are the nulls of a suite.
    """
    return rng.random(len(labels))
