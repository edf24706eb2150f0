"""Error and gradient norms early in training (Paul et al. 2021, arXiv:2107.07075).

    EL2N(x) = E || p - onehot(y) ||_2                      definition 2.2
    GraNd(x) = E || d loss / d w ||_2                      definition 2.1

with the expectation over initialisations: the mean over `proxies` independent proxies (the paper averages 10), each
read once, early. The paper reads a fixed epoch (20 of 200); `at` is that share of the schedule, so that a short
proxy is read early too. GraNd at initialisation did not reproduce (Kirsch 2023, arXiv:2303.14753).
"""

import numpy as np

from methods.api import Floats, Signals
from methods.registry import score


def _mean_over_proxies(signals: Signals, name: str, at: float) -> Floats:
    return np.mean([getattr(proxy, name)[proxy.epoch(at)] for proxy in signals.proxies], axis=0, dtype=np.float64)


@score("el2n", needs="error_norm", keep="high", direction="hard", paper="arXiv:2107.07075")
def el2n(signals: Signals, *, proxies: int = 10, at: float = 0.1) -> Floats:
    """Largest error norm early in training, averaged over proxies."""
    return _mean_over_proxies(signals, "error_norm", at)


@score("grand", needs="grad_norm", keep="high", direction="hard", paper="arXiv:2107.07075")
def grand(signals: Signals, *, proxies: int = 10) -> Floats:
    """Largest gradient norm of the whole network early in training, averaged over proxies.

    Exact, of each sample's own loss in evaluation mode, after 10 % of the schedule: a gradient a sample is dear, so
    the signal is recorded there alone. Over all trainable parameters, batch norm's among them, without weight decay.
    """
    return np.mean([proxy.grad_norm.astype(np.float64) for proxy in signals.proxies], axis=0)


@score("grand-last", needs="last_layer_grad_norm", keep="high", direction="hard", paper="arXiv:2107.07075")
def grand_last(signals: Signals, *, proxies: int = 10, at: float = 0.1) -> Floats:
    """Largest gradient norm of the last layer early in training, averaged over proxies.

    The closed form of a linear head with a bias: ||p - onehot(y)|| sqrt(1 + ||h||^2). The norm of the whole
    network's gradient is `grand`.
    """
    return _mean_over_proxies(signals, "last_layer_grad_norm", at)
