"""The facts above a leaderboard's tables: data, estimand, recipes, attacks and machines, each as (term, text)."""

from collections import Counter
from collections.abc import Sequence

from benchmark import wording
from benchmark.leaderboard import shares
from benchmark.leaderboard.outcomes import of_rows
from benchmark.leaderboard.standings import RegimeStandings
from benchmark.records import Record
from benchmark.stats import CONFIDENCE


def facts(records: Sequence[Record], regimes: list[RegimeStandings]) -> list[tuple[str, str]]:
    """What was compared, on what and under which conditions."""
    factors = records[0].factors
    tested = sorted({record.results.images for record in records if record.results})
    images = wording.listed([f"{count:,}" for count in tested]) or "no"
    replicates = len(regimes[0].replicates)
    dynamic = shares.is_dynamic(records)
    interval = f"; paired t intervals, {100 * CONFIDENCE:g} %" if regimes[0].has_intervals else "; values only"
    if regimes[0].has_intervals and not dynamic:
        interval += "; B, over test images too, stands behind the tables"
    found = [
        (
            "Data",
            f"{factors.dataset}, a pool of N = {factors.pool:,} training images in {factors.num_classes} classes, "
            f"{images} test images",
        ),
        (
            "Estimand",
            f"A: mean over {wording.counted(replicates, 'replicate')} ({_randomness(records)}) "
            f"on this test set{interval}",
        ),
    ]
    if dynamic:
        found.insert(0, ("Track", shares.TRACK))
    cells = len(of_rows(records))
    for count, declared, what in (
        (cells, factors.suite_cells, "cells"),
        (len(records) - cells, factors.suite_nulls, "random draws"),
    ):
        if count < declared:
            found.append(("A part", f"{count:,} of the {declared:,} {what} that the suite declares"))
    for regime in regimes:
        title = wording.regime(wording.plain(regime.setting.regime))
        found += [(title, _training(records, regime)), (f"{title}, attacked", _attacked(records, regime))]
    found.append(
        (
            "Processor",
            "; ".join(sorted({name for record in records if record.results for name in _processors(record)})) or "none",
        )
    )
    return [(term, wording.plain(text)) for term, text in found]


def _randomness(records: Sequence[Record]) -> str:
    """What varies between replicates, and the proxies that do not, as far as rows read any."""
    declared, read = records[0].factors, {record.factors.proxy for record in records if record.factors.proxy}
    shared = {
        name: count
        for name, count in declared.suite_proxy_seeds.items()
        if name in read and count < declared.suite_replicates
    }
    own = "" if shares.is_dynamic(records) or (shared and read <= shared.keys()) else "proxy, "
    if not shared:
        return f"{own}selection and training randomness"
    runs = wording.listed([wording.counted(count, f"{name} proxy") for name, count in shared.items()])
    return f"{own}selection and training randomness, conditional on the proxy: replicates share {runs}"


def _training(records: Sequence[Record], regime: RegimeStandings) -> str:
    """Network, recipe and what is equal between rows; on a further clock, only what is not as on the regime's own."""
    recipe, tuned = regime.setting.recipe, regime.setting.tuned
    if shares.is_dynamic(records):
        equal = shares.budget(regime, records, records[0].factors.pool)
    else:
        equal = f"{wording.budget(recipe, tuned)}; optimiser steps: {_steps(records, regime.setting.regime)}"
    own, at, _ = regime.setting.regime.partition("@")
    if at and not tuned:
        return f"as {wording.regime(wording.plain(own))}, but {equal}"
    return f"{regime.setting.model}; {wording.recipe(recipe)}{wording.tuned(recipe, tuned)}; {equal}"


def _attacked(records: Sequence[Record], regime: RegimeStandings) -> str:
    setting, factors = regime.setting, records[0].factors
    radii = wording.listed([wording.radius(epsilon) for epsilon in setting.epsilons], limit=20)
    primary = wording.radius(setting.primary)
    if setting.calibration and setting.primary is not None:
        middle = factors.suite_fractions[len(factors.suite_fractions) // 2]
        primary += f" ({wording.kept(setting.calibration, setting.epsilons, setting.primary, middle)})"
    runs = _attacks_run(records, regime) or "no cell ran"
    return f"{setting.threat}, pixels between 0 and 1, ε = {radii}, primary {primary}; {runs}"


def _steps(records: Sequence[Record], regime: str) -> str:
    """Optimiser steps of a training at each size: "33 at k = 110", a range where rows differ; "80" if equal at all."""
    steps: dict[int, set[int]] = {}
    for record in records:
        if record.results and record.factors.regime == regime and not record.factors.null:
            steps.setdefault(record.factors.k, set()).add(record.factors.optimiser_steps)
    if len(steps) > 1 and len(set.union(*steps.values())) == 1:
        return f"{min(steps[min(steps)]):,}"
    spans = {k: f"{min(found):,}" + (f" to {max(found):,}" if len(found) > 1 else "") for k, found in steps.items()}
    return wording.listed([f"{span} at k = {k:,}" for k, span in sorted(spans.items())], limit=20) or "none"


def _attacks_run(records: Sequence[Record], regime: RegimeStandings) -> str:
    """ "PGD-20 on 500 images in 57 of 57 cells", for each attack at the primary epsilon."""
    results = [record.results for record in of_rows(records) if record.factors.regime == regime.setting.regime]
    runs = Counter(
        (verdict.attack, verdict.images)
        for result in results
        if result
        for verdict in result.attacks
        if verdict.epsilon == regime.setting.primary
    )
    return ", ".join(
        f"{wording.attack(attack)} on {images:,} images in {count} of {len(results)} cells"
        for (attack, images), count in runs.items()
    )


def _processors(record: Record) -> list[str]:
    """What the cell's stages ran on: the processor, and the accelerator where there is one."""
    pairs = [(o.get("processor", "not recorded"), o.get("device", "cpu")) for o in record.origins() or [{}]]
    return [", ".join(str(name) for name in pair if name != "cpu") for pair in pairs]
