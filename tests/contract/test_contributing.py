"""What CONTRIBUTING.md shows is what works: its examples, and its first page line by line."""

import ast
import importlib
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import methods.signals
from methods import registry
from methods.contract import run_contract

CLONE = Path(__file__).resolve().parents[2]
PAGE = (CLONE / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
READER = '''
@score("by-entropy", needs="entropy", keep="high", direction="hard", paper="none")
def by_entropy(signals):
    """Highest entropy after the last epoch."""
    return signals.entropy[-1]
'''
# The digits suite with one row, one regime and hardly any training: the page's commands on it take seconds.
DIGITS = """
name = "digits"
version = 1
description = "For a test"
fractions = [0.1]
replicates = 1
rows = ["random"]
full = false

[dataset]
name = "digits"

[proxies.standard]
model = "mlp"
recipe = { epochs = 4 }

[regimes.standard]
model = "mlp"
recipe = { epochs = 2 }
epsilons = [0.1]
primary = 0.1
"""


def test_the_method_and_the_signal_on_the_page_keep_the_contract(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods.signals.signal_names()
    registry.method_names()
    for module, name in ((registry, "_methods"), (methods.signals, "_signals")):
        monkeypatch.setattr(module, name, dict(getattr(module, name)))
    assert len(EXAMPLES) == 2
    (tmp_path / "from_the_page.py").write_text("\n".join([*EXAMPLES, READER]))
    monkeypatch.syspath_prepend(tmp_path)
    try:
        page = importlib.import_module("from_the_page")
        for method in (page.mine, page.by_entropy):
            assert not [f"{o.name}: {o.message}" for o in run_contract(method) if not o.ok]
    finally:
        sys.modules.pop("from_the_page", None)


def test_the_method_on_the_page_is_at_most_ten_lines() -> None:
    assert len([line for line in EXAMPLES[0].splitlines() if line.strip()]) <= 10
    assert ast.parse(EXAMPLES[0])


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A clone whose environment is this one, and whose digits suite is small."""
    for folder in ("benchmark", "methods", "tests"):
        shutil.copytree(CLONE / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("Makefile", "pyproject.toml", "constraints.txt", "coreset_bench.py"):
        shutil.copy(CLONE / file, tmp_path)
        os.utime(tmp_path / file, (0, 0))  # older than the environment, so that `make setup` finds nothing to do
    shutil.copytree(CLONE / "results" / "digits", tmp_path / "results" / "digits")
    (tmp_path / "benchmark" / "suites" / "digits.toml").write_text(DIGITS)
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "activate").write_text(f'PATH="{programs}:$PATH"\n')
    for program, module in (("coreset-bench", "-m benchmark"), ("python", "")):
        (programs / program).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (programs / program).chmod(stat.S_IRWXU)
    (tmp_path / ".venv" / ".ready").touch()
    return tmp_path


def shell(script: str, clone: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(clone), "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("MAKEFLAGS", None)  # this may run under `make test`
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=clone,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_first_page_works_as_it_is_written(fresh: Path) -> None:
    """Every command of the page's first block, then the function that it shows and the last command again."""
    commands = re.search(r"```sh\n(.*?)```", PAGE, re.DOTALL).group(1)  # type: ignore[union-attr]
    lines = [line.split("#")[0].strip() for line in commands.splitlines()]
    assert [line.split()[:2] for line in lines] == [
        ["make", "setup"],
        ["make", "new-method"],
        ["source", ".venv/bin/activate"],
        ["coreset-bench", "check"],
        ["coreset-bench", "run"],
    ]
    said = shell(commands, fresh)
    leaderboard = fresh / "results" / "local" / "digits+mine" / "leaderboard.md"
    assert "checks passed" in said
    assert "FAILED" not in said
    assert re.search(r"^\| mine +\|", leaderboard.read_text(), re.MULTILINE)
    before = set((fresh / "store" / "coreset").rglob("*.*"))
    assert before
    (fresh / "methods" / "mine.py").write_text(EXAMPLES[0])
    shell(f"{lines[2]}\n{lines[4]}", fresh)
    assert re.search(r"^\| mine +\|", leaderboard.read_text(), re.MULTILINE)
    again = set((fresh / "store" / "coreset").rglob("*.*"))
    assert before < again, "an edited formula never meets its old coreset"
