"""What a leaderboard says beyond its main table: rows unranked for flags, estimand B, more replicates, clocks."""

import pytest

from benchmark.leaderboard.document import leaderboard, render_markdown
from benchmark.leaderboard.standings import regime_standings
from benchmark.records import Record
from benchmark.spec import Recipe
from benchmark.stats import crossed
from tests.factories import COUNTS, declared, grid, line_of, robust
from tests.many import suite

ROWS = {"random": 0.4, "easycore": 0.5, "worse": 0.3}


def flagged(records: list[Record], row: str) -> list[Record]:
    return [r.model_copy(update={"flags": ("guard",)}) if r.factors.row == row else r for r in records]


def test_a_flagged_row_is_unranked_and_shown_ranked_behind() -> None:
    records = flagged(grid(COUNTS), "easycore")
    text = render_markdown(records)
    assert line_of(text, "easycore")[:2] == ["–", "easycore"]
    assert line_of(text, "random")[0] == "1"
    assert "easycore is not ranked: " in text
    assert "random has the highest mean robust accuracy" in text
    behind = text.split("With the rows that are not ranked above, as if no flag were raised")[1]
    assert line_of(behind, "easycore")[0] == "1"
    assert line_of(behind, "random")[0] == "2"
    order = [standing.row for standing in regime_standings(records)[0].order]
    assert order == ["random", "el2n", "easycore"]
    assert "no flag were raised" not in render_markdown(grid(COUNTS))


def test_flagged_rows_leave_the_family() -> None:
    assert regime_standings(grid(COUNTS))[0].family.comparisons == 3
    assert regime_standings(flagged(grid(COUNTS), "el2n"))[0].family.comparisons == 1
    assert regime_standings(flagged(grid(COUNTS), "el2n"), masked=True)[0].family.comparisons == 3


def test_nobody_is_left_to_be_ranked() -> None:
    records = grid(COUNTS)
    for row in COUNTS:
        records = flagged(records, row)
    assert "No row is left to be ranked, so nothing is summarised or ranked." in render_markdown(records)


def test_estimand_b_is_the_crossed_estimate_of_the_bits() -> None:
    records = suite(ROWS, replicates=5)
    regime = regime_standings(records)[0]
    own, other = regime.verdicts("easycore"), regime.verdicts("random")
    assert own is not None
    assert other is not None
    assert own.shape == (5, 200)
    assert own.mean() == pytest.approx(regime.means("robust", "easycore").mean())  # type: ignore[union-attr]
    assert regime.over_images("easycore", "random") == crossed(own - other)
    text = render_markdown(records)
    line = line_of(text.split("estimand B, over test images too")[1], "easycore")
    assert line[1].split()[0] == line[2].split()[0]
    assert float(line[2].split()[2]) >= float(line[1].split()[2])


def test_equal_replicates_are_never_printed_as_sure() -> None:
    """Of no metric: every share is rounded to images."""
    same = [r.model_copy(update={"results": records[0].results}) for records in [grid(COUNTS)] for r in records]
    regime = regime_standings(same)[0]
    widths = {m: regime.summary(m, "easycore") for m in ("robust", "clean", "worst_class", "robust_among_right")}
    assert all(found and found.half_width for found in widths.values()), widths
    assert widths["worst_class"].half_width > widths["clean"].half_width  # type: ignore[union-attr, operator]
    assert regime.over_images("easycore", "random").half_width  # type: ignore[union-attr]


def test_two_replicates_have_no_estimand_b() -> None:
    records = [r for r in grid(COUNTS) if r.factors.replicate < 2]
    assert "estimand B, over test images too" not in render_markdown(declared(records))


def test_the_family_of_the_suite_decides_and_is_named() -> None:
    pairs, baseline = (declared(suite(ROWS, replicates=5), suite_family=kind) for kind in ("pairs", "baseline"))
    assert "every pair of rows in every regime, on means over fractions (3 comparisons)" in render_markdown(pairs)
    assert "every row with the baseline in every regime" in render_markdown(baseline)
    assert regime_standings(baseline)[0].family.comparisons == 2


def test_a_family_with_the_baseline_alone_gives_sides_in_place_of_ranks() -> None:
    """What was never compared is not said to be alike, and no power is given for it."""
    counts = {"random": [40, 42, 43], "easycore": [41, 42, 45], "el2n": [60, 61, 63], "loss": [10, 12, 14]}
    records = grid({row: [line, line] for row, line in counts.items()})
    section = leaderboard(declared(records, suite_family="baseline")).sections[0]
    sides = {row: side for side, row, *_ in section.main.rows}
    assert section.main.columns[0] == "vs random"
    assert sides == {"el2n": "above", "easycore": "undecided", "random": "–", "loss": "below"}
    said = " ".join(section.headline)
    assert "rank" not in said
    assert "Not distinguishable from the best" not in said
    assert "above it el2n, below it loss. The family compares rows with random alone." in said
    assert "a paired difference of +1.0 ± 2.5 points to random, which the family leaves undecided. About " in said
    assert "would separate easycore from random" in said


def test_without_a_whole_baseline_there_are_no_sides() -> None:
    """Nothing was compared, so nothing is undecided either, and the page is made all the same."""
    records = grid(COUNTS)
    lacking = [r for r in records if (r.factors.row, r.factors.fraction, r.factors.replicate) != ("random", 0.1, 1)]
    without = [r for r in records if r.factors.row != "random"]
    for kept in (lacking, without, flagged(records, "random")):
        section = leaderboard(declared(kept, suite_family="baseline")).sections[0]
        assert section.main.columns[0] == "method"
        said = " ".join(section.headline)
        assert "undecided" not in said
        assert "would separate" not in said
        assert "Not distinguishable" not in said


def test_comparisons_of_several_regimes_are_one_family() -> None:
    assert regime_standings(suite(ROWS, regimes=("standard", "trades")))[0].family.comparisons == 6


def test_nothing_is_distinguishable_though_single_intervals_are() -> None:
    close = {f"m{i}": [[41 + i % 3, 43 + i % 2, 44 + i % 3]] * 2 for i in range(1, 12)}
    said = leaderboard(grid({"random": [[40, 42, 43]] * 2} | close)).sections[0].headline
    assert "No row is distinguishable from the best." in said
    beside = "In the family of 66 comparisons no row is distinguishable from random, though the single intervals put "
    assert beside + "7 rows above it." in said


def test_clocks_have_a_section_and_their_changes_are_said() -> None:
    steps = Recipe(epochs=30, clock="steps")
    other = {"random": COUNTS["easycore"], "easycore": COUNTS["random"], "el2n": COUNTS["el2n"]}
    records = grid(COUNTS) + [
        robust(right, row, fraction, "standard@steps", replicate, recipe=steps)
        for row, table in other.items()
        for fraction, line in zip((0.1, 0.3), table, strict=True)
        for replicate, right in enumerate(line)
    ]
    board = leaderboard(declared(records))
    assert [section.title for section in board.sections] == ["Standard training", "Standard training at equal steps"]
    assert any(
        "equal steps in place of equal epochs" in s and "easycore falls from rank 1 to 2" in s for s in board.changes
    )
    text = render_markdown(declared(records))
    assert "## Between clocks" in text
    assert not any("steps" in column for column in board.compact.columns)
    assert "## Between clocks" not in render_markdown(grid(COUNTS))
