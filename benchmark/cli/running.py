"""Commands that compute: run, select, calibrate."""

import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmark.cli.common import (
    RESULTS,
    STORE,
    Clock,
    Data,
    Device,
    Download,
    ExtraRows,
    Jobs,
    Published,
    ResultsPath,
    StorePath,
    SuiteName,
    Threads,
    Yes,
    app,
    asker,
    console,
    print_rows,
    resolve_device,
    the_suite,
)
from methods.errors import CoresetBenchError, UsageError


@app.command()
def run(
    suite: SuiteName,
    row: ExtraRows = None,
    clock: Clock = None,
    only: Annotated[
        str, typer.Option(metavar="PATTERN", help="Compute only cells that match, such as '*/easycore/*'.")
    ] = "*",
    jobs: Jobs = 0,
    threads: Threads = 1,
    device: Device = "auto",
    data: Data = None,
    store: StorePath = STORE,
    results: ResultsPath = RESULTS,
    within: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="End in time, as in 90s, 9m or 1.5h: the suite's first cells first."),
    ] = None,
    published: Published = False,
    download: Download = False,
    yes: Yes = False,
) -> None:
    """Run a suite and print its leaderboard.

    What the store lacks is computed; run again after an interruption, it goes on where it was. With --within nothing is
    begun that would not end in time, and what is left is said. With --published a row of your own is all there is to
    compute: the others stand as they were published, as long as code, data and recipe give them the same keys.

    Example: coreset-bench run digits --jobs 2
    """
    began = time.monotonic()
    chosen, out = the_suite(suite, row, clock), console()  # first: a mistake in a name answers at once
    from benchmark.execution.limit import duration

    limit = duration(within) if within else None
    from benchmark.execution.run import Settings, run_suite
    from benchmark.leaderboard.document import print_table, render_markdown
    from benchmark.store import write_atomically

    left = limit and max(0.1, limit - (time.monotonic() - began))  # imports took their part
    settings = Settings(
        store, results, data, jobs, threads, resolve_device(device), download, asker(yes), left, published
    )
    summary = run_suite(chosen, settings, out, only)
    if not summary.computed:
        where = f"{store} or published" if published else f"{store}"
        out.print(f"Nothing to do: all {len(summary.records)} cells are in {where}.", highlight=False)
    if summary.left and not summary.records:
        raise CoresetBenchError(f"No cell was finished within {within}; what was done is kept, and needs more time.")
    board = summary.folder / "leaderboard.md"
    write_atomically(board, render_markdown(summary.records).encode())
    print_table(summary.records, out)
    out.print(f"Records and leaderboard: {summary.folder}", highlight=False)
    if summary.failed:
        log = summary.folder / "failures.log"
        out.print(f"{len(summary.failed)} of {len(summary.records)} cells failed; see {log}.", highlight=False)
        raise typer.Exit(1)


@app.command()
def select(
    method: Annotated[str, typer.Option(help="METHOD or METHOD@POLICY (coreset-bench methods).")],
    fraction: Annotated[float, typer.Option(help="The share of the pool to keep, in (0, 1].")],
    out: Annotated[Path, typer.Option(help="Where to write, as .npz or .csv.")],
    dataset: Annotated[
        str | None, typer.Option(help="A data set (coreset-bench datasets).", show_default=False)
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="Released scores, in place of a data set.", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="The replicate whose proxy and selection seeds are used.", min=0)] = 0,
    param: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="A parameter of it; may be repeated.")
    ] = None,
    suite: Annotated[
        str | None, typer.Option(help="The suite whose proxy is used. [default: the data set's]", show_default=False)
    ] = None,
    jobs: Jobs = 0,
    threads: Threads = 1,
    device: Device = "auto",
    data: Data = None,
    store: StorePath = STORE,
    download: Download = False,
    yes: Yes = False,
) -> None:
    """Select a coreset and write its indices.

    And its weights, if there are any, and the names of its files where images are files. Indices count the data set's
    own training images, in the order of torchvision or scikit-learn. Released scores need neither the images nor a
    proxy: --from results/scores/digits.parquet. Your own images: --dataset imagefolder:PATH --suite imagenette.

    Example: coreset-bench select --dataset digits --method easycore --fraction 0.3 --seed 0 --out c.npz
    """
    from benchmark.select import check_target, select_coreset, suite_for, write_coreset

    check_target(out)
    if (dataset is None) == (scores is None):
        raise UsageError("Name a data set with --dataset, or a file of released scores with --from: one of the two.")
    if scores is not None:
        from benchmark.scores.replay import select_from

        if suite is not None:
            raise UsageError("Released scores have a proxy already; --suite is for --dataset.")
        picked = select_from(scores, method, fraction, seed, param or [])
    elif dataset is not None:
        chosen = suite_for(dataset, method, fraction, param or [], suite)
        from benchmark.execution.run import Settings

        settings = Settings(store, RESULTS, data, jobs, threads, resolve_device(device), download, asker(yes))
        picked = select_coreset(chosen, seed, settings, console())
    write_coreset(out, picked)
    k, n = len(picked.indices), picked.pool
    proxy, of = picked.about["proxy"], picked.about["suite"]
    by = f"the {proxy['name']} proxy ({proxy['model']}) of suite {of}" if proxy else "no proxy"
    print(f"{k:,} of {n:,} training images ({k / n:.1%}) by {method} from {by}, seed {seed}: {out}")
    if picked.beside:
        print(f"Not among the {n:,}: {picked.beside:,} images of the folder, which are held out.")


@app.command()
def calibrate(
    suite: SuiteName, threads: Threads = 1, device: Device = "auto", data: Data = None, download: Download = False
) -> None:
    """Measure each regime's primary epsilon on held-out images.

    It is the declared one at which a model trained on a random coreset keeps nearest to half of its clean accuracy.
    Images are those of the 'tune' part: test images are not touched, and nothing is stored.

    Example: coreset-bench calibrate digits
    """
    chosen = the_suite(suite)
    import torch

    from benchmark.data import fingerprint, load
    from benchmark.execution.workers import set_up_device
    from benchmark.plan import Data as Planned
    from benchmark.plan import make_calibration
    from benchmark.stages.calibrate import calibrate as measure
    from benchmark.wording import radius

    torch.set_num_threads(threads)
    on = resolve_device(device)
    set_up_device(on)
    loaded = load(chosen.dataset, data, on, download)
    planned = Planned(chosen.dataset, fingerprint(chosen.dataset, data))
    for name, regime in chosen.regimes.items():
        rows: list[dict[str, Any]] = []
        for replicate in range(chosen.replicates):
            try:
                found = measure(make_calibration(chosen, planned, regime, replicate), loaded, on).meta
            except CoresetBenchError as error:  # another draw may do
                rows.append({"replicate": replicate, "clean": str(error)})
                continue
            kept = {
                f"kept_at_{radius(e)}": f"{n / found['clean']:.0%}"
                for e, n in zip(regime.epsilons, found["robust"], strict=True)
            }
            rows.append(
                {
                    "replicate": replicate,
                    "clean": f"{found['clean'] / found['images']:.1%}",
                    **kept,
                    "half_at": f"{found['half_at']:.4f}",
                    "primary": radius(found["primary"]),
                }
            )
            print(f"Measured: {name}, {len(rows)} of {chosen.replicates}", file=sys.stderr)
        print(name)
        print_rows(rows, False)
