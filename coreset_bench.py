"""The `coreset-bench` command's door: makes sure that `benchmark` and `methods` are ours, then opens it.

Other distributions ship packages of those names; whichever stands first on the path wins. This module's own name
is not shared, so it can look before it imports.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
MARKER = "Part of coreset-bench."


def clash() -> str | None:
    """A sentence that names the package standing in the place of ours, or None."""
    for name in ("benchmark", "methods"):
        spec = find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin == HERE / name / "__init__.py" and MARKER in origin.read_text(encoding="utf-8"):
            continue
        folders = list(spec.submodule_search_locations or []) if spec else []
        where = origin or (folders[0] if folders else "nowhere")
        return (
            f"The package '{name}' that Python finds at {where} is not coreset-bench's ({HERE / name}); "
            f"uninstall or rename the other one, or use an environment of its own."
        )
    return None


def main() -> None:
    if (message := clash()) is not None:
        sys.exit(f"coreset-bench: {message}")
    from benchmark.cli import main as command

    command()


if __name__ == "__main__":
    main()
