"""Numbers that somebody typed into prose: in a template, or in Markdown.

A result comes from a record, so prose has no numbers but those of names (CIFAR-10, el2n@low), of code, of links, and
what `ALLOWED` lists. Words for small numbers are not looked for.
"""

import re
from collections.abc import Iterator

import jinja2

# What is no result, whatever it says.
ALLOWED = (
    r"\b\d+(\.\d+)?/255\b",  # radii, in the manner of pixels
    r"\bPython \d\.\d+",
    r"\barXiv:\d{4}\.\d{5}\b",
    r"\bet al\.,? \(?\d{4}\b",  # the year of a paper
)
_RENDERED = r"<!-- leaderboard:(\S+) -->.*?<!-- /leaderboard:\1 -->"  # held to its records by itself
_FENCE = r"^```.*?^```"
_MARKUP = (r"<!--.*?-->", r"`[^`\n]*[A-Za-z][^`\n]*`", r"\]\([^)\s]*\)", r"https?://\S+")
_NUMBER = re.compile(r"(?<![\w.,])(?<![A-Za-z]-)\d[\d.,]*(?<![.,])")  # not in cifar10, not in PGD-20


def typed(markdown: str) -> Iterator[tuple[int, str]]:
    """The line, from 1, and the digits of every number in the prose of a Markdown text."""
    for pattern in (_RENDERED, _FENCE, *_MARKUP, *ALLOWED):
        markdown = re.sub(pattern, _blank, markdown, flags=re.DOTALL | re.MULTILINE)
    for line, text in enumerate(markdown.splitlines(), start=1):
        for found in _NUMBER.finditer(text):
            yield line, found.group()


def typed_in_template(source: str) -> Iterator[tuple[int, str]]:
    """The same of a Jinja template: its text, and constants that are printed or set without asking a record.

    Raises:
        jinja2.TemplateSyntaxError: it is none.
    """
    environment = jinja2.Environment()
    tokens = environment.lex(source)
    yield from typed("".join(text if kind == "data" else "\n" * text.count("\n") or " " for _, kind, text in tokens))
    for constant in _constants(environment.parse(source)):
        for found in _NUMBER.finditer(str(constant.value)):
            yield constant.lineno, found.group()


def _constants(node: jinja2.nodes.Node) -> Iterator[jinja2.nodes.Const]:
    """Constants that are no arguments: what is passed to a call is a name or a fraction that records are asked for."""
    if isinstance(node, jinja2.nodes.Const):
        yield node
    elif isinstance(node, jinja2.nodes.Filter) and node.node is not None:
        yield from _constants(node.node)
    elif not isinstance(node, jinja2.nodes.Call):
        for child in node.iter_child_nodes():
            yield from _constants(child)


def _blank(found: re.Match[str]) -> str:
    """As many lines, and nothing in them; a space, so that what stood on either side is not joined."""
    return " " + "\n" * found.group().count("\n")
