"""A leaderboard in LaTeX: a file for each table, to be read by `\\input`, and a document that holds all of them.

The tables are those of the Markdown page, cell by cell. They need the packages booktabs and adjustbox. What records say
is escaped; a character that pdfLaTeX has no glyph for is printed as its code.
"""

import re
from collections.abc import Mapping
from itertools import groupby

from benchmark import wording
from benchmark.exports.names import Names
from benchmark.leaderboard.document import Leaderboard, Section
from benchmark.leaderboard.tables import Grid

DOCUMENT = "leaderboard.tex"

_SYMBOLS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",  # after the end of a line, what stands in brackets is read as a length
    "]": "{]}",
    "*": "{*}",
    "±": r"$\pm$",
    "−": "$-$",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "†": r"\textdagger{}",
    "∞": r"$\infty$",
    "×": r"$\times$",
    "·": r"$\cdot$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "→": r"$\rightarrow$",
    "ε": r"$\varepsilon$",
    "β": r"$\beta$",
    "ρ": r"$\rho$",
    "²": r"$^2$",
}
_LETTERS = re.compile(r"[ -~À-ÖØ-öø-ÿ]")  # that the encoding T1 prints as they are
_HYPHENS = re.compile(r"-(?=-)")

_PREAMBLE = r"""\documentclass[a4paper]{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage{textcomp}
\usepackage[landscape,margin=15mm]{geometry}
\usepackage{booktabs}
\usepackage{adjustbox}
\setlength{\emergencystretch}{3em}
"""


def tex(text: str) -> str:
    """The text with everything escaped that LaTeX would read as a command, and hyphens kept apart."""
    return _HYPHENS.sub("-{}", "".join(map(_character, wording.plain(text))))


def _character(character: str) -> str:
    if character in _SYMBOLS:
        return _SYMBOLS[character]
    return character if _LETTERS.match(character) else f"\\texttt{{U+{ord(character):04X}}}"


def files(board: Leaderboard, suite: str) -> Mapping[str, str]:
    """The content of each file by its name: the document, and what it reads."""
    names = Names({DOCUMENT.removesuffix(".tex")})
    found: dict[str, str] = {}

    def put(grid: Grid, name: str) -> str:
        fresh = names.fresh(name.lower().replace(" ", "-"))
        found[f"{fresh}.tex"] = table(grid, f"tab:{Names().fresh(suite)}-{fresh}")
        return f"\\input{{{fresh}}}\n"

    parts = [_head(board), put(board.compact, "all-regimes")]
    parts += [_section(section) + put(section.main, section.title) for section in board.sections]
    if board.clocks:
        parts.append("\n\\section{Between clocks}\n" + _paragraph(*board.changes))
        parts += [put(grid, "clocks") for grid in board.clocks]
    parts.append("\n\\section{Reading the tables}\n" + _items([tex(note) for note in board.notes]))
    for section in board.sections:
        behind = [put(grid, f"{section.title} {number}") for number, grid in enumerate(section.details, start=1)]
        parts.append(f"\n\\clearpage\n\\section{{Behind the tables: {tex(section.title)}}}\n" + "".join(behind))
    return {DOCUMENT: "".join(parts) + "\n\\end{document}\n", **found}


def table(grid: Grid, label: str) -> str:
    """One table, as wide as it is, or else as the text; names to the left, numbers to the right."""
    left = grid.columns.index("method") + 1
    lines = [_line(row) for row in grid.rows]
    if grid.reference:
        lines += [r"\midrule", _line(grid.reference, r"\textit{%s}")]
    body = "\n".join([r"\toprule", *_heads(grid.columns), r"\midrule", *lines, r"\bottomrule"])
    return (
        f"\\begin{{table}}[htbp]\n\\centering\n\\caption{{{tex(grid.title)}}}\n\\label{{{label}}}\n\\medskip\n"
        "\\begin{adjustbox}{max width=\\linewidth, max totalheight=0.8\\textheight}\n"
        f"\\begin{{tabular}}{{{'l' * left}{'r' * (len(grid.columns) - left)}}}\n{body}\n"
        "\\end{tabular}\n\\end{adjustbox}\n\\end{table}\n"
    )


def _heads(columns: tuple[str, ...]) -> list[str]:
    """The names of the columns; what neighbours have in common before a colon stands once, above them."""
    parts = [name.partition(": ") for name in columns]
    runs = [list(run) for _, run in groupby(range(len(parts)), key=lambda i: parts[i][0] if parts[i][1] else -i)]
    if max(map(len, runs)) == 1:
        return [_line(columns)]
    above = [f"\\multicolumn{{{len(run)}}}{{c}}{{{tex(parts[run[0]][0])}}}" if parts[run[0]][1] else "" for run in runs]
    rules = " ".join(f"\\cmidrule(lr){{{run[0] + 1}-{run[-1] + 1}}}" for run in runs if parts[run[0]][1])
    return [" & ".join(above) + r" \\", rules, _line(tuple(rest if colon else name for name, colon, rest in parts))]


def _line(cells: tuple[str, ...], form: str = "%s") -> str:
    return " & ".join(form % tex(cell) if cell else "" for cell in cells) + r" \\"


def _head(board: Leaderboard) -> str:
    facts = [f"\\textbf{{{tex(term)}:}} {tex(text)}" for term, text in board.facts]
    title = f"\n\\begin{{document}}\n\n\\section*{{Leaderboard: {tex(board.title)}}}\n"
    return _PREAMBLE + title + _items(facts)


def _section(section: Section) -> str:
    remarks = _items([tex(remark) for remark in section.remarks])
    return f"\n\\clearpage\n\\section{{{tex(section.title)}}}\n" + _paragraph(*section.headline) + remarks


def _paragraph(*sentences: str) -> str:
    return tex(" ".join(sentences)) + "\n\n" if sentences else ""


def _items(lines: list[str]) -> str:
    items = "".join(f"\\item {line}\n" for line in lines)
    return f"\\begin{{itemize}}\n{items}\\end{{itemize}}\n" if lines else ""
