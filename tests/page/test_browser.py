"""The page in a browser: sort, filter, open a cell, keyboard, themes, phone, print; no error logged, nothing asked."""

import base64
import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmark.rerun import command
from tests.page.conftest import HOSTILE

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

pytestmark = pytest.mark.browser

Opener = Callable[..., "Chrome"]


@pytest.fixture
def shown(chromium: "Chrome", page: Path) -> Iterator[Opener]:
    """Opens the page at an address, in a window; afterwards nothing was logged and nothing was asked of a network."""

    def visit(address: str = "", width: int = 1280, theme: str = "light") -> "Chrome":
        chromium.get("about:blank")
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        preferred = [{"name": "prefers-color-scheme", "value": theme}]
        chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": preferred})
        chromium.get(page.as_uri() + address)
        chromium.execute_script("localStorage.clear()")
        return chromium

    for kind in ("browser", "performance"):
        chromium.get_log(kind)  # what came before
    yield visit
    assert chromium.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in chromium.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert asked
    assert all(url.startswith(("file:", "data:", "about:")) for url in asked), asked


def find(on: Any, selector: str) -> "WebElement":
    found: WebElement = on.find_element("css selector", selector)
    return found


def column(on: "Chrome", name: str, table: str = "board") -> list[str]:
    """The texts under a heading, top to bottom."""
    script = """
      const table = document.getElementById(arguments[0]);
      const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
      const at = names.indexOf(arguments[1]);
      return [...table.tBodies[0].rows].map((row) => row.cells[at].textContent);
    """
    texts: list[str] = on.execute_script(script, table, name)
    return texts


def press_heading(on: "Chrome", name: str) -> None:
    on.execute_script(
        "[...document.querySelectorAll('#board thead button')].find((b) => b.textContent === arguments[0]).click()",
        name,
    )


def choose(on: "Chrome", name: str, value: str) -> None:
    from selenium.webdriver.support.select import Select

    Select(find(on, f"#filter-{name}")).select_by_value(value)


