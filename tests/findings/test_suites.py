"""What a suite's findings count, and the table of what to pick."""

import numpy as np
import pytest

from benchmark.records import Cost
from benchmark.spec import FULL
from benchmark.stats import among_best
from methods.errors import UsageError
from tests.factories import COUNTS, bits, declared, grid, lines, record, robust
from tests.findings.told import of, small
from tests.many import suite as many


def test_who_leads_and_who_is_near() -> None:
    regime, refused = small()
    assert regime.best() == "easycore"
    assert regime.best("easycore") == "random"
    assert regime.rows == ["easycore", "random", "el2n"]
    assert regime.leads("easycore") == regime.accuracy("easycore")
    assert refused == []
    assert regime.leads("random") == regime.accuracy("random")
    (says,) = refused
    assert says.startswith("easycore has the highest mean robust accuracy on digits, Standard training, 52.7")
    with pytest.raises(UsageError, match="No complete row is left"):
        regime.best(["easycore", "random", "el2n"])


def test_near_the_best_at_a_fraction_is_what_the_statistics_say() -> None:
    suite, _ = of(many({"random": 0.4, "easycore": 0.42, "el2n": 0.1}, replicates=6))
    regime = suite.of("standard")
    values = np.array([regime.standings.over_replicates("robust", row, 0.1) for row in regime.ordered(0.1)])
    kept = among_best(values, step=1 / 200)
    assert 0 < kept.sum() < 3
    assert regime.near_best(0.1) == [row for row, near in zip(regime.ordered(0.1), kept, strict=True) if near]


def test_the_table_of_picks_has_the_best_row_of_each_training_and_fraction() -> None:
    suite, _ = of(declared(grid(COUNTS)))
    regime = suite.of("standard")
    head, *body = [line for line in lines(suite.picks()) if not line[0].startswith(":")]
    assert head == ["training", "kept", "most robust", "− random", "clean", "worst class", "not distinguishable"]
    assert [line[1] for line in body] == ["10 %", "30 %"]
    for line, at in zip(body, (0.1, 0.3), strict=True):
        assert line[2] == f"`easycore`, {regime.accuracy('easycore', at=at)}"
        assert line[3] == regime.difference("easycore", "random", at=at).removesuffix(" points")
        assert line[6].startswith(f"{len(regime.near_best(at))} of 3: `easycore`")


def test_rows_that_share_the_highest_mean_are_all_named() -> None:
    suite, _ = of(declared(grid({"random": [[40], [40]], "easycore": [[45], [45]], "el2n": [[45], [46]]})))
    picked = [line[1:3] for line in lines(suite.picks())[2:]]
    assert picked == [["10 %", "`easycore`, 45.0 %"], ["10 %", "`el2n`, 45.0 %"], ["30 %", "`el2n`, 46.0 %"]]


def test_what_the_family_shows_on_either_side_of_a_row() -> None:
    suite, refused = of(many({"random": 0.4, "easycore": 0.55, "el2n": 0.1, "loss": 0.095}, replicates=6))
    regime = suite.of("standard")
    assert (regime.surely_above("random"), regime.surely_below("random")) == (["easycore"], ["el2n", "loss"])
    assert refused == []
    regime.not_surely("el2n", "loss")
    assert refused == []
    regime.not_surely("random", "easycore")
    assert refused.pop().startswith("the family of comparisons tells random from easycore on ")
    assert regime.surely_above("easycore") == []
    (says,) = refused
    assert says == f"the family of comparisons shows no row above easycore on {suite.published.name}, Standard training"


def test_a_row_that_is_not_near_everywhere_is_refused() -> None:
    suite, refused = of(many({"random": 0.4, "easycore": 0.42, "el2n": 0.1}, replicates=6))
    found = suite.always_near_best("easycore")
    assert "easycore" in found
    assert refused == []
    suite.always_near_best("el2n")
    assert refused == ["el2n is somewhere distinguishable from the best of digits"]


def test_differences_are_tallied_by_their_intervals() -> None:
    counts = {
        "random": [[40, 40, 40], [50, 50, 50]],
        "above": [[45, 46, 45], [55, 56, 55]],
        "open": [[30, 40, 50], [50, 60, 40]],
        "below": [[35, 34, 35], [52, 48, 50]],
    }
    found = of(declared(grid(counts)))[0].tally()
    assert (found.differences, found.above, found.below) == (6, 2, 1)


def test_a_family_that_shows_something_is_not_silent() -> None:
    quiet, nothing = of(many({"random": 0.4, "easycore": 0.4}))
    assert quiet.none_sure() == 1
    assert nothing == []
    suite, refused = of(many({"random": 0.2, "easycore": 0.6}, replicates=6))
    suite.none_sure()
    assert refused == ["the family of digits shows easycore to be better than random in standard"]
    assert suite.of("standard").surely("easycore", "random") == suite.of("standard").ahead("easycore", "random")
    suite.of("standard").surely("random", "easycore")
    assert refused[1:] == ["the family of comparisons does not show random above easycore on digits, Standard training"]


def test_a_place_among_random_coresets() -> None:
    drawn, _ = of(many({"random": 0.3, "easycore": 0.6}, draws=30))
    assert drawn.draws == 60  # at two fractions
    assert drawn.of("standard").place("easycore").startswith("percentile 100.0, z = +")
    with pytest.raises(UsageError, match="easycore has no place among random coresets"):
        drawn.of("standard").place("easycore", null="easycore")
    with pytest.raises(UsageError, match="has no place"):
        small()[0].place("easycore")


def test_sizes_are_those_of_the_records() -> None:
    full = [robust(50, FULL, 1.0, "standard", replicate) for replicate in range(3)]
    suite, _ = of(declared([*grid(COUNTS), *full]))
    sizes = (suite.cells, suite.rows, suite.replicates, suite.draws, suite.pool, suite.images, suite.fractions)
    assert sizes == (21, 3, 3, 0, "1,100", "100", "10 % and 30 %")
    assert suite.line[2:6] == ["3 and full data", "1 × 2", "3", "21"]


def test_what_cells_share_is_counted_once() -> None:
    seconds = {"proxy": 60.0, "select": 60.0, "train": 120.0, "pgd": 30.0}
    shared = {"coreset": "c", "model": "m"}
    cells = [
        record(row, 0.3, "standard", 0, clean=bits(8, 10), cost=Cost(seconds=seconds)).model_copy(
            update={"keys": {**shared, "pgd": row}}
        )
        for row in ("random", "easycore")
    ]
    assert of(declared(cells))[0].computing == "5 core-minutes"  # proxy, selection and model once, PGD for each


def test_an_unknown_regime() -> None:
    with pytest.raises(UsageError, match="Unknown regime of digits: 'trade'"):
        of(declared(grid(COUNTS)))[0].of("trade")
