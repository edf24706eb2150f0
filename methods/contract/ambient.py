"""The global generators of Python, NumPy and torch, which no method may use."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def states() -> dict[str, Any]:
    """The state of each, by library, in values that compare."""
    import torch

    kind, keys, *rest = np.random.get_state()
    return {
        "Python": random.getstate(),
        "NumPy": (kind, np.asarray(keys).tobytes(), *rest),
        "torch": torch.get_rng_state().numpy().tobytes(),
    }


@contextmanager
def elsewhere() -> Iterator[None]:
    """Moves the global generators somewhere else for a while, and back."""
    import torch

    python, numpy, state = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(12345)
    np.random.seed(12345)
    torch.default_generator.manual_seed(12345)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(state)
