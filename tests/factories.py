"""Valid records with chosen outcomes, for tests of everything that reads records."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmark.records import (
    Cost,
    Factors,
    Failure,
    Radii,
    Record,
    Results,
    Seeds,
    Verdict,
    pack_bits,
    pack_levels,
)
from benchmark.spec import FULL, DatasetSpec, Recipe

PRIMARY = 0.1
POOL = 1100
FRACTIONS, REPLICATES = (0.1, 0.3), (0, 1, 2)  # what the suite of these records declares, unless `declared` says other
RECIPES = {
    "standard": Recipe(epochs=30),
    "trades": Recipe(objective="trades", epochs=30, epsilon=0.1, inner_step_size=0.025),
}

Attacked = Mapping[tuple[str, float], Sequence[bool]]


def bits(right: int, of: int) -> list[bool]:
    """The first `right` of `of` images are right."""
    return [image < right for image in range(of)]


def results(clean: Sequence[bool], attacked: Attacked, codes: Sequence[int] | None = None, classes: int = 2) -> Results:
    """Outcomes of images whose class is their index modulo `classes`; codes default to the last level but one."""
    right = np.asarray(clean, dtype=bool)
    labels = np.arange(len(right)) % classes
    levels = np.where(right, 6, 0) if codes is None else np.asarray(codes)
    return Results(
        images=len(right),
        clean=pack_bits(right),
        attacks=tuple(
            Verdict(attack=attack, epsilon=epsilon, images=len(kept), bits=pack_bits(np.asarray(kept, dtype=bool)))
            for (attack, epsilon), kept in attacked.items()
        ),
        radii=Radii(step=0.05, levels=7, images=len(levels), codes=pack_levels(levels)),
        class_counts=tuple(int((labels == c).sum()) for c in range(classes)),
        clean_by_class=tuple(int(right[labels == c].sum()) for c in range(classes)),
    )


def factors(
    row: str = "random",
    fraction: float = 0.3,
    regime: str = "standard",
    replicate: int = 0,
    recipe: Recipe | None = None,
    **changes: Any,
) -> Factors:
    values: dict[str, Any] = {
        "suite_fractions": FRACTIONS,
        "suite_replicates": len(REPLICATES),
        "suite_cells": 0,
        "dataset": "digits",
        "dataset_spec": DatasetSpec(name="digits"),
        "checksum": "c0ffee",
        "pool": POOL,
        "num_classes": 2,
        "row": row,
        "method": row.split("@")[0],
        "policy": None,
        "params": {},
        "proxy": "standard",
        "proxy_model": "mlp",
        "proxy_recipe": None,
        "proxy_epochs": 0 if row in ("random", "full") else 20,
        "reads_select": False,
        "fraction": fraction,
        "k": round(POOL * fraction),
        "effective_size": round(POOL * fraction),
        "regime": regime,
        "model": "mlp",
        "recipe": recipe or RECIPES.get(regime, RECIPES["standard"]),
        "optimiser_steps": 30 * -(-round(POOL * fraction) // 128),
        "epsilons": (0.05, PRIMARY),
        "primary": PRIMARY,
        "replicate": replicate,
        "seeds": Seeds(proxies=(replicate,), selection=replicate, training=replicate, attack=replicate),
    }
    return Factors(**(values | changes))


def record(
    row: str = "random",
    fraction: float = 0.3,
    regime: str = "standard",
    replicate: int = 0,
    *,
    clean: Sequence[bool] = (),
    attacked: Attacked | None = None,
    codes: Sequence[int] | None = None,
    failure: str | None = None,
    suite_version: int = 1,
    flags: tuple[str, ...] = (),
    cost: Cost | None = None,
    provenance: dict[str, Any] | None = None,
    **changes: Any,
) -> Record:
    """A cell that ran with these outcomes, or one that failed with this message."""
    outcomes = None
    if failure is None:
        right = list(clean) or bits(8, 10)
        outcomes = results(right, attacked or {("pgd-20", 0.05): right, ("pgd-20", PRIMARY): right}, codes)
    return Record(
        suite="digits",
        suite_version=suite_version,
        cell=f"{row}-{fraction}-{regime}-{replicate}",
        keys={},
        status="failed" if failure else "ok",
        factors=factors(row, fraction, regime, replicate, **changes),
        results=outcomes,
        failure=Failure(stage="training", message=failure) if failure else None,
        flags=flags,
        cost=cost or Cost(),
        provenance=provenance or {"processor": "a processor"},
    )


def robust(right: int, *cell: Any, of: int = 100, **changes: Any) -> Record:
    """A cell of `of` images, all right when clean, of which `right` stay right at the primary epsilon."""
    attacked = {("pgd-20", 0.05): bits(right, of), ("pgd-20", PRIMARY): bits(right, of)}
    return record(*cell, clean=bits(of, of), attacked=attacked, **changes)


def declared(records: Sequence[Record], **changes: Any) -> list[Record]:
    """The records of a suite that declares what is in them and no more, but for the factors in `changes`."""
    found = {
        "suite_fractions": tuple(sorted({r.factors.fraction for r in records if r.factors.row != FULL})),
        "suite_replicates": 1 + max(r.factors.replicate for r in records),
        "suite_cells": len(records),
    }
    return [r.model_copy(update={"factors": r.factors.model_copy(update=found | changes)}) for r in records]


def grid(counts: dict[str, list[list[int]]], regime: str = "standard") -> list[Record]:
    """Cells of 100 images from the robust counts of each row, [fraction][replicate]."""
    return [
        robust(right, row, fraction, regime, replicate)
        for row, table in counts.items()
        for fraction, line in zip(FRACTIONS, table, strict=True)
        for replicate, right in enumerate(line)
    ]


COUNTS = {
    "random": [[40, 42, 44], [50, 52, 54]],
    "easycore": [[46, 47, 49], [55, 59, 60]],
    "el2n": [[30, 31, 32], [40, 41, 42]],
}


def lines(markdown: str) -> list[list[str]]:
    """The cells of every table line."""
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in markdown.splitlines() if line[:1] == "|"
    ]


def line_of(markdown: str, row: str) -> list[str]:
    """The first table line that names the row."""
    return next(line for line in lines(markdown) if row in line)
