"""As many records as the largest suites have, quickly: chance outcomes around the true accuracies asked for."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from benchmark.records import Record
from tests.factories import PRIMARY, declared, record

IMAGES = 200
REGIMES = ("standard", "trades")
CLOCKS = ("", "@steps", "@cost")


def cell(rng: np.random.Generator, truth: float, *place: Any, images: int = IMAGES, **changes: Any) -> Record:
    """A cell whose images are right with probability 0.9, and of those robust so that `truth` are in all."""
    clean = rng.random(images) < 0.9
    robust = clean & (rng.random(images) < truth / 0.9)
    attacked = {(attack, PRIMARY): robust for attack in ("pgd-20", "margin-pgd-20")} | {("pgd-20", 0.05): clean}
    return record(*place, clean=clean.tolist(), attacked=attacked, **changes)


def suite(
    rows: Mapping[str, float],
    fractions: tuple[float, ...] = (0.1, 0.3),
    replicates: int = 3,
    regimes: tuple[str, ...] = ("standard",),
    draws: int = 0,
    matched: tuple[str, ...] = (),
    seed: int = 0,
    **changes: Any,
) -> list[Record]:
    """Every cell of a suite whose rows have these true robust accuracies, and random draws as good as `random`."""
    cells = list(_cells(np.random.default_rng(seed), rows, fractions, replicates, regimes, changes))
    found = declared(cells, suite_nulls=0)
    drawn = list(_draws(np.random.default_rng(seed + 1), rows, fractions, regimes, draws, matched))
    settled = {name: getattr(found[0].factors, name) for name in ("suite_fractions", "suite_replicates", "suite_cells")}
    both = [*found, *(r.model_copy(update={"factors": r.factors.model_copy(update=settled)}) for r in drawn)]
    return [r.model_copy(update={"factors": r.factors.model_copy(update={"suite_nulls": len(drawn)})}) for r in both]


def _cells(
    rng: np.random.Generator,
    rows: Mapping[str, float],
    fractions: tuple[float, ...],
    replicates: int,
    regimes: tuple[str, ...],
    changes: dict[str, Any],
) -> Iterator[Record]:
    for row, truth in rows.items():
        for fraction in fractions:
            for regime in regimes:
                for replicate in range(replicates):
                    yield cell(rng, truth, row, fraction, regime, replicate, **changes)


def _draws(
    rng: np.random.Generator,
    rows: Mapping[str, float],
    fractions: tuple[float, ...],
    regimes: tuple[str, ...],
    draws: int,
    matched: tuple[str, ...],
) -> Iterator[Record]:
    for null in ("uniform", *matched):
        for fraction in fractions:
            for regime in (name for name in regimes if "@" not in name):
                for draw in range(draws):
                    truth = rows["random" if null == "uniform" else null]
                    place = (f"null:{null}", fraction, regime, draw)
                    yield cell(rng, truth, *place, null=null, method="random", proxy_epochs=0)
