"""Statements agree with the leaderboard to the last digit, and are refused where the records say otherwise."""

import re

import pytest

from benchmark.leaderboard.document import render_markdown
from benchmark.stats import paired_difference
from methods.errors import UsageError
from tests.factories import COUNTS, FRACTIONS, bits, declared, grid, line_of, record, robust
from tests.findings.told import of, small


def test_numbers_are_those_of_the_leaderboard() -> None:
    regime, _ = small()
    line = line_of(render_markdown(declared(grid(COUNTS))), "easycore")
    assert line[2:6] == [
        regime.accuracy("easycore", at=0.1).removesuffix(" %"),
        regime.accuracy("easycore", at=0.3).removesuffix(" %"),
        regime.accuracy("easycore").removesuffix(" %"),
        regime.difference("easycore", "random").removesuffix(" points"),
    ]


def test_a_difference_is_paired_by_replicate() -> None:
    regime, _ = small()
    expected = paired_difference([0.46, 0.47, 0.49], [0.40, 0.42, 0.44], step=0.01)
    assert expected.half_width is not None
    told = f"+{100 * expected.mean:.1f} ± {100 * expected.half_width:.1f} points"
    assert regime.difference("easycore", "random", at=0.1) == told


def test_of_several_rows_the_nearest_and_the_farthest_are_told() -> None:
    regime, refused = small()
    near, far = (regime.difference("random", "easycore"), regime.difference("el2n", "easycore"))
    told = regime.behind(["el2n", "random"], "easycore")
    assert told == f"{near.removesuffix(' points')} to {far}"
    assert refused == []
    assert regime.behind(["easycore", "el2n"], "easycore") == far  # nothing is said of a row and itself


OTHERWISE = {
    "ahead": r"random minus easycore in robust accuracy on digits, Standard training is −5\.7 ± .* not lie above 0",
    "behind": r"easycore minus random in robust accuracy on digits, Standard training is \+5\.7 ± .* not lie below 0",
    "level": r"easycore minus random in robust accuracy on digits, Standard training is \+5\.7 ± .* does not hold 0",
    "higher": r"random minus easycore in robust accuracy on digits, Standard training is −5\.7 ± .* is not above 0",
    "lower": r"easycore minus random in robust accuracy on digits, Standard training is \+5\.7 ± .* is not below 0",
}


@pytest.mark.parametrize("words", OTHERWISE)
def test_what_is_not_so_is_refused(words: str) -> None:
    regime, refused = small()
    rows = ("random", "easycore") if words in ("ahead", "higher") else ("easycore", "random")
    getattr(regime, words)(*rows)
    (says,) = refused
    assert re.search(OTHERWISE[words], says), says


@pytest.mark.parametrize("words", ["ahead", "behind", "higher", "lower"])
def test_what_is_so_is_told(words: str) -> None:
    regime, refused = small()
    rows = ("easycore", "random") if words in ("ahead", "higher") else ("random", "easycore")
    assert getattr(regime, words)(*rows) == regime.difference(*rows)
    assert refused == []


def test_what_may_be_nothing_is_told_and_not_called_a_lead() -> None:
    suite, refused = of(declared(grid({"random": [[40, 45, 50]] * 2, "easycore": [[46, 45, 50]] * 2})))
    regime = suite.of("standard")
    assert regime.level("easycore", "random") == regime.difference("easycore", "random")
    assert regime.alike("easycore", "random") == ["easycore", "random"]
    assert refused == []
    regime.ahead("easycore", "random")
    assert len(refused) == 1


def test_without_an_interval_only_means_are_compared() -> None:
    suite, refused = of(declared(grid({"random": [[40]] * 2, "easycore": [[46]] * 2})))
    regime = suite.of("standard")
    assert regime.higher("easycore", "random") == "+6.0 points"
    assert refused == []
    for words in (regime.ahead, regime.level):
        words("easycore", "random")
    assert [says.rpartition(" points ")[2] for says in refused] == ["and has no interval"] * 2


def test_a_row_of_misleading_gradients_is_not_compared() -> None:
    flagged = [
        robust(right, "easycore", fraction, "standard", replicate, flags=("randomised",))
        for fraction in FRACTIONS
        for replicate, right in enumerate((60, 61, 62))
    ]
    suite, refused = of(declared([*grid({"random": COUNTS["random"]}), *flagged]))
    suite.of("standard").ahead("easycore", "random")
    (says,) = refused
    assert says.endswith("cannot be stated: gradients may mislead the attacks on easycore")
    assert suite.of("standard").rows == ["random"]


def test_names_that_the_records_do_not_know() -> None:
    regime, _ = small()
    with pytest.raises(UsageError, match="Unknown row of digits: 'easycor'; did you mean 'easycore'"):
        regime.accuracy("easycor")
    with pytest.raises(UsageError, match="Unknown metric on digits, Standard training: 'seconds'"):
        regime.accuracy("easycore", "seconds")
    with pytest.raises(UsageError, match="easycore has no cells on digits, Standard training at 50 %"):
        regime.accuracy("easycore", at=0.5)
    with pytest.raises(UsageError, match="AutoAttack did not run"):
        regime.excess_over_autoattack()


def test_a_row_that_lacks_cells_has_no_mean() -> None:
    records = [*grid({"random": COUNTS["random"]}), record("easycore", 0.3, failure="no memory.")]
    suite, _ = of(declared(records))
    with pytest.raises(UsageError, match="easycore lacks cells on digits, Standard training"):
        suite.of("standard").accuracy("easycore")


def test_fewer_attacks_read_more_robust() -> None:
    weak, strong = bits(60, 100), bits(45, 100)
    records = [
        record(row, 0.3, "standard", replicate, clean=bits(100, 100), attacked=attacked)
        for row, attacked in (
            ("random", {("pgd-20", 0.1): weak, ("margin-pgd-20", 0.1): strong}),
            ("easycore", {("pgd-20", 0.1): strong, ("margin-pgd-20", 0.1): weak}),
        )
        for replicate in range(3)
    ]
    suite, refused = of(declared(records))
    regime = suite.of("standard")
    assert regime.accuracy("random") == regime.accuracy("easycore")
    assert regime.under("pgd-20").accuracy("random").startswith("60.0")
    assert regime.under("pgd-20").ahead("random", "easycore").startswith("+15.0")
    found = regime.excess("pgd-20")
    assert (found.most, found.models) == ("15.0 points", 6)
    assert found.mean.startswith("7.5 ±")
    assert refused == []
    with pytest.raises(UsageError, match=r"Unknown attack of every cell .*'autoattack'"):
        regime.under("autoattack")


def test_excess_over_autoattack_counts_the_models_that_it_attacked() -> None:
    usual, strong = bits(50, 100), bits(44, 100)
    records = [
        record(
            "random",
            0.3,
            "standard",
            replicate,
            clean=bits(100, 100),
            attacked={("pgd-20", 0.1): usual} | ({("autoattack", 0.1): strong} if replicate == 0 else {}),
        )
        for replicate in range(3)
    ]
    found = of(declared(records))[0].of("standard").excess_over_autoattack()
    assert (found.most, found.models) == ("6.0 points", 1)
