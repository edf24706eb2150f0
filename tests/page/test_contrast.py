"""Colours can be told apart: WCAG AA, 4.5 for text and 3 for what is drawn, in both themes."""

import re
from itertools import product
from pathlib import Path

import pytest

import benchmark.page.build

CSS = (Path(benchmark.page.build.__file__).parent / "page.css").read_text()
PAIR = re.compile(r"--(\w+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
COLOURS = {name: {"light": light, "dark": dark} for name, light, dark in PAIR.findall(CSS)}
SERIES = [f"s{slot}" for slot in range(8)]


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_knows_black_white_and_a_published_grey() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"), list(product(["ink", "soft", "link", "alarm", "good"], ["paper", "sheet", "shade"]))
)
def test_text_can_be_read(text: str, ground: str, theme: str) -> None:
    assert contrast(COLOURS[text][theme], COLOURS[ground][theme]) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", SERIES)
def test_series_can_be_seen(name: str, theme: str) -> None:
    assert contrast(COLOURS[name][theme], COLOURS["paper"][theme]) >= 3
    assert contrast(COLOURS[name][theme], COLOURS["shade"][theme]) >= 3


def test_no_colour_stands_outside_the_pairs() -> None:
    """A colour that is written elsewhere would be checked by nobody; printing's white paper is the one exception."""
    rest = PAIR.sub("", CSS)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?!\s*\{)", rest.replace("--paper: #fff", "")) == []
    assert set(SERIES) <= set(COLOURS)
