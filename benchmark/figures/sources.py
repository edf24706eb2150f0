"""What figures read from a run's store: signals of proxies, coresets, and the images themselves."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmark.execution.estimate import ASK_ABOVE, measured, spoken, trace_work
from benchmark.experiments.scales import STANDARD, proxies_of, scale_of
from benchmark.plan import Data, Selection, Trace, is_dynamic, make_selection, make_trace
from benchmark.randomness import derive_seed
from benchmark.spec import Row, Suite, Training
from benchmark.wording import counted
from methods.api import HELD_OUT, Context, Floats, Integers, Signals
from methods.easycore import aign
from methods.errors import CoresetBenchError, UsageError

if TYPE_CHECKING:
    from benchmark.data import Dataset
    from benchmark.stages.compute import Workshop

AIGN = ("input_grad_norm",)  # the signals that it is the mean of
THUMBNAIL = 32  # pixels: the longer side of a shown image, at most
REPLICATE = 0  # whose proxies and coresets are shown


class Missing(CoresetBenchError):
    """The store lacks what a figure needs, and the sentence says what makes it."""


@dataclass(frozen=True, eq=False)
class Source:
    """One suite's stages. `trace` lets proxies be trained and coresets be chosen that the store lacks."""

    suite: Suite
    data: Data
    workshop: "Workshop"
    trace: bool = False

    @cached_property
    def proxies(self) -> Mapping[str, Training]:
        """By name: the suite's standard one, the same recipe on other networks, and a robust one."""
        try:
            return proxies_of(self.suite, scale_of(self.suite))
        except UsageError:
            raise Missing(f"Suite '{self.suite.name}' has no standard proxy to show.") from None

    @property
    def dataset(self) -> "Dataset":
        """Raises Missing where the data are not there."""
        try:
            return self.workshop.data
        except CoresetBenchError as error:
            raise Missing(str(error)) from None

    @cached_property
    def labels(self) -> Integers:
        return self.dataset.train.labels.numpy()

    def note(self, proxy: str | None = STANDARD) -> str:
        """Data and size, and the proxy if there is one: no figure is read without its scale."""
        data = self.dataset
        text = f"{data.name}, N = {len(data.train):,} in {data.num_classes} classes"
        if proxy is not None:
            text += f", {self.proxies[proxy].model}, {self.proxies[proxy].recipe.epochs} epochs"
        return f"{text}, replicate {REPLICATE}."

    def signals(self, proxy: str, needs: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """The arrays of a proxy by need.

        Raises:
            Missing: the store lacks one of them.
        """
        return self._traced(self.trace_of(proxy, needs), proxy)

    def trace_of(self, proxy: str, needs: tuple[str, ...]) -> Trace:
        """The proxy's run in this replicate: the suite's own, where it has this proxy."""
        training, seed = self.proxies[proxy], derive_seed("proxy", proxy, REPLICATE, 0)
        return make_trace(self.data, training, seed, training.recipe.epochs, needs)

    def aign(self, proxy: str = STANDARD) -> Floats:
        """Average input-gradient norm, [N], as `easycore` reads it."""
        arrays = self.signals(proxy, AIGN)
        return aign(Signals(arrays, self.proxies[proxy].recipe.epochs), squared=False)

    def images(self, ids: Integers) -> NDArray[np.float32]:
        """Images of the pool as they are seen, [n, H, W, 3] in [0, 1]; large ones are made smaller."""
        import torch
        from torch.nn.functional import interpolate

        x = torch.cat([batch[0] for batch in self.dataset.train.batches(torch.from_numpy(np.asarray(ids)), 256)]).cpu()
        if x.shape[1] not in (1, 3):
            raise Missing(f"The data set '{self.dataset.name}' has no images to show.")
        if max(x.shape[2:]) > THUMBNAIL:
            x = interpolate(x, scale_factor=THUMBNAIL / max(x.shape[2:]), mode="area")
        return x.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).numpy()

    @cached_property
    def rows(self) -> list[Row]:
        """Those that choose a coreset once."""
        return [row for row in self.suite.rows if not is_dynamic(row)]

    def selection(self, row: Row) -> Selection:
        """The row's choice at the middle fraction."""
        return make_selection(self.data, self.suite, row, self.suite.middle, REPLICATE)

    def picks(self, row: Row) -> Integers:
        """Raises Missing where neither the coreset nor leave to choose it is there."""
        selection = self.selection(row)
        if not self.trace and not selection.coreset.done(self.workshop.store):
            raise Missing(f"The store lacks the coreset of '{row.name}'; {self._mend}")
        return self.workshop.coreset(selection).arrays["indices"]

    def score(self, row: Row) -> Floats | None:
        """What the row's method ranks samples by, [N]; None for one that ranks none, or reads held-out images."""
        selection = self.selection(row)
        method: Any = selection.method
        if getattr(method, "rule", None) is None or any(need.startswith(HELD_OUT) for need in method.info.needs):
            return None
        runs = [self._traced(trace, row.proxy) for trace in selection.traces] or [{}]
        epochs = selection.traces[0].training.recipe.epochs if selection.traces else 0
        others = tuple(Signals(arrays, epochs, asked_by=row.name) for arrays in runs[1:])
        signals = Signals(runs[0], epochs, asked_by=row.name, others=others)
        rng = np.random.default_rng(selection.seed)
        return np.asarray(method.score(Context(self.labels, self.dataset.num_classes, signals, rng)), dtype=np.float64)

    def prepare(self, wanted: Iterable[Trace], confirm: Callable[[str], None]) -> None:
        """Trains the proxies that the store lacks, each once for all that is read from it.

        `confirm` is asked before work of more than ten minutes, and raises where the answer is no.
        """
        joined: dict[str, Trace] = {}
        for trace in wanted:
            known = joined.get(trace.proxy.key, trace)
            joined[trace.proxy.key] = replace(trace, signals={**known.signals, **trace.signals})
        todo = [trace for trace in joined.values() if not trace.done(self.workshop.store)]
        data = self.dataset
        facts = {"pool": len(data.train), "select": len(data.select)}
        rates = {each: measured(each, data, self.workshop.device).training for each in {t.training for t in todo}}
        seconds = sum(trace_work(trace, facts) * rates[trace.training] for trace in todo)
        if seconds > ASK_ABOVE:
            confirm(f"Training {counted(len(todo), 'proxy')} needs about {spoken(seconds)}.")
        for trace in todo:
            self.workshop.traced(trace)

    def _traced(self, trace: Trace, proxy: str) -> dict[str, NDArray[Any]]:
        lacking = [need for need, stage in trace.signals.items() if not stage.done(self.workshop.store)]
        if lacking and not self.trace:
            raise Missing(f"The store lacks {', '.join(lacking)} of the proxy '{proxy}'; {self._mend}")
        return self.workshop.traced(trace)

    @property
    def _mend(self) -> str:
        return f"record it with `coreset-bench figures {self.suite.name} --trace`."
