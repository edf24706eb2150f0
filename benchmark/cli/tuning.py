"""The command that tunes recipes."""

from benchmark.cli.common import (
    RESULTS,
    STORE,
    Data,
    Device,
    Download,
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


@app.command()
def tune(
    suite: SuiteName,
    jobs: Jobs = 0,
    threads: Threads = 1,
    device: Device = "auto",
    data: Data = None,
    store: StorePath = STORE,
    results: ResultsPath = RESULTS,
    published: Published = False,
    download: Download = False,
    yes: Yes = False,
) -> None:
    """Tune a suite's recipes on random coresets.

    For each regime, fraction and clock, what its [tuning] lists is tried and judged on the 'tune' part of the training
    images: test images are not touched. It prints lines for the suite file, which all rows will share. Run again after
    an interruption, it goes on where it was; with --published, from the trials that were published.

    Example: coreset-bench tune digits-full
    """
    chosen = the_suite(suite)
    from benchmark.execution.run import Settings, local_folder
    from benchmark.results import TUNING
    from benchmark.tuning import write_trials, written
    from benchmark.tuning.run import tune as search
    from benchmark.wording import OPTIMISERS, percent

    settings = Settings(
        store, results, data, jobs, threads, resolve_device(device), download, asker(yes), published=published
    )
    found, trials = search(chosen, settings, console())
    path = local_folder(results, chosen.name) / TUNING
    write_trials(path, trials)
    rows = [
        {
            "regime": one.place.regime,
            "fraction": percent(one.place.fraction),
            "epochs": one.recipe.epochs,
            "optimiser": OPTIMISERS[one.recipe.optimiser],
            "learning rate": f"{one.recipe.lr:g}",
            "weight decay": f"{one.recipe.weight_decay:g}",
            "right on tune": f"{one.accuracy:.1%}",
            "above as written": one.told(),
        }
        for one in found
    ]
    print_rows(rows, False)
    print(f"\nTrials: {path}\nFor the suite file:\n")
    print(written(chosen, found))
