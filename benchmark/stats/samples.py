"""What every estimate and test starts from: checked samples, differences, standard deviations, quantiles."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

CONFIDENCE = 0.95
MIN_REPLICATES = 3  # below it the t interval is wider than anything it could tell apart
ROUNDING = 1e-12  # relative: smaller differences come from the order of summation


def checked(values: ArrayLike, what: str, axes: int = 1) -> Floats:
    """Finite float64 with so many axes, none of them empty.

    Raises:
        ValueError: otherwise; `what` says in words what was needed.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != axes or array.size == 0 or not np.isfinite(array).all():
        raise ValueError(f"{what}, got {array!r}")
    return array


def differences(first: ArrayLike, second: ArrayLike) -> Floats:
    """`first - second`, replicate by replicate; what is within rounding is 0.

    Raises:
        ValueError: the two do not have the same replicates, or a value is not finite.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired values need the same replicates, got {a.shape} and {b.shape}")
    needed = "an estimate needs one finite value for each replicate"
    return without_rounding(checked(a, needed), checked(b, needed))


def without_rounding(a: Floats, b: Floats) -> Floats:
    """`a - b` by broadcasting; 0 where the two agree but for rounding."""
    found: Floats = np.where(np.abs(a - b) <= ROUNDING * np.maximum(np.abs(a), np.abs(b)), 0.0, a - b)
    return found


def spread(sample: Floats, step: float) -> Any:
    """The standard deviation over the last axis (n - 1), at least that of rounding to `step`.

    Raises:
        ValueError: a step that is negative or not finite.
    """
    if not 0 <= step < math.inf:
        raise ValueError(f"a step between values is 0 or larger, got {step}")
    return np.maximum(sample.std(axis=-1, ddof=1), step / math.sqrt(12))


def probability(value: float, name: str) -> float:
    """`value`, if it lies strictly between 0 and 1.

    Raises:
        ValueError: otherwise.
    """
    if not 0 < value < 1:
        raise ValueError(f"a {name} lies between 0 and 1, got {value}")
    return value


def t_quantile(confidence: float, df: float) -> float:
    """The two-sided quantile of Student's t.

    Raises:
        ValueError: a confidence outside (0, 1).
    """
    probability(confidence, "confidence")
    from scipy.special import stdtrit  # imported where it is needed, for it takes long

    return float(stdtrit(df, (1 + confidence) / 2))


def t_p_values(sample: Floats, step: float) -> Floats:
    """Two-sided p of the one-sample t test against 0, over the last axis."""
    n = sample.shape[-1]
    if n < MIN_REPLICATES:
        return np.ones(sample.shape[:-1])
    from scipy.special import stdtr

    mean, error = sample.mean(axis=-1), spread(sample, step) / math.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        p: Floats = 2 * stdtr(n - 1, -np.abs(mean) / error)
    return np.where(mean == 0, 1.0, p)
