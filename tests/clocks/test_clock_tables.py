"""What is said of clocks and costs, from records written by hand."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from benchmark.leaderboard import clocks
from benchmark.leaderboard.document import render_markdown
from benchmark.leaderboard.standings import RegimeStandings, regime_standings
from benchmark.leaderboard.tables import Grid, Labels
from benchmark.records import Cost, Record, Work
from benchmark.spec import Recipe
from tests.factories import FRACTIONS, POOL, RECIPES, declared, record, robust

LABEL = Labels(POOL, frozenset())
STANDARD = RECIPES["standard"]  # 30 epochs, 3 a presentation
WHOLE = 3 * 30 * POOL
Counts = Mapping[str, Sequence[int]]  # robust images of each row in each replicate, the same at every fraction


def on(clock: str) -> Recipe:
    return STANDARD.model_copy(update={"clock": clock})


def regime(counts: Counts, name: str = "standard", **changes: Any) -> list[Record]:
    clock = name.partition("@")[2] or "epochs"
    return [
        robust(right, row, fraction, name, replicate, recipe=on(clock), **changes)
        for row, line in counts.items()
        for fraction in FRACTIONS
        for replicate, right in enumerate(line)
    ]


def standings(records: Sequence[Record]) -> list[RegimeStandings]:
    return regime_standings(records)


FIRST = {"random": (40, 41, 42), "easycore": (80, 81, 82), "el2n": (20, 21, 22)}


def changes(second: Counts, first: Counts = FIRST) -> str:
    (sentence,) = clocks.rank_changes(standings(regime(first) + regime(second, "standard@cost")))
    return sentence


def test_a_row_whose_ranks_do_not_overlap_has_surely_moved() -> None:
    assert changes({"random": (80, 81, 82), "easycore": (40, 41, 42), "el2n": (20, 21, 22)}) == (
        "Standard training, equal total cost in place of equal epochs: random rises from rank 2 to 1 and easycore "
        "falls from rank 1 to 2 (ranks among the 3 rows that have one on both)."
    )


def test_a_move_that_intervals_leave_open_is_said_to_be_open() -> None:
    sentence = changes({"random": (60, 50, 40), "easycore": (40, 59, 48), "el2n": (41, 40, 62)})
    assert "no rank surely changes, and the farthest move by the mean is that of " in sentence


def test_where_nothing_moves_that_is_said() -> None:
    assert changes(FIRST).endswith(
        "no row changes its place by the mean (ranks among the 3 rows that have one on both)."
    )


def test_two_replicates_give_places_and_nothing_sure() -> None:
    first = {row: counts[:2] for row, counts in FIRST.items()}
    second = {**first, "random": (90, 91)}
    (sentence,) = clocks.rank_changes(standings(declared(regime(first) + regime(second, "standard@cost"))))
    assert sentence.endswith(
        "equal epochs: the farthest move by the mean is that of random (2 to 1) and easycore (1 to 2) (ranks among the "
        "3 rows that have one on both)."
    )


def test_ranks_are_among_rows_that_have_one_on_both() -> None:
    """Without `easycore`, random was first before: it has not risen."""
    lost = regime({"random": (40, 41, 42), "el2n": (20, 21, 22)}, "standard@cost")
    beyond = [
        record("easycore", f, "standard@cost", r, recipe=on("cost"), failure="Not affordable: too dear.")
        for f in FRACTIONS
        for r in range(3)
    ]
    (sentence,) = clocks.rank_changes(standings([*regime(FIRST), *lost, *beyond]))
    assert sentence.endswith("no row changes its place by the mean (ranks among the 2 rows that have one on both).")


def test_one_row_on_both_has_no_ranks() -> None:
    one = {"random": (40, 41, 42)}
    assert "fewer than two rows" in changes(one, one)


def test_regimes_on_one_clock_have_nothing_to_say() -> None:
    found = standings(regime(FIRST) + regime(FIRST, "trades"))
    assert clocks.rank_changes(found) == clocks.comparison(found, LABEL) == []


def column(grid: Grid, name: str) -> dict[str, str]:
    return {row[grid.columns.index("method")]: row[grid.columns.index(name)] for row in grid.rows}


def test_the_clocks_stand_side_by_side() -> None:
    records = regime(FIRST, "standard@cost") + regime({row: counts[::-1] for row, counts in FIRST.items()})
    (grid,) = clocks.comparison(standings(records), LABEL)
    assert grid.columns == (
        "method",
        *(f"equal {clock}: {what}" for clock in ("epochs", "total cost") for what in ("rank", "robust", "− random")),
    )
    assert column(grid, "equal epochs: rank") == {"random": "2", "easycore": "1", "el2n": "3"}
    assert column(grid, "equal total cost: − random")["easycore"].startswith("+40.0")
    assert column(grid, "equal total cost: − random")["random"] == "–"


def priced(row: str, fraction: float, work: Work | None, **changes: Any) -> Record:
    seconds = {"proxy": 2.0, "select": 0.5, "train": 10 * fraction}
    return record(row, fraction, work=work, cost=Cost(seconds=seconds), **changes)


def costs(records: Sequence[Record]) -> Grid:
    (only,) = standings(records)
    return clocks.costs(records, only, LABEL)


def test_costs_are_counted_in_trainings_on_the_whole_pool() -> None:
    records = [
        priced(row, fraction, Work(alone=alone * WHOLE, shared=alone * WHOLE / 8, training=round(fraction * WHOLE)))
        for row, alone in (("random", 0), ("easycore", 2))
        for fraction in FRACTIONS
    ]
    grid = costs(
        [r.model_copy(update={"factors": r.factors.model_copy(update={"suite_replicates": 1})}) for r in records]
    )
    assert [row[1:] for row in sorted(grid.rows)] == [
        ("2.00", "0.25", "0.20", "2.20", "0.45", "2.00", "0.50", "2.00"),
        ("0.00", "0.00", "0.20", "0.20", "0.20", "2.00", "0.50", "2.00"),
    ]


def test_older_records_give_a_lower_limit_and_say_so() -> None:
    """Twenty epochs of a proxy on the whole pool, and nothing on what was recorded on it."""
    records = [
        priced(row, fraction, None, proxy_recipe=None if row == "random" else STANDARD, suite_replicates=1)
        for row in ("random", "easycore")
        for fraction in FRACTIONS
    ]
    grid = costs(records)
    assert column(grid, "before training, alone") == {"random": "0.00", "easycore": "≥ 0.67"}
    assert column(grid, "before training, shared") == {"random": "0.00", "easycore": "–"}
    assert column(grid, "in all, alone") == {"random": "0.20", "easycore": "≥ 0.87"}
    assert any(note.startswith("≥ before a cost") for note in clocks.notes(records))


def test_a_row_that_cannot_pay_has_a_price_and_no_training() -> None:
    work = Work(alone=3 * WHOLE, shared=WHOLE, training=0, budget=round(2.1 * WHOLE))
    records = [
        *(priced("random", f, Work(alone=0, shared=0, training=WHOLE), suite_replicates=1) for f in FRACTIONS),
        *(priced("vog", f, work, failure="Not affordable.", suite_replicates=1) for f in FRACTIONS),
    ]
    grid = costs(records)
    assert column(grid, "before training, alone")["vog"] == "3.00"
    assert column(grid, "training")["vog"] == column(grid, "in all, alone")["vog"] == "–"


def test_the_note_says_how_large_the_allowance_is() -> None:
    k = round(0.1 * POOL)
    work = Work(alone=0, shared=0, training=0, budget=2 * WHOLE + 3 * 30 * k)
    (record_,) = [priced("random", 0.1, work, regime="standard@cost", recipe=on("cost"))]
    assert any("in trainings on the whole pool: 2.00 in standard" in note for note in clocks.notes([record_]))


@pytest.mark.parametrize("name", ["<script>x</script>", "a|b", "two\nlines", "$x$ & *y*"])
def test_names_end_no_line_and_are_escaped(name: str) -> None:
    second = {"random": (80, 81, 82), name: (40, 41, 42)}
    records = regime({"random": (40, 41, 42), name: (80, 81, 82)}) + regime(second, "standard@cost")
    records = declared(records)
    assert all("\n" not in sentence for sentence in clocks.rank_changes(standings(records)))
    page = render_markdown(records)
    assert "<script>" not in page
    assert "| a|b |" not in page
