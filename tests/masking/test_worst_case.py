"""The table of each model under everything that was run against it."""

import pytest

from benchmark.leaderboard import worst_case
from benchmark.leaderboard.standings import regime_standings
from benchmark.leaderboard.tables import Grid, Labels
from benchmark.records import Record
from tests.factories import bits, declared, record

PRIMARY = 0.1


def cell(row: str, fraction: float, replicate: int, usual: int, guarded: int | None = None, **more: object) -> Record:
    """Ten images, right when clean; `usual` withstand PGD, of the first four `guarded` the guard (None: not run)."""
    attacked = {("pgd-20", 0.05): bits(10, 10), ("pgd-20", PRIMARY): bits(usual, 10)}
    if guarded is not None:
        attacked["guard", PRIMARY] = bits(guarded, 4)
    return record(row, fraction, "standard", replicate, clean=bits(10, 10), attacked=attacked, codes=[8] * 10, **more)


def grid(records: list[Record]) -> Grid:
    kept = declared(records)
    (found,) = worst_case.grids(kept, regime_standings(kept)[0], Labels(1100, frozenset()))
    return found


def test_everything_counts_on_the_images_that_all_of_it_saw() -> None:
    records = [cell("x", f, r, 6, guarded=3 - r) for f in (0.1, 0.3) for r in (0, 1)]
    records += [cell("y", f, r, 2) for f in (0.1, 0.3) for r in (0, 1)]
    found = grid([*records, *(cell("full", 1.0, r, 3, guarded=2) for r in (0, 1))])
    assert found.columns == ("method", "10 %", "30 %", "mean", "PGD-20, mean", "difference")
    assert "first 4 test images" in found.title
    assert found.rows == (
        ("x", "62.5", "62.5", "62.5", "100.0", "−37.5"),
        ("y", "50.0", "50.0", "50.0", "50.0", "0.0"),
    )
    assert found.reference == ("all 1,100 images", "", "", "50.0", "75.0", "−25.0")


def test_the_search_for_the_smallest_epsilon_counts() -> None:
    flipped = record(
        "x", 0.3, "standard", 0, clean=bits(4, 4), attacked={("pgd-20", PRIMARY): bits(4, 4)}, codes=[2] * 4
    )
    assert grid([flipped]).rows == (("x", "0.0", "0.0", "100.0", "−100.0"),)


def test_rows_that_lack_cells_have_no_mean() -> None:
    records = [cell("x", f, r, 6) for f in (0.1, 0.3) for r in (0, 1)]
    records += [cell("y", 0.1, 1, 2), cell("y", 0.3, 0, 0, failure="no.")]
    lines = {row[0]: row[1:] for row in grid(records).rows}
    assert lines["y"] == ("20.0 (1/2)", "–", "–", "–", "–")


def test_intervals_need_three_replicates() -> None:
    (line,) = grid([cell("x", 0.3, r, 6 + r, guarded=4) for r in range(3)]).rows
    assert line[1].startswith("100.0 ± ")


@pytest.mark.parametrize("failure", ["no."])
def test_a_regime_of_failed_cells_has_no_table(failure: str) -> None:
    kept = declared([record("x", 0.3, "standard", 0, failure=failure)])
    assert worst_case.grids(kept, regime_standings(kept)[0], Labels(1100, frozenset())) == []


def test_random_draws_have_no_line() -> None:
    records = [cell("x", 0.3, r, 6) for r in range(3)]
    draws = [cell("random", 0.3, r, 0, null="uniform") for r in range(3)]
    assert [row[0] for row in grid(records + draws).rows] == ["x"]


def test_hostile_names_are_plain_text() -> None:
    assert grid([cell("<b>\n|x", 0.3, 0, 6)]).rows[0][0] == "<b> |x"
