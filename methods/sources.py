"""What a formula computes, as text: a part of the key of everything that it computes.

Comments, docstrings, annotations and layout are no part of it, so that a reworded sentence computes nothing again.
"""

import ast
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
IMPORTED = re.compile(r"^\s*(?:from|import) (\.*[\w.]*)", re.MULTILINE)
# What all of them build on, whose changes are changes of a stage's version, or no formula at all.
COMMON = {"api", "dynamics", "errors", "functions", "policies", "registry", "signals", "signals.recorder"}
OURS = ("benchmark", "methods")  # the former is held to versions, the latter is followed by name
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
# The hashes under which results were published when they were of whole files, by those of the code in them.
EARLY: dict[str, str] = json.loads((ROOT / "early_hashes.json").read_text(encoding="utf-8"))


def source_hash(path: Path) -> str:
    """A hash of the code of a file, and of those that it builds on, of this package (`gradients.py`) or of its own.

    So that an edited formula never meets what its former self computed.
    """
    found, digest = [path], hashlib.blake2b(digest_size=8)
    for file in found:
        text = file.read_bytes().decode()
        digest.update(code(text).encode())
        for name in IMPORTED.findall(text):
            other = _file(name, file)
            if other and other not in found:
                found.append(other)
    return EARLY.get(digest.hexdigest(), digest.hexdigest())


def _file(name: str, importer: Path) -> Path | None:
    """The file of an imported module that a formula builds on; None for what is common, and for other packages."""
    if name.startswith("methods."):
        inside = name.removeprefix("methods.")
        place = None if inside in COMMON else ROOT.joinpath(*inside.split("."))
    else:
        place = _beside(name, importer)
    file = place and place.with_suffix(".py")
    return file if file and file.is_file() else None


def _beside(name: str, importer: Path) -> Path | None:
    """Where a module of the importer's own package lies: that of a plugin, with its helpers."""
    top = importer.parent
    if not (top / "__init__.py").is_file():
        return None
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    if top.name in OURS:
        return None
    inside = name.lstrip(".")
    if dots := len(name) - len(inside):
        return importer.parents[dots - 1].joinpath(*inside.split(".")) if inside else None
    return top.parent.joinpath(*inside.split(".")) if inside.split(".")[0] == top.name else None


@cache
def code(source: str) -> str:
    """What a source file computes: its syntax without comments, docstrings, annotations and layout."""
    return json.dumps(_plain(ast.parse(source)))


def _plain(node: Any) -> Any:
    """The syntax tree as nested lists, without what is empty: `ast.dump` differs from Python to Python."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if isinstance(node, ast.Constant):
        return repr(node.value)
    if not isinstance(node, ast.AST):
        return node
    fields = {name: value for name, value in ast.iter_fields(node) if name not in ("annotation", "returns")}
    if isinstance(node, DOCUMENTED) and ast.get_docstring(node) is not None:
        fields["body"] = node.body[1:]
    return [type(node).__name__, *([name, _plain(value)] for name, value in fields.items() if value not in (None, []))]
