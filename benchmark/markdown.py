"""What every Markdown page is made with: templates that fail on a missing name, and tables whose source is aligned."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import jinja2

from benchmark import wording

_TEMPLATES = Path(__file__).parent / "templates"


def template(name: str, folder: Path = _TEMPLATES) -> jinja2.Template:
    """A template of this package, or of a folder; its filter `md` escapes what records say.

    Raises:
        jinja2.TemplateSyntaxError: it is none.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, not HTML
    )
    environment.filters["md"] = wording.markdown
    environment.filters["code"] = code
    return environment.get_template(name)


def code(names: str | Sequence[str], limit: int = 6) -> str:
    """Names set as code: "`a`, `b` and `c`"; more than `limit` are counted."""
    each = [names] if isinstance(names, str) else names
    return wording.listed([f"`{wording.plain(name).replace('`', '')}`" for name in each], limit)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table of cells that are Markdown already; the first `left` columns are text, the others numbers."""
    lines = [columns, *rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]

    def line(cells: Sequence[str]) -> str:
        padded = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))]
        return f"| {' | '.join(padded)} |"

    rule = "|".join(":" + "-" * (w + 1) if i < left else "-" * (w + 1) + ":" for i, w in enumerate(widths))
    return "\n".join([line(lines[0]), f"|{rule}|", *map(line, lines[1:])])


def filled(text: str, width: int = 120) -> str:
    """Markdown with the lines of paragraphs and list items filled anew; tables, code, headings and HTML stay."""
    whole = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    lines: list[str] = []
    paragraph: list[str] = []
    fenced = False

    def close() -> None:
        if paragraph:
            whole.subsequent_indent = "  " if paragraph[0].startswith("- ") else ""
            lines.extend(whole.wrap(" ".join(line.strip() for line in paragraph)))
            paragraph.clear()

    for line in text.splitlines():
        fence = line.startswith("```")
        kept = fence or fenced or not line or line.startswith(("|", "#", "<"))
        fenced ^= fence
        if kept or line.startswith("- "):
            close()
        (lines if kept else paragraph).append(line)
    close()
    return "\n".join(lines) + "\n"
