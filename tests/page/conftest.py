"""A small published folder: two trainings, two clocks, a failed cell, hostile names; and a browser to open its page."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmark.page.build import build
from benchmark.records import Record, write_records
from benchmark.spec import Recipe
from tests.factories import RECIPES, declared, record, robust

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

HOSTILE = "</script><img src=x onerror=\"document.title='taken'\"> | `$(rm)` & 'q'"
FAILURE = "<!-- no memory --> for <b>1,000</b> & more"
ROBUST = {
    "random": [[40, 42, 44], [50, 52, 54]],
    "easycore": [[46, 47, 49], [55, 59, 60]],
    "el2n": [[30, 31, 32], [40, 41, 42]],
    HOSTILE: [[20, 23, 26], [28, 30, 33]],
}


def published_records() -> list[Record]:
    """Cells of two trainings, the first on two clocks; one cell of `el2n` failed, one of `easycore` is flagged."""
    recipes = {
        "standard": RECIPES["standard"],
        "trades": RECIPES["trades"],
        "standard@steps": Recipe(**{**RECIPES["standard"].model_dump(), "clock": "steps"}),
    }
    found = []
    for regime, recipe in recipes.items():
        for row, table in ROBUST.items():
            for fraction, line in zip((0.1, 0.3), table, strict=True):
                for replicate, right in enumerate(line):
                    cell: Any = (row, fraction, regime, replicate)
                    if (row, regime) == ("el2n", "trades") and fraction == 0.1:
                        found.append(record(*cell, recipe=recipe, failure=FAILURE))
                    else:
                        flags = ("square-gain",) if cell == ("easycore", 0.3, "trades", 1) else ()
                        found.append(robust(right, *cell, recipe=recipe, flags=flags))
        found += [robust(60, "full", 1.0, regime, replicate, recipe=recipe) for replicate in range(3)]
    named = [
        each.model_copy(
            update={
                "cell": f"digits/{each.factors.row}/{each.factors.fraction:g}/{each.factors.regime}/"
                f"{each.factors.replicate}"
            }
        )
        for each in found
    ]
    return declared(named, suite_fractions=(0.1, 0.3))


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    (folder / "digits").mkdir()
    write_records(folder / "digits" / "records.jsonl", published_records())
    return folder


@pytest.fixture(scope="session")
def page(results: Path) -> Path:
    """The page of those results, on disk."""
    path = results / "site" / "index.html"
    path.parent.mkdir()
    path.write_bytes(build(results))
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator["Chrome"]:
    """Headless Chromium; where there is none, a test is skipped, or fails if $CORESET_BENCH_BROWSER is "required"."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    driver = shutil.which("chromedriver")
    if not binary or not driver:
        missing = "needs Chromium and its driver (Debian: apt-get install chromium chromium-driver)"
        if os.environ.get("CORESET_BENCH_BROWSER") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1280,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = webdriver.Chrome(options=options, service=Service(driver))
    yield opened
    opened.quit()
