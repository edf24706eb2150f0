"""Is AIGN a property of the data? Its rankings by two networks, and by a standard and a robust one, compared.

Two trainings of one network from different seeds rank alike only so far. That is the most that can be asked of two
networks, and stands beside them as a fact. So does what each network has learnt, as the share of images of the pool
that it gets right: a network that learns little may rank otherwise for that reason alone.
"""

from collections.abc import Iterator

import numpy as np

from benchmark.claims.measurement import Fact, Measurement
from benchmark.experiments.lab import RHO, Lab
from benchmark.experiments.ranks import shared_picks, spearman
from benchmark.experiments.scales import ANOTHER, ROBUST, STANDARD

PICKED = 0.3  # of the pool, from its easy end


def measured(lab: Lab) -> Iterator[Measurement]:
    """Each other network against the standard proxy, and the robust proxy against it."""
    own = [lab.aign(STANDARD, r) for r in lab.replicates]
    ceiling = float(np.mean([spearman(a, lab.aign(ANOTHER, r)) for r, a in enumerate(own)]))
    compared = [("architectures", network, network) for network in lab.scale.networks]
    compared += [("robust-proxy", "", ROBUST)] if ROBUST in lab.proxies else []
    for question, case, proxy in compared:
        pairs = [(a, lab.aign(proxy, r)) for r, a in enumerate(own)]
        right = {name: float(np.mean([_right(lab, name, r) for r in lab.replicates])) for name in (STANDARD, proxy)}
        facts: dict[str, Fact] = {
            "rho of two seeds of the standard proxy": ceiling,
            "shared picks at 30 %": float(np.mean([shared_picks(a, b, PICKED) for a, b in pairs])),
            "shared picks by chance": PICKED,
            **{f"share right, {name} proxy": share for name, share in right.items()},
        }
        if proxy == ROBUST:
            facts["inner steps of TRADES"] = lab.proxies[ROBUST].recipe.inner_steps
        values = [spearman(a, b) for a, b in pairs]
        yield lab.line(question, RHO, values, case=case, proxies=[STANDARD, proxy], facts=facts)


def _right(lab: Lab, proxy: str, replicate: int) -> float:
    """The share of the judged images that the trained proxy gets right."""
    from benchmark.attacks import correct

    x, y, _ = lab.images(lab.judged)
    return float(correct(lab.network(proxy, replicate), x, y, batch_size=512).double().mean())
