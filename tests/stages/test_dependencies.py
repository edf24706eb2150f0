"""What `pyproject.toml` declares is what the packages import: nothing less, and nothing more."""

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = {"benchmark", "methods", "coreset_bench"}
DISTRIBUTIONS = {"sklearn": "scikit-learn", "PIL": "pillow"}  # where module and distribution differ in name


def imported() -> set[str]:
    """Every distribution that a shipped file imports, wherever in the file."""
    shipped = [file for name in ("benchmark", "methods") for file in (ROOT / name).rglob("*.py")]
    modules = set()
    for path in (ROOT / "coreset_bench.py", *shipped):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: imports are absolute here"
                modules.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "import_module":
                modules |= {name.value.split(".")[0] for name in node.args if isinstance(name, ast.Constant)}
    return {DISTRIBUTIONS.get(name, name) for name in modules - OURS - sys.stdlib_module_names}


def declared(key: str = "dependencies") -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] if key == "dependencies" else project["optional-dependencies"][key]
    return {re.match(r"[A-Za-z0-9._-]+", line)[0].lower() for line in wanted}  # type: ignore[index]


def test_every_import_is_declared_and_every_declaration_imported() -> None:
    assert imported() == declared()


def test_everything_declared_is_pinned() -> None:
    pins = {
        line.split("==")[0].lower()
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    assert declared() | declared("dev") <= pins
