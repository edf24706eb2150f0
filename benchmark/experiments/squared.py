"""Does it matter whether AIGN's norms are squared before they are averaged? Public summaries of the paper disagree."""

from collections.abc import Iterator

from benchmark.claims.measurement import Measurement
from benchmark.experiments.lab import RHO, Lab
from benchmark.experiments.ranks import shared_picks, spearman
from benchmark.experiments.scales import ANOTHER

PICKED = 0.3  # of the pool, from its easy end


def measured(lab: Lab) -> Iterator[Measurement]:
    """The two rankings and their picks, on each kind of proxy."""
    for proxy in (name for name in lab.proxies if name != ANOTHER):
        pairs = [(lab.aign(proxy, r), lab.aign(proxy, r, squared=True)) for r in lab.replicates]
        case = f"{proxy} proxy"
        yield lab.line("squared-norm", RHO, [spearman(a, b) for a, b in pairs], case=case, proxies=[proxy])
        picks = [shared_picks(a, b, PICKED) for a, b in pairs]
        yield lab.line(
            "squared-picks", "share", picks, case=case, proxies=[proxy], facts={"shared picks by chance": PICKED}
        )
