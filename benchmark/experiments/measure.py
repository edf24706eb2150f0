"""Every experiment of a suite, one after another."""

from collections.abc import Callable, Iterator
from pathlib import Path

from benchmark.claims.measurement import Measurement
from benchmark.execution.estimate import ASK_ABOVE, spoken
from benchmark.experiments import agreement, boundary, free, learning, lemma, squared, vulnerability
from benchmark.experiments.boundary import PLANE
from benchmark.experiments.cost import seconds_left
from benchmark.experiments.lab import Lab
from benchmark.experiments.scales import scale_of
from benchmark.spec import load_suite
from benchmark.stages.trace import Report, unreported
from benchmark.store import Store


def measure(
    suite: str,
    replicates: int | None = None,
    device: str = "cpu",
    report: Report = unreported,
    *,
    store: Path = Path("store"),
    data: Path | None = None,
    confirm: Callable[[str], None] = lambda question: None,
) -> Iterator[Measurement]:
    """What is measured on that suite's data and proxies, or on points in the plane for the name "plane".

    Whatever takes long is kept in the store: stopped, it goes on where it was.

    Args:
        suite: the name of a suite, the path of its file, or "plane".
        replicates: proxies of each kind, each from a seed of its own (None: as many as the scale says).
        device: where they are trained and attacked.
        report: is told of the work done in training, in forward-equivalents.
        store: the folder of stage results.
        data: the folder of the data sets; see `benchmark.data.data_root`.
        confirm: is asked before work of more than ten minutes, and raises where the answer is no.

    Raises:
        CoresetBenchError: unknown suite, data that are not there, or a proxy that diverges.
    """
    if suite == PLANE:
        yield from boundary.measured(replicates or boundary.REPLICATES)
        return
    lab = make_lab(suite, replicates, device, report, store=store, data=data)
    seconds = seconds_left(lab)
    if seconds > ASK_ABOVE:
        confirm(f"Measuring on '{lab.suite.name}' needs about {spoken(seconds)}.")
    # Those of the standard proxy first: other networks, and robust ones, take the longest.
    for experiment in (learning, free, vulnerability, lemma, agreement, squared):
        yield from experiment.measured(lab)


def make_lab(
    suite: str,
    replicates: int | None = None,
    device: str = "cpu",
    report: Report = unreported,
    *,
    store: Path = Path("store"),
    data: Path | None = None,
) -> Lab:
    """The lab of a suite; arguments as for `measure`."""
    from benchmark.data import fingerprint
    from benchmark.execution.workers import set_up_device
    from benchmark.plan import Data
    from benchmark.stages.compute import Workshop

    set_up_device(device)
    spec = load_suite(suite)
    known = Data(spec.dataset, fingerprint(spec.dataset, data))
    workshop = Workshop(Store(store), spec.dataset, data, device, report=report)
    scale = scale_of(spec)
    return Lab(spec, scale, replicates or scale.replicates, known, workshop)
