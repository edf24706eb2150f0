"""Accuracy along an axis: what is drawn is what the standings say, and nothing is drawn that is not there."""

import pytest

from benchmark.figures import curves
from benchmark.figures.emphasis import MOST, inks, rule
from benchmark.leaderboard.standings import regime_standings
from tests import factories as f
from tests.figures.drawn import HOSTILE, board, drawn, redrawn, table


def test_the_table_holds_the_standings() -> None:
    found = {
        (line["regime"], line["measure"], line["row"], line["share"]): line
        for line in table(drawn(board())["fractions"])
    }
    line = found["standard", "robust", "easycore", "0.1"]
    assert float(line["mean_percent"]) == pytest.approx((46 + 47 + 49) / 3, rel=1e-5)
    assert line["replicates"] == "3"
    assert float(line["half_width_points"]) > 0
    assert float(found["trades", "robust", "full", "1"]["mean_percent"]) == 61
    assert len(found) == 2 * 2 * (3 * 2 + 1)


def test_figures_of_one_run_are_the_same_bytes() -> None:
    first, second = drawn(board()), drawn(board())
    assert list(first) == ["fractions", "radii", "tradeoff", "gains"]
    for name in first:
        assert first[name].svg() == second[name].svg()
        assert first[name].png() == second[name].png()
        assert first[name].table.csv() == second[name].table.csv()


def test_the_order_of_records_changes_no_number() -> None:
    first, second = drawn(board()), drawn(board()[::-1])
    for name in first:
        assert sorted(map(str, table(first[name]))) == sorted(map(str, table(second[name])))


def lines_of(axes: object) -> dict[str, list[list[float]]]:
    """Heights of the lines in each colour."""
    from matplotlib.colors import to_hex

    found: dict[str, list[list[float]]] = {}
    for line in axes.lines:  # type: ignore[attr-defined]
        found.setdefault(to_hex(line.get_color()), []).append([float(y) for y in line.get_ydata()])
    return found


def test_a_missing_cell_breaks_its_line_and_is_empty_in_the_table() -> None:
    records = [r for r in board() if not (r.factors.row == "easycore" and r.factors.fraction == 0.1)]
    records = [r for r in records if not (r.factors.row == "el2n" and r.factors.replicate == 2)]
    drawing = redrawn(curves.fractions, f.declared(records))
    found = {(line["measure"], line["row"], line["share"]): line for line in table(drawing)}
    gone = found["robust", "easycore", "0.1"]
    assert (gone["mean_percent"], gone["half_width_points"], gone["replicates"]) == ("", "", "0")
    assert found["robust", "el2n", "0.3"]["replicates"] == "2"
    assert found["robust", "el2n", "0.3"]["half_width_points"] == ""
    ink = inks(regime_standings(f.declared(records)))["easycore"]
    heights = lines_of(drawing.figure.axes[0])[ink.color.lower()]
    assert heights[0][0] != heights[0][0]  # not a number, so not drawn
    drawing.svg()


def test_one_replicate_has_no_band_and_says_so() -> None:
    records = f.declared([r for r in board() if r.factors.replicate == 0])
    drawing = redrawn(curves.fractions, records)
    assert not any(axes.collections for axes in drawing.figure.axes)
    assert all(line["half_width_points"] == "" for line in table(drawing))
    assert "values without intervals" in " ".join(text.get_text() for text in drawing.figure.texts)
    assert any(axes.collections for axes in redrawn(curves.fractions, board()).figure.axes)


def test_one_fraction_is_drawn_by_its_markers() -> None:
    records = f.declared([r for r in board() if r.factors.fraction in (0.3, 1.0)])
    for name, drawing in drawn(records).items():
        assert drawing.svg(), name
    assert {line["share"] for line in table(redrawn(curves.fractions, records))} == {"0.3", "1"}


def test_a_failed_row_is_drawn_nowhere_and_a_failed_suite_not_at_all() -> None:
    records = [r for r in board() if r.factors.row != "el2n"]
    records += [f.record("el2n", x, g, r, failure="lost") for x in f.FRACTIONS for g in f.RECIPES for r in f.REPLICATES]
    found = table(drawn(f.declared(records))["fractions"])
    assert {line["replicates"] for line in found if line["row"] == "el2n"} == {"0"}
    assert drawn(f.declared([f.record(failure="lost")])) == {}


def test_each_clock_has_figures_of_its_own_whatever_its_name() -> None:
    """A clock becomes a part of a file's name: a record must not choose the folder."""
    cells = f.grid(f.COUNTS) + f.grid(f.COUNTS, "standard@steps") + f.grid(f.COUNTS, "standard@../../up")
    found = drawn(f.declared(cells))
    assert [name for name in found if name.startswith("radii")] == ["radii", "radii@steps", "radii@-up"]
    assert {line["regime"] for line in table(found["radii@steps"])} == {"standard@steps"}


def test_hostile_names_are_text() -> None:
    counts = {**f.COUNTS, HOSTILE: [[60, 61, 62], [70, 71, 72]]}
    for drawing in drawn(board(counts)).values():
        svg = drawing.svg()
        assert b"<script" not in svg
        assert "$x^2$" in drawing.table.csv().decode()
        assert "\n" not in next(line["row"] for line in table(drawing) if "script" in line["row"])


def test_seven_rows_are_coloured_by_the_stated_rule() -> None:
    """Of fifteen, the baseline, easycore and the five best, which differ between regimes."""
    rows = {f"m{i:02d}": [[20 + i] * 3, [30 + i] * 3] for i in range(13)} | f.COUNTS
    other = {**rows, "m03": [[90] * 3, [90] * 3]}
    regimes = regime_standings(f.declared(f.grid(rows) + f.grid(other, "trades")))
    chosen = inks(regimes)
    assert list(chosen)[:2] == ["random", "easycore"]
    assert len(chosen) == MOST
    assert {"m03", "m12"} <= set(chosen)
    assert len({(ink.color, ink.marker) for ink in chosen.values()}) == MOST
    assert len({ink.color for ink in chosen.values()}) == len({ink.marker for ink in chosen.values()}) == MOST
    assert "random, easycore, then" in rule(regimes)
    assert rule(regime_standings(board())) == ""  # of three rows none is grey


def test_without_baseline_and_easycore_the_best_are_coloured() -> None:
    rows = {f"m{i:02d}": [[20 + i] * 3, [30 + i] * 3] for i in range(9)}
    assert list(inks(regime_standings(f.declared(f.grid(rows))))) == [f"m{i:02d}" for i in range(8, 1, -1)]
