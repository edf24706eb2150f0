"""Cards on the page: of our own methods always, of others where their results are shown."""

from collections.abc import Iterator

import numpy as np
import pytest

from benchmark.page.cards import cards
from methods import registry
from methods.api import Budget, Context, Coreset, MethodInfo


class Foreign:
    """Random picks from another package.

    <script>alert(1)</script> with `code`.
    """

    info = MethodInfo("foreign", "set", summary="The <b>first</b> ones.", needs=(), paper="none")

    def select(self, context: Context, budget: Budget) -> Coreset:
        return Coreset(np.arange(budget.k))


@pytest.fixture
def foreign() -> Iterator[str]:
    registry.method_names()
    registry.register(Foreign())
    yield "foreign"
    del registry._methods["foreign"]


def test_a_plugin_changes_the_page_only_where_it_is_used(foreign: str) -> None:
    without = [card["name"] for card in cards([])]
    assert foreign not in without
    assert {"easycore", "random", "acs"} <= set(without)
    assert sorted([*without, foreign]) == [card["name"] for card in cards([foreign])]


def test_a_method_that_is_not_installed_has_no_card() -> None:
    assert cards(["no-such-method", "full"]) == cards([])


def test_methods_that_repeat_a_fault_have_a_card_only_where_they_are_used() -> None:
    name = registry.compat_names()[0]
    assert name not in {card["name"] for card in cards([])}
    assert name in {card["name"] for card in cards([name])}


def test_facts_are_those_of_the_command_and_none_is_lost(foreign: str) -> None:
    found = {card["name"]: card for card in cards([foreign])}
    terms = dict(found["easycore"]["facts"])
    assert terms["paper"] == ["arXiv:2510.11018"]
    assert any("input_grad_norm" in text for text in terms["reads"])
    assert "<script>" in " ".join(found[foreign]["about"])  # as text: the page never reads it as anything else
    many = dict(found["glister"]["facts"])
    assert len(many["reads"]) == len(registry.get("glister").info.needs)
