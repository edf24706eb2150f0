"""The records behind a suite's leaderboards, compactly: what a reader opens by a click.

A cell is a list of values under `COLUMNS`; what cells share (recipes, seeds, machines) is a number into `pools`.
Outcomes are counts of right images, counted here from the bits. Random draws that only tell chance are left to the
records: there may be more of them than of all else, and the leaderboards show what they come to.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmark import wording
from benchmark.leaderboard.outcomes import Setting, median_epsilon
from benchmark.page.texts import Pool
from benchmark.records import Record, Results, unpack_bits
from benchmark.rerun import added, command
from benchmark.spec import suite_names

COLUMNS = (
    "cell",
    "row",
    "regime",
    "fraction",
    "replicate",
    "failure",
    "flags",
    "picks",
    "training",
    "seeds",
    "keys",
    "clean",
    "robust",
    "counts",
    "attacks",
    "worst_class",
    "median",
    "signs",
    "seconds",
    "passes",
    "origin",
)
POOLS = ("row", "regime", "training", "seeds", "attacks", "origin", "stages", "keys")


def cells(records: Sequence[Record], settings: dict[str, Setting]) -> dict[str, Any]:
    """Every record of one suite but those of random draws, in the order of the records."""
    pools = {name: Pool() for name in POOLS}
    rows = [record for record in records if not record.factors.null]
    return {
        "columns": COLUMNS,
        "cells": [_cell(record, settings[record.factors.regime], pools) for record in rows],
        "draws": len(records) - len(rows),
        "pools": {name: pool.values for name, pool in pools.items()},
        "commands": _commands(records),
    }


def _cell(record: Record, setting: Setting, pools: dict[str, Pool]) -> list[Any]:
    factors, results, cost = record.factors, record.results, record.cost
    values: dict[str, Any] = {
        "cell": wording.plain(record.cell),
        "row": pools["row"].number(_row(record)),
        "regime": pools["regime"].number(factors.regime),
        "fraction": wording.percent(factors.fraction),
        "replicate": factors.replicate,
        "failure": wording.plain(f"{record.failure.stage}: {record.failure.message}") if record.failure else "",
        "flags": list(map(wording.plain, record.flags)),
        "picks": [factors.k, factors.effective_size, factors.optimiser_steps, factors.presentations],
        "training": pools["training"].number({"model": factors.model, **factors.recipe.canonical()}),
        "seeds": pools["seeds"].number(_spelled(factors.seeds.canonical())),
        "keys": [pools["keys"].number(list(record.keys)), *record.keys.values()],
        "seconds": [pools["stages"].number(list(cost.seconds)), *(round(s, 2) for s in cost.seconds.values())],
        "passes": [cost.forward, cost.backward, cost.peak_bytes],
        "origin": pools["origin"].number(record.provenance),
        **(_outcomes(results, setting, pools) if results else {}),
    }
    return [values.get(name) for name in COLUMNS]


def _row(record: Record) -> dict[str, Any]:
    """What tells this cell's row apart, whatever its fraction and replicate."""
    factors = record.factors
    return {
        "row": wording.plain(factors.row),
        "method": factors.method,
        "policy": factors.policy,
        "params": factors.params,
        "proxy": factors.proxy,
        "proxy_model": factors.proxy_model,
        "proxy_recipe": factors.proxy_recipe.canonical() if factors.proxy_recipe else None,
        "proxy_epochs": factors.proxy_epochs,
        "reads_select": factors.reads_select,
        "track": factors.track,
    }


def _outcomes(results: Results, setting: Setting, pools: dict[str, Pool]) -> dict[str, Any]:
    """Right images: clean, in the worst case over the regime's common attacks at each epsilon, under each attack."""
    clean = results.clean_bits()
    worst = [results.robust_bits(epsilon, setting.attacks, setting.images) for epsilon in setting.epsilons]
    layout = [
        {
            "attack": wording.attack(verdict.attack),
            "epsilon": wording.radius(verdict.epsilon),
            "images": verdict.images,
            "omitted": list(map(wording.plain, verdict.omitted)),
            "settings": _spelled({k: v for k, v in verdict.spec.items() if k not in ("attack", "epsilons", "images")}),
        }
        for verdict in results.attacks
    ]
    return {
        "clean": _counted(int(clean.sum()), len(clean)),
        "robust": [None if bits is None else _counted(int(bits.sum()), len(bits)) for bits in worst],
        "counts": [int(unpack_bits(verdict.bits, verdict.images).sum()) for verdict in results.attacks],
        "attacks": pools["attacks"].number(layout),
        "worst_class": _worst_class(results),
        "median": _median(results, setting),
        "signs": {wording.plain(name): [sign.found, sign.of] for name, sign in results.signs.items()},
    }


def _counted(right: int, of: int) -> list[Any]:
    """Right images, of how many, and the share in percent as tables spell it."""
    return [right, of, wording.fixed(100 * right / of)]


def _worst_class(results: Results) -> list[Any] | None:
    """The class of the lowest clean accuracy, its right images and all of them."""
    counted = zip(results.clean_by_class, results.class_counts, strict=True)
    shares = [right / count if count else np.inf for right, count in counted]
    if not shares or min(shares) == np.inf:
        return None
    lowest = int(np.argmin(shares))
    return [lowest, results.clean_by_class[lowest], results.class_counts[lowest]]


def _median(results: Results, setting: Setting) -> str | None:
    """The median smallest epsilon over the cleanly right images; None where it was not searched for."""
    radii, median = results.radii, median_epsilon(results.radii)
    if np.isnan(median):
        return None
    if np.isinf(median):
        return f"> {wording.measured_radius(radii.levels * radii.step, like=setting.primary)}"
    return wording.measured_radius(median, like=setting.primary)


def _spelled(values: dict[str, Any]) -> dict[str, Any]:
    """Seeds as text: they have more digits than a number of JavaScript holds."""
    return {key: _text(value) for key, value in values.items()}


def _text(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53 else value


def _commands(records: Sequence[Record]) -> dict[str, list[str]]:
    """What to type before and after a cell's name: to look at its stages, and to make it anew."""
    suite = records[0].suite
    base = suite.split("+")[0]
    file = [] if base in suite_names() else [f"{base}.toml"]
    rows, clock = added(suite, base)
    again = command("CELL", file[0] if file else base, rows, clock, Path("again"))
    before, _, after = again.partition(" --only CELL ")
    return {
        "explain": ["coreset-bench explain", f"--suite {file[0]}" if file else ""],
        "run": [f"{before} --only", after],
        "file": file,
    }
