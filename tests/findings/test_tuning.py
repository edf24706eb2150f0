"""What findings say of tuning is what the trials and the published models bear out."""

import pytest

from benchmark.claims.evidence import Published
from benchmark.findings.tuning import Tried
from benchmark.records import Record
from benchmark.spec import FULL, Recipe
from benchmark.tuning import Trial
from tests.factories import COUNTS, grid

SGD, ADAMW = Recipe(epochs=3), Recipe(epochs=600, optimiser="adamw")
BOTH = [(fraction, recipe) for fraction in (0.1, 0.3) for recipe in (SGD, ADAMW)]


def tried(*places: tuple[float, Recipe], records: list[Record] | None = None) -> tuple[Tried, list[str]]:
    """Two coresets for each of these recipes, under standard training and on a clock that was not published."""
    refused: list[str] = []
    trials = [
        Trial(regime=regime, fraction=fraction, recipe=recipe, replicate=number, images=10, right=5)
        for regime in ("standard", "standard@steps")
        for fraction, recipe in places
        for number in range(2)
    ]
    return Tried(Published("digits", grid(COUNTS) if records is None else records), trials, refused.append), refused


def test_trials_are_those_of_what_was_published() -> None:
    tuning, _ = tried(*BOTH)
    assert tuning.trainings == "8"


def test_an_optimiser_stays_where_both_were_tried_and_it_was_taken() -> None:
    tuning, refused = tried(*BOTH)
    assert tuning.stays("sgd", beside="adamw") == "SGD"
    assert refused == []
    tuning, refused = tried(*BOTH[:3])
    tuning.stays("sgd", beside="adamw")
    assert refused == ["AdamW was not tried in standard at 30 % of digits"]


def with_adamw(at: float) -> list[Record]:
    """Records whose models were trained by AdamW, for longer, at this fraction."""
    changed = {"recipe": ADAMW}
    return [
        r.model_copy(update={"factors": r.factors.model_copy(update=changed)}) if r.factors.fraction == at else r
        for r in grid(COUNTS)
    ]


def test_an_optimiser_that_was_taken_is_said() -> None:
    tuning, refused = tried(*BOTH, records=with_adamw(0.3))
    tuning.stays("sgd", beside="adamw")
    assert refused == ["AdamW was taken in standard at 30 % of digits"]


def test_where_training_is_longer() -> None:
    tuning, refused = tried(*BOTH, records=with_adamw(0.1))
    assert tuning.longer(0.1) == "10 %"
    assert refused == []
    assert tuning.longer(0.3) == "30 %"
    assert refused == ["no more epochs were taken at 30 % of digits in standard"]


@pytest.mark.parametrize(
    ("fraction", "says"), [(0.3, []), (1.0, ["recipes were tuned for full in standard of digits"])]
)
def test_a_row_is_untuned_where_nothing_was_tried(fraction: float, says: list[str]) -> None:
    full = [
        r.model_copy(update={"factors": r.factors.model_copy(update={"row": FULL, "fraction": 1.0})})
        for r in grid(COUNTS)
        if r.factors.row == "random" and r.factors.fraction == 0.3
    ]
    tuning, refused = tried((fraction, SGD), records=[*grid(COUNTS), *full])
    assert tuning.untuned(FULL) == FULL
    assert refused == says
