"""The command of figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmark.cli.common import (
    RESULTS,
    STORE,
    Data,
    Device,
    ResultsPath,
    StorePath,
    Threads,
    Yes,
    app,
    asker,
    resolve_device,
)
from methods.errors import CoresetBenchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmark.figures.canvas import Drawing
    from benchmark.figures.sources import Source


@app.command()
def figures(
    suite: Annotated[
        str | None, typer.Argument(metavar="[SUITE]", help="A suite with records: published, or else run here.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the figures. [default: figures/ beside the records]", show_default=False),
    ] = None,
    figure: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this figure; may be repeated.", show_default=False)
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="PNGs beside the SVGs.")] = False,
    trace: Annotated[
        bool, typer.Option("--trace", help="Train the proxies and choose the coresets that the store lacks.")
    ] = False,
    data: Data = None,
    device: Device = "cpu",
    threads: Threads = 1,
    yes: Yes = False,
    store: StorePath = STORE,
    results: ResultsPath = RESULTS,
) -> None:
    """Draw a suite's figures, each with its numbers beside it.

    Accuracies come from the records alone; images, signals and coresets from the store, as far as it has them. Without
    a suite, the figures of every published one are drawn from its records.

    Example: coreset-bench figures digits --trace
    """
    from benchmark.figures import gallery
    from benchmark.records import read_records
    from benchmark.results import LOCAL, published, records_of
    from benchmark.spec import load_suite

    names = tuple(figure or gallery.NAMES)
    gallery.check_names(names)
    if suite is None:
        if trace or out:
            raise UsageError(f"--{'trace' if trace else 'out'} is for one suite; name it.")
        for path in published(results).values():
            _write(gallery.of_records(read_records(path), names), path.parent / gallery.FOLDER, png)
        return
    path = records_of(load_suite(suite).name if suite.endswith(".toml") else suite, results, results / LOCAL)
    target = out or path.parent / gallery.FOLDER
    _write(gallery.of_records(read_records(path), names), target, png)
    if not any(name in gallery.OF_STORE or name == gallery.PLANE for name in names):
        return
    try:
        source = _source(suite, trace, data, store, resolve_device(device), threads)
    except CoresetBenchError as reason:
        if trace:
            raise
        print(f"No figures of images, signals and coresets: {reason}")
        return
    _write(gallery.of_store(source, print, names, asker(yes)), target, png)


def _write(drawings: "Iterable[Drawing]", target: Path, png: bool) -> None:
    from benchmark.figures import gallery

    for drawing in drawings:
        print(f"Written: {', '.join(map(str, gallery.write(drawing, target, png)))}")


def _source(suite: str, trace: bool, root: Path | None, store: Path, device: str, threads: int) -> "Source":
    import torch

    from benchmark.data import fingerprint
    from benchmark.execution.workers import set_up_device
    from benchmark.figures.sources import Source
    from benchmark.plan import Data as Known
    from benchmark.spec import load_suite
    from benchmark.stages.compute import Workshop
    from benchmark.store import Store

    set_up_device(device)
    torch.set_num_threads(threads)
    spec = load_suite(suite)
    known = Known(spec.dataset, fingerprint(spec.dataset, root))
    return Source(spec, known, Workshop(Store(store), spec.dataset, root, device), trace)
