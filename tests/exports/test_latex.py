"""LaTeX: the Markdown tables' cells, nothing in them that LaTeX would read as a command, and documents that compile."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmark.exports.latex import DOCUMENT, files, table, tex
from benchmark.leaderboard.document import leaderboard
from benchmark.leaderboard.tables import Grid
from benchmark.records import Record
from tests.exports.samples import HOSTILE, counted, dynamic, suite

# What may stand in escaped text: plain characters, escaped ones, symbols, and groups around one character.
ESCAPED = re.compile(
    r"(?:[A-Za-z0-9 .,:;!?()/+=@\-éÀ-ÿ]"
    r"|\\[{}$&#%_]"
    r"|\\(?:text[a-z]+)\{(?:U\+[0-9A-F]{4,6})?\}"
    r"|\{[\[\]*]\}|\{\}"
    r"|\$(?:\\[a-z]+|-|\^2)\$)*"
)


@pytest.mark.parametrize("character", [*map(chr, range(32, 127)), *"éßε−–±†∞×≥β²中\u200b🙂"])
def test_no_character_is_a_command(character: str) -> None:
    assert ESCAPED.fullmatch(tex(f"a{character}b"))
    assert ESCAPED.fullmatch(tex(character * 2))


def test_numbers_and_signs() -> None:
    assert tex("−4.2 ± 1.3") == r"$-$4.2 $\pm$ 1.3"
    assert tex("30 %") == r"30 \%"
    assert tex("1–18") == r"1\textendash{}18"
    assert tex("a--b ?`") == r"a-{}-b ?\textasciigrave{}"
    assert tex("x\ny\x1b[31m") == "x y {[}31m"
    assert tex("中") == r"\texttt{U+4E2D}"


def test_cells_are_those_of_the_grid() -> None:
    grid = leaderboard(counted()).sections[0].main
    lines = [line for line in table(grid, "tab:x").splitlines() if line.endswith(r"\\")]
    found = [line.removesuffix(r" \\").split(" & ") for line in lines]
    assert found == [[tex(cell) for cell in cells] for cells in (grid.columns, *grid.rows)]
    assert any(r"$\pm$" in cell for cells in found for cell in cells)


def test_a_reference_stands_apart_in_italics() -> None:
    grid = Grid("t", ("rank", "method", "mean"), (("1", "easycore", "50"),), reference=("", "all 1,100 images", "60"))
    text = table(grid, "tab:x")
    assert "\\midrule\n & \\textit{all 1,100 images} & \\textit{60} \\\\\n\\bottomrule" in text
    assert r"\begin{tabular}{llr}" in text


def test_what_columns_have_in_common_stands_above_them() -> None:
    grid = Grid("t", ("method", "a_: rank", "a_: mean", "b: mean", "clean"), (("x", "1", "2", "3", "4"),))
    assert (
        "\\toprule\n"
        " & \\multicolumn{2}{c}{a\\_} & \\multicolumn{1}{c}{b} &  \\\\\n"
        "\\cmidrule(lr){2-3} \\cmidrule(lr){4-4}\n"
        "method & rank & mean & mean & clean \\\\\n"
        "\\midrule"
    ) in table(grid, "tab:x")


@pytest.mark.parametrize("records", [suite(), dynamic(), counted()], ids=["hostile", "dynamic", "plain"])
def test_every_grid_has_a_file_that_the_document_reads(records: list[Record]) -> None:
    board = leaderboard(records)
    found = files(board, records[0].suite)
    grids = [board.compact, *board.clocks, *(g for s in board.sections for g in (s.main, *s.details))]
    assert len(found) == 1 + len(grids)
    assert set(re.findall(r"\\input\{(.*?)\}", found[DOCUMENT])) == {n[:-4] for n in found if n != DOCUMENT}
    titles = [re.search(r"\\caption\{(.*)\}\n", text) for name, text in found.items() if name != DOCUMENT]
    assert sorted(t.group(1) for t in titles if t) == sorted(tex(grid.title) for grid in grids)


def test_what_records_say_is_escaped_everywhere() -> None:
    found = files(leaderboard(suite()), "digits")
    text = "".join(found.values())
    assert "\\input{x}" not in text
    assert tex(HOSTILE) in text
    assert all(re.fullmatch(r"[a-z0-9@+.-]+\.tex", name) for name in found)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("records", [suite(), dynamic()], ids=["hostile", "dynamic"])
def test_the_document_compiles(records: list[Record], tmp_path: Path) -> None:
    for name, text in files(leaderboard(records), records[0].suite).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", DOCUMENT]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120)
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Missing character" not in run.stdout
