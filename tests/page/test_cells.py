"""The cells behind the page: counts are those of the bits, commands those of the command line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.leaderboard.outcomes import settings
from benchmark.page.cells import COLUMNS, cells
from benchmark.records import Record, Seeds, pack_bits
from benchmark.rerun import added, command
from methods.errors import UsageError
from tests.factories import declared, record, results


def shown(records: list[Record]) -> list[dict[str, Any]]:
    """Each cell by column, with what it shares looked up."""
    found = cells(records, settings(records))
    pools = found["pools"]
    lines = [dict(zip(COLUMNS, line, strict=True)) for line in found["cells"]]
    shared = ("row", "regime", "training", "seeds", "attacks", "origin")
    return [line | {name: pools[name][line[name]] for name in shared if line[name] is not None} for line in lines]


def test_counts_are_those_of_the_bits() -> None:
    rng = np.random.default_rng(0)
    clean = rng.random(97) < 0.8
    first, second = (clean & (rng.random(97) < 0.5) for _ in range(2))
    attacked = {("pgd-20", 0.05): clean, ("pgd-20", 0.1): first, ("margin-pgd-20", 0.1): second}
    (cell,) = shown(declared([record(clean=clean, attacked=attacked)]))
    assert cell["clean"][:2] == [int(clean.sum()), 97]
    assert cell["counts"] == [int(clean.sum()), int(first.sum()), int(second.sum())]
    assert cell["robust"][1][:2] == [int((first & second).sum()), 97]
    assert cell["robust"][1][2] == f"{100 * (first & second).mean():.1f}"
    assert [each["attack"] for each in cell["attacks"]] == ["PGD-20", "PGD-20", "margin PGD-20"]


def test_the_worst_class_is_the_one_of_the_lowest_share() -> None:
    outcome = results([True, False, True, False, True, True], {("pgd-20", 0.1): [True] * 6})
    ran = record(attacked={("pgd-20", 0.1): [True] * 6}).model_copy(update={"results": outcome})
    (cell,) = shown(declared([ran]))
    assert cell["worst_class"] == [1, 1, 3]


@pytest.mark.parametrize(
    ("codes", "text"),
    [([0, 2, 2, 2], "0.100"), ([0, 0, 0, 0], None), ([8, 8, 8, 1], "> 0.350"), ([1, 3, 5, 0], "0.150")],
)
def test_the_median_smallest_epsilon(codes: list[int], text: str | None) -> None:
    (cell,) = shown(declared([record(clean=[code > 0 for code in codes], codes=codes)]))
    assert cell["median"] == text


def test_seeds_of_more_digits_than_javascript_holds_are_text() -> None:
    seeds = Seeds(proxies=(2**62 + 1, 7), selection=2**61 + 1, training=5, attack=2**53)
    (cell,) = shown(declared([record(seeds=seeds)]))
    assert cell["seeds"] == {
        "proxies": "4611686018427387905, 7",
        "selection": "2305843009213693953",
        "training": 5,
        "attack": "9007199254740992",
    }


def test_a_failed_cell_has_its_reason_and_no_outcome() -> None:
    (cell,) = shown(declared([record(failure="out of memory\nand more")]))
    assert cell["failure"] == "training: out of memory and more"
    assert cell["clean"] is None
    assert cell["counts"] is None


def test_what_cells_share_is_written_once() -> None:
    many = declared([record(row, 0.3, "standard", r) for row in ("random", "easycore") for r in range(3)])
    pools = cells(many, settings(many))["pools"]
    assert [len(pools[name]) for name in ("row", "regime", "training", "seeds", "origin")] == [2, 1, 1, 3, 1]


def test_random_draws_are_counted_and_left_to_the_records() -> None:
    draws = [record("null:uniform", replicate=draw, null="uniform") for draw in range(3)]
    many = declared([record("easycore"), *draws])
    assert [cell["row"]["row"] for cell in shown(many)] == ["easycore"]
    assert cells(many, settings(many))["draws"] == 3


def test_a_cell_whose_attacks_saw_fewer_images_is_counted_on_those() -> None:
    kept = np.array([True, False, True])
    ran = record(clean=[True] * 5, attacked={("pgd-20", 0.1): kept})
    assert pack_bits(kept) == ran.results.attacks[0].bits if ran.results else False
    (cell,) = shown(declared([ran]))
    assert cell["robust"][1] == [2, 3, "66.7"]


@pytest.mark.parametrize(
    ("head", "base", "rows", "clock"),
    [
        ("digits", "digits", [], None),
        ("digits+mine", "digits", ["mine"], None),
        ("digits+el2n@low+balanced+steps", "digits", ["el2n@low+balanced"], "steps"),
    ],
)
def test_rows_and_clock_are_read_from_a_cells_name(head: str, base: str, rows: list[str], clock: str | None) -> None:
    assert added(head, base) == (rows, clock)


def test_a_cell_of_another_suite_is_refused() -> None:
    with pytest.raises(UsageError, match="is of suite 'cifar10'"):
        added("cifar10", "digits")


def test_a_command_names_the_cell_and_nothing_that_matches_it() -> None:
    typed = command("digits/a [b]/0.3/standard/0", "digits", ["a"], "steps", Path("again"))
    assert typed == (
        "coreset-bench run digits --row a --clock steps --only 'digits/a [[]b]/0.3/standard/0' "
        "--store again/store --results again/results"
    )
