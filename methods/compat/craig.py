"""CRAIG as in DeepCore (deepcore/methods/craig.py, `Craig.calc_weights`): every weight is 1 too large."""

from methods.api import Budget, Context, Coreset
from methods.craig import craig
from methods.gradients import NEEDS
from methods.registry import subset


@subset(
    "craig-deepcore",
    needs=NEEDS,
    direction="any",
    nested=True,
    per_class=True,
    weighted=True,
    paper="arXiv:1906.01827",
    repeats="craig",
)
def craig_deepcore(context: Context, budget: Budget, *, gradient: str = "weights") -> Coreset:
    """The picks of `craig`, each weighted by how many samples it stands for and one more.

    The fault: counting starts from 1, although each pick is among the samples that it stands for. The weights sum to
    n + k, and small clusters count for too much.
    """
    chosen = craig(context, budget, gradient=gradient)
    return Coreset(chosen.indices, chosen.weights + 1, chosen.diagnostics)
