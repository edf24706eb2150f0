"""`new-method`: the files of a method that works at once, to be changed line by line into one's own.

In a clone these are the method and its oracle, which the registry and the contract tests find by themselves;
elsewhere an installable package that registers by its entry point.
"""

import keyword
import re
from pathlib import Path

import jinja2

from methods.errors import UsageError
from methods.registry import method_names

_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def new_method(name: str, root: Path | None = None) -> list[Path]:
    """Writes the files of a method called `name` under `root` (the working folder) and returns their paths.

    A `root` that holds `methods/api.py` and `tests/oracles` is taken for a clone; anywhere else a folder
    `coreset-bench-NAME` is made. All or nothing: no file is touched where one of them exists.

    Raises:
        UsageError: a name that cannot be one or is taken, a file that is there already, or a folder that cannot be
            written.
    """
    root = (root or Path.cwd()).resolve()
    module = _checked(name)
    clone = (root / "methods" / "api.py").is_file() and (root / "tests" / "oracles").is_dir()
    package = f"coreset_bench_{module}"
    if clone:
        files = {
            root / "methods" / f"{module}.py": "method.py.j2",
            root / "tests" / "oracles" / f"test_{module}.py": "method_test.py.j2",
        }
    else:
        folder = root / f"coreset-bench-{name}"
        files = {
            folder / "pyproject.toml": "plugin_pyproject.toml.j2",
            folder / "README.md": "plugin_readme.md.j2",
            folder / package / "__init__.py": "method.py.j2",
            folder / "tests" / f"test_{module}.py": "method_test.py.j2",
        }
    reserved = [root / "methods" / module] if clone else []  # a folder of that name would hide the file
    for path in [*files, *reserved]:
        if path.exists():
            raise UsageError(f"{path} exists already; choose another name or remove it.")
    if name in method_names():
        raise UsageError(f"A method called '{name}' exists already; choose another name.")
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES), undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    words = {"name": name, "module": module, "package": package, "title": name.replace("-", " ").capitalize()}
    try:
        for path, template in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(environment.get_template(template).render(words), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"Cannot write in {root}: {error.strerror}; choose a folder that you may write.") from None
    return list(files)


def _checked(name: str) -> str:
    """The Python name of a method.

    Raises:
        UsageError: the name breaks the rule for methods, or Python or the package `methods` uses it.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no name for a method; use lower-case words and digits joined by hyphens.")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or keyword.issoftkeyword(module):
        raise UsageError(f"'{name}' is a word of Python itself; choose another name.")
    return module
