"""GraNd as in DeepCore (deepcore/methods/grand.py, `GraNd.finish_run`): the gradient of a batch's mean loss."""

import numpy as np

from methods.api import Floats, Signals
from methods.registry import score


@score(
    "grand-deepcore",
    needs="last_layer_grad_norm",
    keep="high",
    direction="hard",
    paper="arXiv:2107.07075",
    repeats="grand-last",
)
def grand_deepcore(signals: Signals, *, proxies: int = 10, at: float = 0.1, batch: int = 256) -> Floats:
    """Largest gradient norm of the last layer, each divided by the size of the batch that the sample fell in.

    The fault: the loss is a mean over the batch, so every gradient in it is 1/B of the sample's own. Batches are taken
    in the order of the file, and the last one is smaller: its rows score higher by as much. `batch` is the project's
    default. The same loss stands in its Craig, GradMatch and Glister, where batches are cut within each class.
    """
    norms: list[Floats] = [proxy.last_layer_grad_norm[proxy.epoch(at)] for proxy in signals.proxies]
    score = np.asarray(np.mean(norms, axis=0, dtype=np.float64))
    starts = np.arange(0, len(score), batch)
    sizes = np.diff(np.append(starts, len(score)))
    return score / np.repeat(sizes, sizes)
