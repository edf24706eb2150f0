"""Is AIGN a property of the data? Its rankings by two networks, and by a standard and a robust one, compared.

Two trainings of one network from different seeds rank alike only so far. That is the most that can be asked of two
networks, and stands beside them as a case of its own.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from benchmark.claims.measurement import Measurement
from benchmark.experiments.lab import RHO, Lab
from benchmark.experiments.ranks import shared_picks, spearman
from benchmark.experiments.scales import ROBUST, STANDARD
from methods.api import Floats

PICKED = 0.3  # of the pool, from its easy end


def measured(lab: Lab) -> Iterator[Measurement]:
    """Each other network against the standard proxy, another seed, and the robust proxy."""
    own = [lab.aign(STANDARD, r) for r in lab.replicates]
    if len(own) > 1:
        yield _compared(lab, "architectures", "the same network, another seed", own, [*own[1:], own[0]], [STANDARD])
    for network in lab.scale.networks:
        other = [lab.aign(network, r) for r in lab.replicates]
        yield _compared(lab, "architectures", network, own, other, [STANDARD, network])
    if ROBUST in lab.proxies:
        robust = [lab.aign(ROBUST, r) for r in lab.replicates]
        yield _compared(lab, "robust-proxy", "", own, robust, [STANDARD, ROBUST])


def _compared(
    lab: Lab, question: str, case: str, first: Sequence[Floats], second: Sequence[Floats], proxies: Sequence[str]
) -> Measurement:
    pairs = list(zip(first, second, strict=True))
    picks = float(np.mean([shared_picks(a, b, PICKED) for a, b in pairs]))
    facts = {"shared picks at 30 %": picks, "shared picks by chance": PICKED}
    return lab.line(question, RHO, [spearman(a, b) for a, b in pairs], case=case, proxies=proxies, facts=facts)
