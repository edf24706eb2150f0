"""ACS as in its authors' repository (dataselectionstrategy.py, `compute_gradients`): beta twice in TRADES' gradient."""

from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from methods.acs import acs
from methods.api import Coreset, Integers, Signals
from methods.dynamics import Presentations, TrainingContext
from methods.gradients import errors
from methods.registry import dynamic


class Doubled(Signals):
    """The signals of a training, those of the KL term multiplied by beta once more. Read when asked for."""

    def __init__(self, signals: Signals, labels: Integers, beta: float) -> None:
        super().__init__({}, signals.epochs)
        self._signals, self._labels, self._beta = signals, labels, beta

    def __getattr__(self, name: str) -> NDArray[Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        values: NDArray[Any] = getattr(self._signals, name)
        if name == "attacked_error":
            return self._beta * values
        if name == "clean_error":
            natural = errors(self._signals, self._labels)  # of the cross-entropy; the rest is the KL term's
            return natural + self._beta * (values - natural)
        return values


@dynamic(
    "acs-authors",
    needs=(*acs.info.needs, "probability"),
    direction="any",
    stochastic=True,
    weighted=True,
    weighting="batch",
    paper="arXiv:2209.05785",
    repeats="acs",
)
def acs_authors(
    context: TrainingContext,
    budget: Presentations,
    epoch: int,
    *,
    beta: float = 6.0,
    base: str = "craig",
    batch: int = 20,
    kappa: float = 0.6,
    every: float = 0.1,
) -> Coreset:
    """The choice of `acs` for beta^2 where training uses beta.

    The fault: the gradients of the KL term, beta in them already, are multiplied by beta again. Where training attacks
    nothing there is no such term, and no difference.
    """
    doubled = replace(context, signals=Doubled(context.signals, context.labels, beta))
    answer: Coreset = acs.function(doubled, budget, epoch, base=base, batch=batch, kappa=kappa, every=every)
    return answer
