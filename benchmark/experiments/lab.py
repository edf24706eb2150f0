"""The proxies of a suite's experiments, and what is measured on them: each computed once and kept in the store."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.claims.measurement import Fact, Measurement
from benchmark.experiments.scales import STANDARD, Scale, proxies_of
from benchmark.plan import Data, Trace, make_trace
from benchmark.provenance import provenance
from benchmark.randomness import derive_seed
from benchmark.spec import Suite, Training
from benchmark.store import Arrays, Artifact, content_key
from methods.easycore import aign
from methods.sources import source_hash

if TYPE_CHECKING:
    from torch import Tensor

    from benchmark.models.classifier import Classifier
    from benchmark.stages.compute import Workshop
    from methods.api import Floats, Integers

RHO = "Spearman's rho"
SIGNALS = ("input_grad_norm", "loss", "correct", "features")  # of the standard proxy
OTHERS = SIGNALS[:1]  # of any other one
KIND, VERSION = "experiment", 1


class Lab:
    """The data and the proxies of one suite, in a number of replicates.

    The standard proxy of a replicate is the one that the suite's own runs train in it.
    """

    def __init__(self, suite: Suite, scale: Scale, replicates: int, data: Data, workshop: "Workshop") -> None:
        self.suite, self.scale, self.data, self.workshop = suite, scale, data, workshop
        self.replicates = range(replicates)
        self.proxies: dict[str, Training] = proxies_of(suite, scale)

    @cached_property
    def labels(self) -> "Integers":
        """Of the pool, [N]."""
        return self.workshop.data.train.labels.numpy()

    @cached_property
    def judged(self) -> "Integers":
        """The ids of the images that are attacked: drawn once, the same for every proxy and replicate."""
        rng = np.random.default_rng(derive_seed("experiments", "judged"))
        return np.sort(rng.permutation(len(self.labels))[: self.scale.images])

    def images(self, ids: "Integers") -> "tuple[Tensor, Tensor, Tensor]":
        """The images of the pool with these ids, their labels and the ids, un-augmented and all at once."""
        import torch

        return next(iter(self.workshop.data.train.batches(torch.from_numpy(ids), len(ids))))

    def trace(self, proxy: str, replicate: int) -> Trace:
        """The training of that proxy in that replicate."""
        training, seed = self.proxies[proxy], derive_seed("proxy", proxy, replicate, 0)
        return make_trace(self.data, training, seed, training.recipe.epochs, SIGNALS if proxy == STANDARD else OTHERS)

    def signals(self, proxy: str, replicate: int) -> dict[str, "Floats"]:
        """What the proxy showed, by name: [T, N] or [N, ...]."""
        return self.workshop.traced(self.trace(proxy, replicate))

    def aign(self, proxy: str, replicate: int, squared: bool = False) -> "Floats":
        """The average input-gradient norm of each sample, [N]."""
        from methods.api import Signals

        return aign(Signals(self.signals(proxy, replicate), self.proxies[proxy].recipe.epochs), squared)

    def network(self, proxy: str, replicate: int) -> "Classifier":
        """The trained proxy, in evaluation mode."""
        import torch

        from benchmark.models import build
        from benchmark.stages.trace import trace

        wanted, data, device = self.trace(proxy, replicate), self.workshop.data, self.workshop.device
        self.workshop.traced(wanted)
        kept = self.workshop.store.read("proxy", wanted.proxy.key)
        if kept is None:  # it was damaged: trained again, without any signal
            return trace(data, wanted.training, wanted.seed, wanted.until, [], device, self.workshop.report)[1]
        model = build(wanted.training.model, data.num_classes, data.shape, data.mean, data.std, seed=0)
        model.load_state_dict({name: torch.from_numpy(array) for name, array in kept.arrays.items()})
        return model.to(device).eval()

    def kept(
        self, source: str, proxy: str, replicate: int, spec: Mapping[str, Any], compute: Callable[[], Arrays]
    ) -> Arrays:
        """What an experiment measures on one proxy: from the store, or computed and stored.

        Its address holds the code of the module `source`, so that an edited one never meets what it computed before.
        """
        parents = {"proxy": self.trace(proxy, replicate).proxy.key}
        full = {"experiment": Path(source).stem, "source": source_hash(Path(source)), **spec}
        described = {"kind": KIND, "version": VERSION, "spec": full, "parents": parents}
        key = content_key(KIND, VERSION, full, parents)
        return self.workshop.store.get(KIND, key, described, lambda: Artifact(compute(), {})).arrays

    def line(
        self,
        question: str,
        unit: str,
        values: Sequence[float],
        *,
        case: str = "",
        proxies: Sequence[str] = (STANDARD,),
        pool: int | None = None,
        facts: Mapping[str, Fact] | None = None,
    ) -> Measurement:
        """A measurement with one value for each replicate, of these proxies; the first one's seeds stand for it."""
        traces = {f"{proxy}/{r}": self.trace(proxy, r) for proxy in proxies for r in self.replicates}
        spec = self.suite.dataset
        return Measurement(
            question=question,
            suite=self.suite.name,
            case=case,
            data=f"{spec.name}, {spec.train:,} images" if spec.train else spec.name,
            pool=pool or len(self.labels),
            model=" and ".join(dict.fromkeys(self.proxies[proxy].model for proxy in proxies)),
            seeds=tuple(traces[f"{proxies[0]}/{r}"].seed for r in self.replicates),
            unit=unit,
            values=tuple(map(float, values)),
            facts=dict(facts or {}),
            keys={name: trace.proxy.key for name, trace in traces.items()},
            provenance=provenance(self.workshop.device),
        )
