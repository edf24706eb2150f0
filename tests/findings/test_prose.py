"""A number that is typed is found, and what is no result is left alone."""

from pathlib import Path

import pytest

from benchmark.findings.prose import typed, typed_in_template

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_types_no_number() -> None:
    assert list(typed(README.read_text(encoding="utf-8"))) == []


def test_a_number_planted_in_the_readme_is_found() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    place = lines.index("## Select a coreset")
    planted = "\n".join([*lines[:place], "EasyCore reaches 48.4 % here.", *lines[place:]])
    assert list(typed(planted)) == [(place + 1, "48.4")]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It has 48.4 % and costs −15.1 points", ["48.4", "15.1"]),
        ("at ±3.8, or -5.0, or (1,100)", ["3.8", "5.0", "1,100"]),
        ("a span of `1–18` in code", ["1", "18"]),
        ("# Of 306 comparisons", ["306"]),
        ("| 18 rows | **3** |", ["18", "3"]),
        ("an 8×8 scan", ["8", "8"]),
    ],
)
def test_what_is_typed(text: str, numbers: list[str]) -> None:
    assert [number for _, number in typed(text)] == numbers


@pytest.mark.parametrize(
    "text",
    [
        "CIFAR-10 with ResNet-18 under PGD-20, rows el2n@low and `easycore`, suite cifar10-tiny",
        "at ε = 8/255 or 0.5/255, Ramesh et al. 2025, arXiv:2510.11018, Python 3.11",
        "`coreset-bench select --fraction 0.3` and [a page](results/x-2026.md) at https://arxiv.org/abs/2510.11018",
        "```sh\nmake bench  # about 4 minutes\n```",
        "<!-- leaderboard:digits -->\n\n48.4 %\n\n<!-- /leaderboard:digits -->",
    ],
)
def test_what_is_no_result(text: str) -> None:
    assert list(typed(text)) == []


def test_lines_are_counted_through_what_is_left_out() -> None:
    text = "```\n1\n2\n```\n<!--\n3\n-->\nand 48.4 %\n"
    assert list(typed(text)) == [(8, "48.4")]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("It has\n{{ r.accuracy('el2n', at=0.3) }}, 48.4 %", [(2, "48.4")]),
        ("{{ '48.4 %' }}", [(1, "48.4")]),
        ("\n{% set best = '48.4' %}{{ best }}", [(2, "48.4")]),
        ("{{ 3 | string }}", [(1, "3")]),
        ("{{ f(1) }}48.4", [(1, "48.4")]),
        ("{% set hard = ['el2n', 'cifar10'] %}{{ names(hard) | code(20) }}", []),
        ("{# 48.4 #}\n```sh\nmake # {{ f() }} 4\n```", []),
    ],
)
def test_templates_are_read_without_what_they_ask_for(source: str, found: list[tuple[int, str]]) -> None:
    assert list(typed_in_template(source)) == found
