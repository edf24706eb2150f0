"""One coreset, for use elsewhere: selected as a suite would select it, written as indices into the data set."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmark.spec import Attacks, DatasetSpec, Suite, load_suite, suite_names, validated_suite
from benchmark.store import Store, require_writable, write_atomically
from methods.api import Budget, Floats, Integers, Scalar
from methods.dynamics import no_coreset
from methods.errors import CoresetBenchError, UsageError, unknown
from methods.registry import get

if TYPE_CHECKING:
    from rich.console import Console

    from benchmark.execution.run import Settings
    from benchmark.plan import Selection

FORMATS = (".npz", ".csv")
_TRUTHS = {"true": True, "false": False}


@dataclass(frozen=True)
class Picked:
    """A coreset in terms of the data set itself.

    indices  int64 [k], positions among the data set's own training images, in the order of selection
    weights  float64 [k] as the method gives them, or None
    pool     how many images there were to choose from
    about    what made it, in values that JSON takes: data set, suite, proxy, method, parameters, seed
    files    of the picks, relative to the data set's folder, where images are files
    beside   how many images of the folder were not there to choose from, as they are held out
    """

    indices: Integers
    weights: Floats | None
    pool: int
    about: dict[str, Any]
    files: tuple[str, ...] | None = None
    beside: int = 0


def check_target(path: Path) -> None:
    """Raises UsageError unless the coreset can be written there: before anything is computed."""
    if path.suffix not in FORMATS:
        raise UsageError(f"Cannot write '{path}': end the name in {' or '.join(FORMATS)}.")
    require_writable(path.parent)


def suite_for(dataset: str, method: str, fraction: float, params: Sequence[str], suite: str | None) -> Suite:
    """A suite of one row, with the proxy of the named suite or of the data set's own.

    Raises:
        UsageError: an unknown name, a fraction outside (0, 1], a suite without the proxy that the row reads, no
            suite to take the proxy from, or a dynamic method.
    """
    from benchmark.data import dataset_names

    Budget.of(fraction, 1)
    if dataset not in dataset_names() and not dataset.startswith("imagefolder:"):
        raise unknown("data set", dataset, dataset_names())
    if suite is None and dataset not in suite_names():
        raise UsageError(
            f"There is no suite for '{dataset}'; name one whose proxy to use, such as --suite imagenette "
            "(coreset-bench suites)."
        )
    base = load_suite(suite or dataset)
    data = base.dataset if base.dataset.name == dataset else DatasetSpec(name=dataset, size=_side(dataset, base))
    if get(method).info.kind == "dynamic":
        raise no_coreset(method)
    changes = {
        "dataset": data.canonical(),
        "rows": [{"method": method, "params": parsed(method, get(method).info.params, params)}],
        "fractions": [fraction],
        "full": False,
        "attacks": Attacks().canonical(),  # the suite's own may name its rows and fractions
        "nulls": None,  # likewise
    }
    return validated_suite({**base.canonical(), **changes}, f"--method {method} in suite '{base.name}'")


def _side(dataset: str, base: Suite) -> int | None:
    """Pixels a side of one's own images: those that the suite's network was made for, where it is one for folders."""
    from benchmark.data import side

    own = dataset.startswith("imagefolder:") and base.dataset.name in ("imagenet", "imagenette")
    return side(base.dataset) if own else None


def parsed(method: str, defaults: Mapping[str, Scalar], params: Sequence[str]) -> dict[str, Scalar]:
    """KEY=VALUE texts as values of the defaults' types.

    Raises:
        UsageError: a text of another form, a key without a default, or a value of another type.
    """
    values: dict[str, Scalar] = {}
    for text in params:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"'{text}' is no parameter; write --param KEY=VALUE.")
        if key not in defaults:
            raise unknown(f"parameter of '{method}'", key, defaults)
        default = defaults[key]
        try:
            values[key] = _TRUTHS[value.lower()] if isinstance(default, bool) else type(default)(value)
        except (KeyError, ValueError):
            takes = "true or false" if isinstance(default, bool) else type(default).__name__
            raise UsageError(f"The parameter '{key}' of '{method}' takes {takes}, not '{value}'.") from None
    return values


def select_coreset(suite: Suite, seed: int, settings: "Settings", console: "Console") -> Picked:
    """The coreset of the suite's one row in the replicate `seed`, whatever the suite's number.

    Its proxies are traced first where they are not.

    Raises:
        CoresetBenchError: data that are not there, a proxy that diverges, a method that fails.
    """
    # Imported here, so that a mistake in a name has been answered before.
    from benchmark.data import files
    from benchmark.execution import workers
    from benchmark.execution.run import trace_proxies
    from benchmark.plan import make_plan

    require_writable(settings.store)
    plan = make_plan(suite, settings.data, replicates=[seed])
    (selection,) = plan.selections()
    store = Store(settings.store)
    with settings.pool(plan) as pool:
        facts = pool.ask(workers.facts)
        for lost in trace_proxies(plan, pool, facts, settings, console).values():
            raise lost.error()
        pool.ask(workers.select, selection.coreset.key)
        positions = pool.ask(workers.positions)
    coreset = store.read(selection.coreset.kind, selection.coreset.key)
    if coreset is None:
        raise CoresetBenchError(f"The coreset vanished from {settings.store} while it was read; run the command again.")
    about, indices = _about(suite, selection, seed, facts), positions[coreset.arrays["indices"]]
    every = files(suite.dataset, settings.data)
    return Picked(
        indices,
        coreset.arrays.get("weights"),
        facts["pool"],
        about,
        None if every is None else tuple(every[index] for index in indices),
        0 if every is None else len(every) - facts["pool"],
    )


def _about(suite: Suite, selection: "Selection", seed: int, facts: Mapping[str, Any]) -> dict[str, Any]:
    proxy = selection.row.proxy
    return {
        "dataset": suite.dataset.canonical(),
        "checksum": facts["checksum"],
        "suite": suite.name,
        "proxy": {"name": proxy, **suite.proxies[proxy].canonical()} if selection.traces else None,
        "method": selection.row.spelled,
        "params": dict(selection.params),
        "fraction": selection.fraction,
        "seed": seed,
    }


def write_coreset(path: Path, picked: Picked) -> None:
    """Writes `indices`, `weights` and `files` if any, and `about` (JSON) as .npz, or as .csv a row for each pick."""
    buffer = io.BytesIO()
    columns: dict[str, Any] = {"index": picked.indices}
    if picked.weights is not None:
        columns["weight"] = picked.weights
    if picked.files is not None:
        columns["file"] = np.array(picked.files)
    if path.suffix == ".npz":
        plural = {"index": "indices", "weight": "weights", "file": "files"}
        np.savez(buffer, **{plural[name]: c for name, c in columns.items()}, about=np.array(json.dumps(picked.about)))
    else:
        lines = io.StringIO(newline="")
        table = csv.writer(lines, lineterminator="\n")
        table.writerow(columns)
        table.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
        buffer.write(lines.getvalue().encode())
    write_atomically(path, buffer.getvalue())