def soon(on: "Chrome", true: Callable[[], bool]) -> None:
    """Waits until it is: keys that are typed reach the page after the driver has gone on."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(on, 10).until(lambda _: true())


def test_a_heading_sorts_down_up_and_back(shown: Opener) -> None:
    on = shown()
    assert column(on, "method") == ["easycore", "random", "el2n", HOSTILE]
    press_heading(on, "clean")
    press_heading(on, "robust")
    sorted_by = find(on, "#board [aria-sort]")
    assert (sorted_by.text.strip(), sorted_by.get_attribute("aria-sort")) == ("robust", "descending")
    down = column(on, "robust")
    press_heading(on, "robust")
    assert column(on, "robust") == down[::-1]
    assert find(on, "#board [aria-sort]").get_attribute("aria-sort") == "ascending"
    press_heading(on, "robust")
    assert not on.find_elements("css selector", "#board [aria-sort]")
    assert column(on, "method") == ["easycore", "random", "el2n", HOSTILE]


def test_negative_numbers_sort_as_numbers_and_absent_ones_stay_last(shown: Opener) -> None:
    on = shown()
    press_heading(on, "− random")
    first = column(on, "− random")
    press_heading(on, "− random")
    second = column(on, "− random")
    assert [text[0] for text in first] == ["+", "−", "−", "–"]
    assert second == [*first[:3][::-1], "–"]


def test_filters_choose_rows_epsilon_fraction_training_and_clock(shown: Opener) -> None:
    on = shown()
    find(on, "#filter-q").send_keys("EASY")
    soon(on, lambda: column(on, "method") == ["easycore"])
    assert find(on, "#filter-q") == on.switch_to.active_element
    find(on, "#filter-q").clear()
    find(on, "#filter-q").send_keys("no such")
    soon(on, lambda: "No method matches" in find(on, "#view").text)
    on = shown()
    choose(on, "end", "hard")
    assert column(on, "method") == ["el2n"]
    choose(on, "end", "")
    choose(on, "place", "30 %")
    assert column(on, "robust")[0] == "58.0 ± 6.6"
    assert "rank" not in find(on, "#board thead").text
    assert "nothing is ranked here" in find(on, ".lead").text
    choose(on, "regime", "TRADES training")
    assert "TRADES training" in find(on, "h1").text
    on = shown()
    choose(on, "clock", "equal steps")
    assert "equal steps" in find(on, ".under").text


def test_what_is_chosen_stands_in_the_address_and_opens_again(shown: Opener) -> None:
    on = shown()
    choose(on, "eps", "0.05")
    choose(on, "regime", "TRADES training")
    choose(on, "place", "10 %")
    press_heading(on, "clean")
    find(on, "#swatch-el2n").click()
    address = on.execute_script("return location.hash")
    before = find(on, "#view").text
    again = shown(address)
    assert find(again, "#view").text == before
    pressed = {row: find(again, f"#swatch-{row}").get_attribute("aria-pressed") for row in ("el2n", "random")}
    assert pressed == {"el2n": "false", "random": "true"}


def test_nonsense_in_the_address_shows_the_first_leaderboard(shown: Opener) -> None:
    on = shown("#view=none&suite=none&regime=none&eps=9&place=none&sort=none&show=none&end=none")
    assert "Standard training" in find(on, "h1").text
    on = shown("#cell=none&method=none")
    assert "No such cell" in find(on, "#dialog-title").text


def test_a_number_opens_its_cells_and_the_command_is_that_of_the_command_line(shown: Opener) -> None:
    on = shown("#regime=trades")
    find(on, "[id='open-easycore-30 %']").click()
    dialog = find(on, "dialog[open]")
    assert "easycore, 30 %, TRADES training, replicate 0" in dialog.text
    assert "55 of 100 (55.0 %)" in dialog.text
    find(on, "#replicate-1").click()
    assert "59 of 100 (59.0 %)" in dialog.text
    assert "square-gain" in dialog.text
    typed = shlex.split(find(on, "#command-run").text)
    cell = "digits/easycore/0.3/trades/1"
    assert typed == shlex.split(command(cell, "digits", [], None, Path("again")))
    assert shlex.split(find(on, "#command-explain").text) == ["coreset-bench", "explain", cell]
    find(on, "#dialog-close").click()
    assert not on.find_elements("css selector", "dialog[open]")
    assert "cell=" not in on.execute_script("return location.hash")


def test_a_hostile_name_is_text_and_quoted_for_the_shell(shown: Opener) -> None:
    cell = f"digits/{HOSTILE}/0.1/standard/0"
    on = shown()
    assert on.title != "taken"
    assert not on.find_elements("css selector", "img")
    on.execute_script("location.hash = new URLSearchParams({ cell: arguments[0] })", cell)
    assert shlex.split(find(on, "#command-explain").text) == ["coreset-bench", "explain", cell]
    typed = shlex.split(find(on, "#command-run").text)
    assert typed == shlex.split(command(cell, "digits", [], None, Path("again")))


def test_a_failed_cell_is_shown_as_failed_with_its_reason(shown: Opener) -> None:
    on = shown("#regime=trades")
    assert "failed" in column(on, "10 %")
    find(on, "[id='open-el2n-10 %']").click()
    assert "<!-- no memory --> for <b>1,000</b> & more" in find(on, "dialog[open]").text
    on = shown("#view=cells&regime=trades&status=failed")
    assert column(on, "method", "cells") == ["el2n"] * 3
    on = shown("#view=cells&status=failed")
    assert "No cell is failed here" in find(on, "#view").text


def test_the_keyboard_alone_sorts_opens_and_closes(shown: Opener) -> None:
    from selenium.webdriver import ActionChains, Keys

    on = shown()

    def press(*keys: str) -> None:
        ActionChains(on).send_keys(*keys).perform()

    press(Keys.TAB)
    assert on.switch_to.active_element.get_attribute("id") == "skip"
    press(Keys.ENTER)
    assert on.switch_to.active_element.get_attribute("id") == "main"
    on.execute_script("document.querySelector('#board thead button').focus()")
    heading = on.switch_to.active_element.get_attribute("id")
    press(Keys.ENTER)
    assert on.switch_to.active_element.get_attribute("id") == heading
    assert find(on, "#board [aria-sort]")
    on.execute_script("document.getElementById('open-easycore-10 %').focus()")
    press(Keys.ENTER)
    assert find(on, "dialog[open]")
    press(Keys.TAB, Keys.TAB, Keys.TAB)
    assert on.execute_script("return document.querySelector('dialog').contains(document.activeElement)")
    press(Keys.ESCAPE)
    assert not on.find_elements("css selector", "dialog[open]")
    assert on.switch_to.active_element.get_attribute("id") == "open-easycore-10 %"
    ring = on.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_tables_and_controls_have_names_for_a_screen_reader(shown: Opener) -> None:
    for address in ("", "#view=claims", "#view=methods", "#view=cells", "#cell=digits/easycore/0.3/trades/0"):
        on = shown(address)
        nameless = on.execute_script("""
          const all = (selector) => [...document.querySelectorAll(selector)];
          const named = (e) => (e.ariaLabel || e.textContent || e.labels?.[0]?.textContent || "").trim();
          const heads = all("thead th").filter((e) => !e.textContent.trim() || e.scope !== "col");
          const tables = all("table").filter((e) => !e.caption?.textContent.trim());
          const controls = all("button, select, input, a, summary").filter((e) => !named(e));
          const images = all("svg").filter((e) => !e.getAttribute("aria-label") && !e.ariaHidden);
          const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
          const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
          return [...heads, ...tables, ...controls, ...images].map((e) => e.outerHTML).concat(twice);
        """)
        assert nameless == [], address
        assert len(on.find_elements("css selector", "h1")) == 1


def test_the_theme_follows_the_system_until_it_is_chosen_and_is_kept(shown: Opener) -> None:
    def background(on: "Chrome") -> Any:
        return on.execute_script("return getComputedStyle(document.body).backgroundColor")

    light, dark = background(shown(theme="light")), background(shown(theme="dark"))
    assert (light, dark) == ("rgb(252, 251, 248)", "rgb(21, 23, 26)")
    on = shown(theme="dark")
    button = find(on, "#theme")
    assert button.text == "Light theme"
    button.click()
    assert (background(on), button.text) == (light, "Dark theme")
    on.refresh()
    assert background(on) == light


@pytest.mark.parametrize("address", ["", "#view=claims", "#view=methods", "#view=cells", "#method=easycore"])
def test_a_phone_scrolls_down_alone(shown: Opener, address: str) -> None:
    on = shown(address, width=360)
    assert on.execute_script("return document.documentElement.scrollWidth") <= 360


def test_views_have_something_to_say(shown: Opener) -> None:
    expected = {"claims": "The paper’s claims", "methods": "The methods", "cells": "The cells"}
    on = shown()
    for view, heading in expected.items():
        find(on, f"[data-view={view}]").click()
        assert heading in find(on, "h1").text
        assert find(on, f"[data-view={view}]").get_attribute("aria-current") == "page"
    on.back()
    assert "The methods" in find(on, "h1").text


def test_a_card_says_what_the_command_says_and_where_the_method_stands(shown: Opener) -> None:
    on = shown("#view=methods")
    find(on, "#card-easycore").click()
    dialog = find(on, "dialog[open]").text
    assert "AIGN(x) = 1/T" in dialog
    assert "Left open by its paper" in dialog
    assert column(on, "suite", "stands") == ["digits"] * 3


def test_every_table_behind_the_main_one_opens_and_sorts(shown: Opener) -> None:
    from selenium.webdriver.support.wait import WebDriverWait

    on = shown()
    for summary in on.find_elements("css selector", "#view summary"):
        summary.click()
    count = len(on.find_elements("css selector", "#view details"))
    # A table is drawn when its fold says that it has opened, which the browser does in its own time.
    WebDriverWait(on, 10).until(lambda on: len(on.find_elements("css selector", "#view details table")) == count)
    find(on, "#detail-0 thead button").click()
    assert find(on, "#detail-0 [aria-sort]")


def test_print_shows_every_table_on_paper(shown: Opener) -> None:
    on = shown(theme="dark")
    pdf = base64.b64decode(on.execute_cdp_cmd("Page.printToPDF", {"printBackground": True})["data"])
    assert pdf.startswith(b"%PDF")
    on.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not find(on, "#filters").is_displayed()
    assert not find(on, "#theme").is_displayed()
    assert on.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_what_is_unfolded_stays_so_when_rows_are_sorted_or_drawn(shown: Opener) -> None:
    on = shown()
    find(on, "#view summary").click()
    press_heading(on, "clean")
    find(on, "#swatch-random").click()
    assert len(on.find_elements("css selector", "#view details[open] table")) == 1


def test_a_command_is_copied_or_at_least_selected(shown: Opener) -> None:
    on = shown("#cell=digits/easycore/0.3/trades/0")
    find(on, ".command button").click()
    assert find(on, "#said").get_attribute("textContent") in ("Copied", "Selected; copy it from the keyboard")


def test_curves_are_drawn_and_named_and_a_row_can_be_taken_out(shown: Opener) -> None:
    on = shown()

    def names() -> list[list[str]]:
        figures = on.find_elements("css selector", "figure")
        return [[t.text for t in f.find_elements("css selector", "text.name") if t.size["height"] > 0] for f in figures]

    assert len(names()) == 3
    assert all(any(text.startswith("random") for text in each) for each in names())
    find(on, "#swatch-random").click()
    assert not any(text.startswith("random") for each in names() for text in each)
    assert len(on.find_elements("css selector", "figure path.curve")) == 6
