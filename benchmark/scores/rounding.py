"""Scores in single precision that rank every sample as they did before."""

import numpy as np

from methods.api import Floats

MOST_STEPS = 4  # from the nearest float32, a relative error of 5e-7


def in_single(scores: Floats) -> Floats:
    """The scores in float32 with the same order and the same ties, [N]; in float64 where float32 is too coarse.

    Each distinct score goes to the nearest float32, and from there to the next ones while its lower neighbours hold
    those: no tie appears and no order changes, so that what is kept from either end, or within classes, is the same.
    """
    scores = np.asarray(scores, dtype=np.float64)
    distinct, place = np.unique(scores, return_inverse=True)
    with np.errstate(over="ignore"):
        nearest = _ordinal(distinct.astype(np.float32))
    turn = np.arange(len(distinct))
    strictly = np.maximum.accumulate(nearest - turn) + turn
    if (strictly - nearest > MOST_STEPS).any():
        return scores
    found = _float(strictly)
    return found[place] if np.isfinite(found).all() else scores


def _ordinal(values: Floats) -> np.ndarray:
    """The number of each float32 in their order, int64: neighbours differ by one, and 0 stands for both zeros."""
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits + 2**31))


def _float(ordinals: np.ndarray) -> Floats:
    bits = np.where(ordinals >= 0, ordinals, -ordinals - 2**31)
    return bits.astype(np.int32).view(np.float32)
