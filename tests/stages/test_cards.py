"""`methods` and `check`: what a reader is told of a method, in full and in a list."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmark.cards import card
from benchmark.catalogue import catalogue
from benchmark.cli import listing
from benchmark.cli.common import app
from methods import registry
from methods.signals import signal_names

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"
FOREIGN = """
import numpy as np
from methods.api import Coreset, MethodInfo

class TooFew:
    info = MethodInfo("too-few", "set", summary="One short.", needs=("loss",), paper="none", stochastic=True)

    def select(self, context, budget):
        return Coreset(context.rng.permutation(context.n)[: max(1, budget.k - 1)])
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What the command prints, on a terminal of some width."""

    def run(*arguments: str, width: int = 120) -> str:
        written = StringIO()
        monkeypatch.setattr(listing, "console", lambda: Console(file=written, width=width))
        done = CliRunner().invoke(app, arguments)
        return written.getvalue() + done.output

    return run


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_list_names_every_method_in_whatever_width(told: Callable[..., str], width: int) -> None:
    lines = told("methods", width=width).splitlines()
    assert max(map(len, lines)) <= width
    first = {line.split(" ")[0] for line in lines}
    assert set(registry.method_names()) <= first
    headings = [line.split(":")[0] for line in lines if line.startswith(("Scores:", "Sets:", "Dynamic:"))]
    kinds = {registry.get(name).info.kind for name in registry.method_names()}
    assert len(headings) == len(kinds)


@pytest.mark.parametrize("name", [*registry.method_names(), *registry.compat_names()])
def test_every_card_says_what_is_kept_read_and_paid(name: str, told: Callable[..., str]) -> None:
    method = registry.get(name)
    shown = told("methods", name, width=80)
    assert max(map(len, shown.splitlines())) <= 100
    flat = re.sub(r"\s+", " ", shown)
    assert shown.startswith(name)
    assert re.sub(r"\s+", " ", method.info.summary) in flat
    assert method.info.paper in flat
    for word in (*method.info.needs, *method.info.params, "proxy", "classes", "draws", "weights"):
        assert word.removeprefix("select.") in flat
    if method.info.repeats:
        assert f"the method as it should be is {method.info.repeats}" in flat


def test_a_card_says_what_the_paper_leaves_open_and_which_rows_there_are(told: Callable[..., str]) -> None:
    shown = re.sub(r"\s+", " ", told("methods", "easycore"))
    assert "Left open by the paper Whether the norm is squared" in shown
    assert "1 forward and 1 backward an image every epoch" in shown
    assert "rows easycore, easycore@balanced in cifar10" in shown
    assert "policies @low, @high" in shown
    shown = re.sub(r"\s+", " ", told("methods", "el2n@low"))
    assert "10 proxies, read up to 10 % of the schedule" in shown
    assert "keeps easy samples, by the policy low" in shown
    assert "The score of el2n, kept by the policy low." in shown
    assert "proxy none" in re.sub(r"\s+", " ", told("methods", "random"))
    assert "passes none beside the training itself" in re.sub(r"\s+", " ", told("methods", "forgetting"))


def test_a_card_as_json_has_all_of_it(told: Callable[..., str]) -> None:
    (found,) = json.loads(told("methods", "el2n@low", "--json"))
    assert (found["name"], found["policy"], found["direction"], found["kind"]) == ("el2n@low", "low", "easy", "score")
    assert "el2n@low" in found["suites"]["digits"]
    assert {"low", "high", "middle", "balanced"} <= set(found["policies"])
    listed = {row["name"]: row for row in json.loads(told("methods", "--json"))}
    assert set(registry.method_names()) <= set(listed)
    assert listed["herding"]["kind"] == "set"


def test_a_class_of_one_s_own_has_a_card() -> None:
    space: dict[str, Any] = {"__name__": "nowhere"}
    exec(FOREIGN, space)
    found = card(space["TooFew"](), {})
    assert (found["about"], found["cost"], found["left_open"], found["policies"]) == ([], [], [], [])


def test_check_says_in_words_what_failed_and_what_does_not_apply(tmp_path: Path) -> None:
    (tmp_path / "foreign.py").write_text(FOREIGN)
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", "from benchmark.cli import main; main()", "check", "foreign:TooFew"],
        cwd=tmp_path,
        env={"PYTHONPATH": f"{tmp_path}:{root}", "PATH": "", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert "FAILED exact_budget: 'too-few' returned 1 picks for a budget of 2 of 240; return exactly k." in lines
    assert "-      usable_weights: does not apply: it gives no weights" in lines
    assert "ok     registrable" in lines
    assert re.fullmatch(r"\d+ of \d+ checks passed; \d+ do not apply\.", lines[-1])
    assert not done.stderr


def test_the_page_of_methods_is_what_is_registered() -> None:
    assert PAGE.read_text(encoding="utf-8") == catalogue(), "coreset-bench methods --markdown > docs/methods.md"
    page = catalogue()
    assert all(f"| `{name}` " in page for name in (*registry.method_names(), *signal_names()))
