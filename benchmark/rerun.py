"""The command that makes a cell anew, from the cell's name."""

import shlex
from collections.abc import Sequence
from glob import escape
from pathlib import Path

CLOCKS = ("epochs", "steps", "cost")  # that a command line may choose, whatever the suite says


def added(head: str, base: str) -> tuple[list[str], str | None]:
    """The rows and the clock that a command line added to the suite `base`, as a cell's name begins with them.

    Raises:
        UsageError: the cell is of another suite.
    """
    from methods.errors import UsageError
    from methods.registry import method_names

    if head != base and not head.startswith(f"{base}+"):
        raise UsageError(f"The cell is of suite '{head}', and this suite is '{base}'; name its own with --suite.")
    parts = head[len(base) + 1 :].split("+") if head != base else []
    clock = parts.pop() if parts and parts[-1] in CLOCKS else None
    rows: list[str] = []
    for part in parts:
        if rows and part not in method_names() and "@" in rows[-1] and "@" not in part:
            rows[-1] += f"+{part}"  # a policy of several words: el2n@low+balanced
        else:
            rows.append(part)
    return rows, clock


def command(
    cell: str, suite: str, rows: Sequence[str], clock: str | None, folder: Path, data: Path | None = None
) -> str:
    """What to type; store and results lie in `folder`, for what a store holds already is not computed again."""
    words = ["coreset-bench", "run", suite]
    for row in rows:
        words += ["--row", row]
    words += ["--clock", clock] if clock else []
    words += ["--data", str(data)] if data else []
    words += ["--only", escape(cell), "--store", f"{folder}/store", "--results", f"{folder}/results"]
    return shlex.join(words)


def comparison(cell: str, suite: str, folder: Path, data: Path | None = None, results: Path | None = None) -> str:
    """What to type to hold what `command` made against what is published."""
    words = ["coreset-bench", "explain", cell]
    words += ["--suite", suite] if suite.endswith(".toml") else []
    words += ["--data", str(data)] if data else []
    words += ["--results", str(results)] if results else []
    return shlex.join([*words, "--store", f"{folder}/store"])


def free_folder() -> Path:
    """`again`, or the first of `again-2`, `again-3`... that is not there."""
    folder, number = Path("again"), 2
    while folder.exists():
        folder, number = Path(f"again-{number}"), number + 1
    return folder
