"""What the scores of the built-in methods are measured in. Pixels are in [0, 1], logarithms natural."""

from collections.abc import Mapping

from methods.api import Scalar

_PROBABILITY, _MARGIN = "probability, 0 to 1", "difference of two probabilities, −1 to 1"
_INPUT_GRADIENT = "nats per unit of pixel value (L2 norm over pixels)"

UNITS = {
    "adv-margin": _MARGIN,
    "aign-hard": _INPUT_GRADIENT,
    "aum": "difference of two logits",
    "cal": "nats",
    "ccs": _MARGIN,
    "cld": "correlation, −1 to 1",
    "deepfool": "pixel values (L2 norm over pixels)",
    "dual": "probability, a deviation times a mean",
    "dyn-unc": "probability, a standard deviation",
    "easycore": _INPUT_GRADIENT,
    "el2n": "probability (L2 norm over classes), 0 to √2",
    "entropy": "nats",
    "forgetting": "events",
    "grand": "nats per unit of weight (L2 norm over weights)",
    "grand-last": "nats per unit of weight (L2 norm over weights)",
    "least-confidence": _PROBABILITY,
    "loss": "nats",
    "margin": _PROBABILITY,
    "moderate": "units of the features (L2 distance)",
    "pgd-steps": "steps",
    "prototypes": "1 − cosine, 0 to 2",
    "random": "uniform, 0 to 1",
    "slo-curves": _INPUT_GRADIENT,
    "tdds": "nats (L2 norm over presentations)",
    "vog": "standard deviations from the mean of the class",
}
_SQUARED = "(nats per unit of pixel value)² (squared L2 norm over pixels)"
_AFTER = {  # what a parameter makes of it
    ("easycore", "squared", True): _SQUARED,
    ("aign-hard", "squared", True): _SQUARED,
    ("aum", "outputs", "probabilities"): _MARGIN,
}


def unit(method: str, params: Mapping[str, Scalar]) -> str:
    """The unit of a method's score with these parameters; empty where it is not known."""
    changed = (_AFTER[method, name, value] for name, value in params.items() if (method, name, value) in _AFTER)
    return next(changed, UNITS.get(method, ""))
