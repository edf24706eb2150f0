"""What a formula computes, as text: a part of the key of everything that it computes.

Comments, docstrings, annotations, layout and the `paper` of a decorator are no part of it, so that a reworded sentence
or a corrected citation computes nothing again.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent
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
        found += [other for other in _built_on(text, file) if other not in found]
    return EARLY.get(digest.hexdigest(), digest.hexdigest())


def _built_on(text: str, importer: Path) -> list[Path]:
    """The files of modules that a formula imports, in the order in which it does; none that are common or foreign."""
    package = _package(importer)
    places: list[Path] = []
    for name in _imported(text):
        inside = name.lstrip(".")
        if name.startswith("methods."):
            places += [ROOT.joinpath(*inside.split(".")[1:])] if inside.removeprefix("methods.") not in COMMON else []
        elif package and name.startswith("."):
            places.append(importer.parents[len(name) - len(inside) - 1].joinpath(*inside.split(".")))
        elif package and inside.split(".")[0] == package.name:
            places.append(package.parent.joinpath(*inside.split(".")))
    files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file()]
    return list(dict.fromkeys(files))


def _imported(text: str) -> list[str]:
    """The modules that a text imports, and what it imports from packages, which may be modules: ".helper"."""
    names: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            joint = "." if node.module else ""
            names += [(node.lineno, base), *((node.lineno, f"{base}{joint}{alias.name}") for alias in node.names)]
    return [name for _, name in sorted(names, key=lambda found: found[0]) if name.strip(".")]


def _package(importer: Path) -> Path | None:
    """The folder of the package that a plugin's file belongs to; None for a file by itself, and for our own."""
    top = importer.parent
    if not (top / "__init__.py").is_file():
        return None
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    return None if top.name in OURS else top


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
    if "decorator_list" in fields:
        fields["decorator_list"] = [_uncited(decorator) for decorator in fields["decorator_list"]]
    if isinstance(node, ast.JoinedStr):  # later Pythons end a nested format with an empty text
        fields["values"] = [
            value for value in node.values if not (isinstance(value, ast.Constant) and value.value == "")
        ]
    return [type(node).__name__, *([name, _plain(value)] for name, value in fields.items() if value not in (None, []))]


def _uncited(decorator: ast.expr) -> ast.expr:
    """`@score("loss", paper="arXiv:...")` without the paper."""
    if not isinstance(decorator, ast.Call):
        return decorator
    keywords = [keyword for keyword in decorator.keywords if keyword.arg != "paper"]
    return ast.Call(func=decorator.func, args=decorator.args, keywords=keywords)
