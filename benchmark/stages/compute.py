"""The stages, computed: each is taken from the store, or made from the stages before it and stored.

A workshop belongs to one process. It holds the data set and asks the store for everything else, so a stage whose
stored result is missing or damaged is made again wherever it is needed.
"""

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark.data import Dataset, load
from benchmark.models import build
from benchmark.models.classifier import Classifier
from benchmark.plan import Cell, Selection, Stage, Trace
from benchmark.provenance import peak_bytes, provenance
from benchmark.randomness import derive_seed
from benchmark.spec import CALIBRATE, DatasetSpec
from benchmark.stages.calibrate import calibrate
from benchmark.stages.dynamic import train_by
from benchmark.stages.evaluate import evaluate
from benchmark.stages.network import digest, marked, network_of, of_one_network
from benchmark.stages.stopwatch import stopwatch
from benchmark.stages.trace import Report, Reporter, trace, unreported
from benchmark.stages.train import train
from benchmark.stages.trial import try_out
from benchmark.store import Arrays, Artifact, Store
from methods.api import HELD_OUT, Budget, Context, HeldOut, Signals
from methods.errors import CoresetBenchError
from methods.registry import run


class Workshop:
    """Computes stages on one device, for one data set. `busy` names the stage at work, for a failure's record."""

    def __init__(
        self,
        store: Store,
        spec: DatasetSpec,
        root: Path | None,
        device: str = "cpu",
        download: bool = False,
        report: Report = unreported,
    ) -> None:
        self.store, self.spec, self.root, self.device, self.download = store, spec, root, device, download
        self.report = report
        self.busy = "data"

    @cached_property
    def data(self) -> Dataset:
        self.busy = "data"
        return load(self.spec, self.root, self.device, self.download)

    def facts(self, stage: Stage) -> Artifact:
        """What planning and records need to know of the data without loading them."""

        def compute() -> Artifact:
            data = self.data
            labels = data.test.labels.numpy()
            meta = {
                "pool": len(data.train),
                "select": len(data.select),
                "test": len(data.test),
                "num_classes": data.num_classes,
                "shape": list(data.shape),
                "checksum": data.checksum,
                "class_counts": np.bincount(labels, minlength=data.num_classes).tolist(),
            }
            arrays = {"positions": data.positions.numpy(), "labels": data.train.labels.numpy()}
            return Artifact(arrays, meta)

        return self._stored(stage, compute)

    def _stored(self, stage: Stage, compute: Callable[[], Artifact]) -> Artifact:
        return self.store.get(stage.kind, stage.key, stage.described, compute)

    def traced(self, wanted: Trace) -> dict[str, np.ndarray]:
        """The arrays of a proxy run by need; those missing are recorded, in one run for all of them."""
        arrays = self._read_signals(wanted)
        if len(arrays) < len(wanted.signals):
            with self.store.lock("proxy", wanted.proxy.key):
                arrays = self._read_signals(wanted)
                missing = [need for need in wanted.signals if need not in arrays]
                if missing:
                    arrays |= self._record(wanted, missing)
        return arrays

    def _read_signals(self, wanted: Trace) -> dict[str, np.ndarray]:
        stored = {need: self.store.read("signal", stage.key) for need, stage in wanted.signals.items()}
        found = {need: artifact for need, artifact in stored.items() if artifact}
        if len({network_of(artifact) for artifact in found.values()} - {None}) > 1:
            raise CoresetBenchError(
                f"The signals of the proxy {wanted.proxy.key} are of different networks, brought together from two "
                "machines or versions of torch; name an empty folder with --store to trace it anew."
            )
        return {need: artifact.arrays["values"] for need, artifact in found.items()}

    def _record(self, wanted: Trace, needs: list[str]) -> dict[str, np.ndarray]:
        data = self.data
        self.busy = "proxy"
        seconds = stopwatch(self.device)
        arrays, model, passes, recording = trace(
            data, wanted.training, wanted.seed, wanted.until, needs, self.device, self.report
        )
        weights = _weights(model)
        network = digest(weights)
        earlier = self.store.read("proxy", wanted.proxy.key, whole=False)
        if earlier is None or (not earlier.arrays and not self._read_signals(wanted)):
            meta = {
                "seconds": seconds(),
                "epochs": wanted.until,
                "forward": passes.forward + recording.forward,
                "backward": passes.backward + recording.backward,
                "provenance": provenance(self.device),
            }
            made = marked(Artifact(weights, meta), network)
            self.store.write("proxy", wanted.proxy.key, made, wanted.proxy.described)
        elif network != (network_of(earlier) or digest(earlier.arrays or weights)):
            raise CoresetBenchError(
                f"Trained again, the proxy differs from the stored one ({self.store.path('proxy', wanted.proxy.key)}), "
                "as it does on another machine or torch; name an empty folder with --store to trace it anew."
            )
        elif not earlier.arrays:  # its weights had stayed elsewhere
            kept = marked(Artifact(weights, earlier.meta), network)
            self.store.write("proxy", wanted.proxy.key, kept, wanted.proxy.described)
        finite = [need for need in needs if np.isfinite(arrays[need]).all()]
        for need in finite:
            stage, made = wanted.signals[need], marked(Artifact({"values": arrays[need]}, {}), network)
            self.store.write("signal", stage.key, made, stage.described)
        for need in set(needs) - set(finite):  # after the others are safe: whoever reads those is not concerned
            raise CoresetBenchError(
                f"The signal '{need}' is not finite for some samples; mend its function, or lower the learning rate of "
                "the proxy if its outputs overflow."
            )
        return arrays

    def coreset(self, selection: Selection) -> Artifact:
        """`indices` int64 [k] in the order of selection, `weights` float64 [k] where the method gives any."""
        if selection.like:
            return self._stored(selection.coreset, partial(self._drawn_like, selection.like, selection.seed))

        def compute() -> Artifact:
            context = self.context(selection)
            budget = Budget.of(selection.fraction, context.n)
            self.busy = "select"
            seconds = stopwatch(self.device)
            chosen = run(selection.method, context, budget)
            arrays: Arrays = {"indices": chosen.indices}
            if chosen.weights is not None:
                arrays["weights"] = chosen.weights
            counts = np.bincount(context.labels[chosen.indices], minlength=context.num_classes)
            effective = budget.k if chosen.weights is None else int((chosen.weights > 0).sum())
            meta = {
                "k": budget.k,
                "effective_size": effective,
                "class_counts": counts.tolist(),
                "diagnostics": {k: v.item() if isinstance(v, np.generic) else v for k, v in chosen.diagnostics.items()},
                "seconds": seconds(),
            }
            return Artifact(arrays, meta)

        return self._stored(selection.coreset, compute)

    def context(self, selection: Selection) -> Context:
        """All that the method may know when it selects, with its generator at the beginning."""
        runs = [self.traced(trace) for trace in selection.traces]
        held_out = _readable(selection, runs, HELD_OUT)
        return Context(
            self.data.train.labels.numpy(),
            self.data.num_classes,
            _readable(selection, runs),
            np.random.default_rng(selection.seed),
            HeldOut(self.data.select.labels.numpy(), held_out) if held_out.names else None,
            self.device,
        )

    def _drawn_like(self, like: Selection, seed: int) -> Artifact:
        """Random picks, of each class as many as another coreset has."""
        picks, labels = self.coreset(like).arrays["indices"], self.data.train.labels.numpy()
        self.busy = "select"
        seconds, rng = stopwatch(self.device), np.random.default_rng(seed)
        counts = np.bincount(labels[picks], minlength=self.data.num_classes)
        drawn = [rng.choice(np.flatnonzero(labels == c), count, replace=False) for c, count in enumerate(counts)]
        meta = {
            "k": len(picks),
            "effective_size": len(picks),
            "class_counts": counts.tolist(),
            "diagnostics": {},
            "seconds": seconds(),
        }
        return Artifact({"indices": np.concatenate(drawn)}, meta)

    def model(self, cell: Cell) -> tuple[Classifier, str | None]:
        """The cell's trained network in evaluation mode, and the digest of its weights, which early stores lack."""
        data = self.data
        model = build(
            cell.regime.model,
            data.num_classes,
            data.shape,
            data.mean,
            data.std,
            seed=derive_seed("init", cell.seeds.training),
        ).to(self.device)

        def compute() -> Artifact:
            ids, weights = torch.arange(len(data.train)), None
            if cell.selection:
                chosen = self.coreset(cell.selection).arrays
                ids = torch.from_numpy(chosen["indices"])
                if "weights" in chosen and cell.selection.row.weights:
                    weights = torch.from_numpy(chosen["weights"]).to(self.device)
            self.busy = "train"
            seconds = stopwatch(self.device)
            recipe = cell.regime.recipe
            watch = Reporter(self.report, len(ids) * recipe.work)
            length = cell.presentations(len(ids), len(data.train), len(data.select))
            passes = train(
                model,
                data.train,
                ids,
                recipe,
                cell.seeds.training,
                weights=weights,
                observer=watch,
                presentations=length,
            )
            meta = {
                "k": len(ids),
                "steps": passes.steps,
                "forward": passes.forward,
                "backward": passes.backward,
                "seconds": seconds(),
                "peak_bytes": peak_bytes(),
                "provenance": provenance(self.device),
            }
            return trained(meta)

        def compute_dynamic() -> Artifact:
            self.busy = "train"
            seconds = stopwatch(self.device)
            assert cell.reselection
            course = train_by(
                cell.reselection.method,
                model,
                data,
                cell.regime.recipe,
                Budget.of(cell.fraction, len(data.train)).k,
                cell.seeds.training,
                cell.reselection.seed,
                weighted=cell.reselection.row.weights,
                device=self.device,
                report=self.report,
            )
            meta = {
                "k": Budget.of(cell.fraction, len(data.train)).k,
                "seen": int(course.seen.sum()),
                "rounds": course.rounds,
                "presentations": course.presentations,
                "steps": course.passes.steps,
                "forward": course.passes.forward + course.selecting.forward,
                "backward": course.passes.backward + course.selecting.backward,
                "seconds": seconds() - course.seconds,
                "select_seconds": course.seconds,
                "peak_bytes": peak_bytes(),
                "provenance": provenance(self.device),
            }
            return trained(meta)

        def trained(meta: dict[str, Any]) -> Artifact:
            weights = _weights(model)
            return marked(Artifact(weights, meta), digest(weights))

        made = self._stored(cell.model, compute_dynamic if cell.reselection else compute)
        model.load_state_dict({name: torch.from_numpy(array) for name, array in made.arrays.items()})
        return model.eval(), network_of(made)

    def calibration(self, stage: Stage) -> float:
        """The primary epsilon of a regime whose suite leaves it to a measurement."""

        def compute() -> Artifact:
            self.busy = "calibration"
            return calibrate(stage, self.data, self.device, self.report)

        return float(self._stored(stage, compute).meta["primary"])

    def trial(self, stage: Stage) -> None:
        """Tries out a recipe on a random coreset."""
        self.busy = "trial"
        self._stored(stage, lambda: try_out(stage, self.data, self.device, self.report))

    def _forget(self, stage: Stage, network: str | None) -> None:
        """Removes an outcome, unless another process has judged this network meanwhile."""
        with self.store.lock(stage.kind, stage.key):
            found = self.store.read(stage.kind, stage.key)
            if found and network_of(found) != network:
                self.store.remove(stage.kind, stage.key)

    def outcomes(self, cell: Cell) -> None:
        """Attacks the cell's network and stores each outcome that is missing, or that is one of another network.

        The latter where weights were lost, or stayed on another machine, and what is trained again differs from them.
        """
        found = {name: self.store.read(stage.kind, stage.key) for name, stage in cell.outcomes.items()}
        if of_one_network(self.store.read(cell.model.kind, cell.model.key, whole=False), found.values()):
            return
        model, network = self.model(cell)

        def judged(spec: dict[str, Any]) -> Artifact:
            return marked(evaluate(spec, model, self.data), network)

        for name, stage in cell.outcomes.items():
            earlier = found[name]
            if earlier and network_of(earlier) == network:
                continue
            if earlier:
                self._forget(stage, network)
            spec = dict(stage.spec)
            if spec.get("epsilon") == CALIBRATE and cell.calibration:
                spec["epsilon"] = self.calibration(cell.calibration)
            self.busy = name
            self._stored(stage, partial(judged, spec))


def _weights(model: Classifier) -> dict[str, np.ndarray]:
    return {name: tensor.detach().cpu().contiguous().numpy() for name, tensor in model.state_dict().items()}


def _readable(selection: Selection, runs: list[dict[str, np.ndarray]], part: str = "") -> Signals:
    """What the method may read of the pool, or of the held-out part, in each of its proxy runs."""
    name = selection.method.info.name
    epochs = selection.traces[0].training.recipe.epochs if selection.traces else 0
    arrays = [
        {need.removeprefix(part): array for need, array in run.items() if need.startswith(HELD_OUT) == bool(part)}
        for run in runs or [{}]
    ]
    others = tuple(Signals(each, epochs, asked_by=name) for each in arrays[1:])
    return Signals(arrays[0], epochs, asked_by=name, others=others)
