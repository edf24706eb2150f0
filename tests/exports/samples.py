"""Records that try every way out: failed cells, names full of markup, AutoAttack, random draws, the dynamic track."""

from typing import Any

from benchmark.records import Record, Sign
from tests.factories import PRIMARY, bits, declared, grid, record, robust

HOSTILE = '</script> | a,b;"c" & 100 % $x^2$ \\input{x} #1_{2} ~ *[3pt] ?` -- 中文 é\nnext'
FAILURE = "out of memory & <b>time</b> \\\\ $"


def strong(row: str, fraction: float, regime: str, replicate: int, **changes: Any) -> Record:
    """A cell of 10 images, 8 right: 6 under PGD, and of the first 5 three under AutoAttack, two under everything."""
    attacked = {
        ("pgd-20", 0.05): bits(8, 10),
        ("pgd-20", PRIMARY): [True, True, False, *bits(4, 4), False, False, False],
        ("autoattack", PRIMARY): bits(3, 5),
    }
    return record(row, fraction, regime, replicate, clean=bits(8, 10), attacked=attacked, **changes)


def suite() -> list[Record]:
    """Three rows in two regimes: one of hostile name; one cell failed, one met AutoAttack, two draws at 30 %."""
    found = []
    for regime in ("standard", "trades"):
        for row in ("random", "easycore", HOSTILE):
            for fraction in (0.1, 0.3):
                for replicate in range(3):
                    place = (row, fraction, regime, replicate)
                    if place == ("easycore", 0.1, "trades", 2):
                        found.append(record(*place, failure=FAILURE))
                    elif place == (HOSTILE, 0.3, "standard", 0):
                        found.append(strong(*place, flags=("square-gain", HOSTILE)))
                    else:
                        found.append(record(*place, clean=bits(8, 10), codes=[7] * 3 + [2] * 5 + [0] * 2))
    drawn = [
        record("null:uniform", 0.3, "standard", draw, null="uniform", method="random", clean=bits(9, 10))
        for draw in range(2)
    ]
    settled = declared(found, suite_nulls=2)
    shared = {
        name: getattr(settled[0].factors, name)
        for name in ("suite_fractions", "suite_replicates", "suite_cells", "suite_nulls")
    }
    return [*settled, *(r.model_copy(update={"factors": r.factors.model_copy(update=shared)}) for r in drawn)]


def dynamic() -> list[Record]:
    """A row at the budgets of a dynamic suite, and one that spends what it must."""
    rows: list[tuple[str, list[float], dict[str, Any]]] = [
        ("rs2", [0.1, 0.3], {}),
        ("infobatch", [1.0], {"own_budget": True}),
    ]
    found = [
        robust(50 + replicate, row, fraction, "standard", replicate, track="dynamic", presentations=5000, **changes)
        for row, fractions, changes in rows
        for fraction in fractions
        for replicate in range(3)
    ]
    return declared(found, suite_fractions=(0.1, 0.3))


def signed(found: Record, **signs: Sign) -> Record:
    """The same model, looked at for signs of masked gradients."""
    assert found.results is not None
    return found.model_copy(update={"results": found.results.model_copy(update={"signs": signs})})


def counted() -> list[Record]:
    """Rows whose robust accuracies differ, 100 images each."""
    return declared(grid({"random": [[40, 42, 44], [50, 52, 54]], "easycore": [[46, 47, 49], [55, 59, 60]]}))
