"""What is telling, which rows go unranked for it, and what is said of them."""

from pathlib import Path

import numpy as np
import pytest

from benchmark.leaderboard.masking import MEANING, counted, flags, joined, masked_rows, of_cell, sentences, telling
from benchmark.records import Record, Sign
from tests.factories import bits, record, results

PRIMARY = 0.1


def cell(row: str, fraction: float, replicate: int, signs: dict[str, tuple[int, int]] | None = None) -> Record:
    """A cell of the standard regime with these signs, flagged by what they say."""
    found = {name: Sign(found=count, of=of) for name, (count, of) in (signs or {}).items()}
    made = record(row, fraction, "standard", replicate, flags=flags(found))
    assert made.results
    return made.model_copy(update={"results": made.results.model_copy(update={"signs": found})})


def rows(flagged: dict[tuple[float, int], dict[str, tuple[int, int]]], replicates: int = 3) -> list[Record]:
    """A row "x" at two fractions whose cells show these signs, and an honest one that was checked as well."""
    quiet = {"guard": (0, 100)}
    return [cell("x", f, r, flagged.get((f, r), quiet)) for f in (0.1, 0.3) for r in range(replicates)] + [
        cell("honest", f, r, quiet) for f in (0.1, 0.3) for r in range(replicates)
    ]


@pytest.mark.parametrize(
    ("found", "of", "tells"),
    [
        (2, 100, False),
        (3, 100, True),
        (3, 300, True),
        (3, 301, False),
        (9, 1000, False),
        (10, 1000, True),
        (2, 2, False),
    ],
)
def test_three_images_and_one_point(found: int, of: int, tells: bool) -> None:
    assert telling(Sign(found=found, of=of)) is tells


def test_a_little_of_some_signs_and_any_of_others_mark_a_model() -> None:
    little = {flag: Sign(found=1, of=250) for flag in MEANING}
    assert flags(little) == ("randomised", "nonfinite-logits")
    assert flags({flag: Sign(found=3, of=250) for flag in MEANING}) == tuple(MEANING)
    assert flags({flag: Sign(found=0, of=250) for flag in MEANING}) == flags({}) == ()


def test_notes_of_an_attack_are_counts_again() -> None:
    right = np.array(bits(30, 40))
    notes = {"zero_gradients": 6 / 30, "square_gain": 7 / 40, "nonfinite": 0.0, "omitted": ["apgd-t: why"]}
    assert counted(notes, right) == {
        "zero-gradients": Sign(found=6, of=30),  # of those that are right
        "square-gain": Sign(found=7, of=40),
        "nonfinite-logits": Sign(found=0, of=40),
    }  # fmt: skip
    assert counted({"zero_gradients": 0.0}, np.zeros(5, dtype=bool)) == {"zero-gradients": Sign(found=0, of=0)}


def test_of_two_attacks_the_sign_that_says_most_counts() -> None:
    strong, weak = {"zero-gradients": Sign(found=3, of=60)}, {"zero-gradients": Sign(found=9, of=1000)}
    assert joined([strong, weak]) == joined([weak, strong]) == strong
    assert joined([strong, {"guard": Sign(found=0, of=9)}]).keys() == {"zero-gradients", "guard"}
    assert joined([]) == {}


FIRED, BLIND = {"guard": (5, 100)}, {"zero-gradients": (50, 90)}


@pytest.mark.parametrize(
    ("flagged", "reason"),
    [
        ({}, None),
        ({(0.1, 0): FIRED}, None),
        ({(0.1, 0): FIRED, (0.3, 1): FIRED}, None),  # not at one fraction
        ({(0.1, 0): FIRED, (0.3, 0): FIRED}, None),  # one replicate
        ({(0.1, 0): FIRED, (0.1, 2): BLIND}, "2 of 3 replicates at 10 % are misled (zero-gradients and guard)"),
        (
            {(0.1, 0): FIRED, (0.1, 2): FIRED, (0.3, 0): FIRED, (0.3, 1): FIRED, (0.3, 2): FIRED},
            "2 of 3 replicates at 10 % and 3 of 3 replicates at 30 % are misled (guard)",
        ),
        ({(0.1, 0): {"guard": (2, 100)}, (0.1, 1): {"guard": (2, 100)}, (0.1, 2): {"guard": (2, 100)}}, None),
        ({(0.1, r): {"nonfinite-logits": (100, 100)} for r in range(3)}, None),  # hides nothing
    ],
)
def test_a_row_is_unranked_where_most_replicates_are_misled_at_a_fraction(flagged, reason: str | None) -> None:
    expected = {} if reason is None else {"x": reason}
    assert masked_rows(rows(flagged), "standard") == expected
    assert masked_rows(rows(flagged), "trades") == {}


def test_what_the_guard_finds_on_the_baseline_as_well_misleads_nobody() -> None:
    """Ten times the steps find some images on any network; all rows lose them alike."""
    fired = rows({(0.1, r): {"guard": (7, 100)} for r in range(3)})
    base = [cell("random", 0.1, r, {"guard": (found, 100)}) for r, found in enumerate((2, 3, 1))]
    assert masked_rows([*fired, *base], "standard") == {"x": "3 of 3 replicates at 10 % are misled (guard)"}
    more = [cell("random", 0.1, r, {"guard": (found, 100)}) for r, found in enumerate((3, 4, 2))]
    assert masked_rows([*fired, *more], "standard") == {}
    assert masked_rows([*rows({(0.1, r): BLIND for r in range(3)}), *more], "standard").keys() == {"x"}
    assert sentences([*fired, *more], "standard")[-1] == (
        "On random's models the guard breaks a further 3.0 % of its images (mean over fractions): by at least as much "
        "the PGDs fall short there."
    )


def test_five_points_of_a_hundred_images_mislead_and_three_do_not() -> None:
    for found, misled in ((3, False), (4, False), (5, True)):
        fired = rows({(0.1, r): {"guard": (found, 100)} for r in range(3)})
        assert bool(masked_rows(fired, "standard")) is misled


def test_the_full_pool_is_a_reference_and_never_unranked() -> None:
    full = [cell("full", 1.0, r, FIRED) for r in range(3)]
    assert masked_rows(full, "standard") == {}
    assert sentences(full, "standard")[0].startswith("Flag guard")


def test_half_is_not_most() -> None:
    flagged = {(0.1, r): FIRED for r in (0, 1)}
    assert masked_rows(rows(flagged, replicates=4), "standard") == {}
    assert masked_rows(rows(flagged, replicates=3), "standard").keys() == {"x"}


def test_failed_cells_and_random_draws_do_not_count() -> None:
    records = rows({(0.1, 0): FIRED})
    failed = [record("x", 0.1, "standard", r, failure="no.") for r in (1, 2)]
    kept = [r for r in records if (r.factors.row, r.factors.fraction) != ("x", 0.1) or r.factors.replicate == 0]
    assert masked_rows([*kept, *failed], "standard") == {
        "x": "1 of 1 replicate at 10 % is misled (guard)"
    }  # fmt: skip
    draws = [cell("random", 0.1, r, FIRED) for r in range(100)]
    nulls = [r.model_copy(update={"factors": r.factors.model_copy(update={"null": "uniform"})}) for r in draws]
    assert masked_rows([*records, *nulls], "standard") == {}
    assert sentences([*records, *nulls], "standard") == sentences(records, "standard")


def test_sentences_say_which_rows_how_much_and_how_many_were_checked() -> None:
    told = sentences(rows({(0.1, 0): FIRED, (0.1, 1): {"guard": (12, 100)}}), "standard", str.upper)
    assert told == [
        "X is not ranked: 2 of 3 replicates at 10 % are misled (guard).",
        "Flag guard, broken by the guard's steps and restarts alone: X (2 of 6 checked models, up to 12 of "
        "100 images).",
        "Signs of masked gradients: looked for in 12 of 12 models, found in 2.",
    ]


def test_an_unchecked_regime_says_so() -> None:
    (told,) = sentences([record("x", 0.1, "standard", r) for r in range(3)], "standard")
    assert told.startswith("Signs of masked gradients were not looked for")


def test_records_that_count_no_signs_are_read_by_their_flags() -> None:
    attacked = {("pgd-20", PRIMARY): bits(6, 10), ("autoattack", PRIMARY): bits(4, 10)}
    old = [record("x", 0.1, "standard", 0, attacked=attacked, flags=("square-gain",)), record("x", 0.1, "standard", 1)]
    told = sentences(old, "standard")
    assert told[-1] == "Signs of masked gradients: looked for in 1 of 2 models, found in 1."
    assert told[0] == "Flag square-gain, broken by Square alone, which uses no gradients: x (1 of 1 checked model)."
    assert of_cell(old[0]) == ["square-gain: flagged"]


def test_a_flag_of_another_name_is_printed_as_plain_text() -> None:
    odd = [record("x\n|", 0.1, "standard", 0, flags=("<b>\nodd|",))]
    told = sentences(odd, "standard")
    assert told[0] == "Flag <b> odd|: x | (1 of 1 checked model)."
    assert masked_rows(odd, "standard") == {}


def test_each_sign_of_a_cell_has_a_line() -> None:
    lines = of_cell(cell("x", 0.1, 0, {"zero-gradients": (0, 1), "guard": (4, 100)}))
    assert lines == [
        "zero-gradients: 0 of 1 image (the gradient of the cross-entropy is exactly 0)",
        "guard: 4 of 100 images, flagged (broken by the guard's steps and restarts alone)",
    ]
    assert of_cell(record("x", 0.1, failure="no.")) == []


class TestWorstCase:
    CLEAN = [True] * 7 + [False]

    def test_is_over_all_that_saw_the_images_and_over_smaller_radii(self) -> None:
        attacked = {
            ("pgd-20", 0.05): [True] * 5 + [False, True, False],
            ("pgd-20", PRIMARY): [False, *[True] * 6, False],
            ("autoattack", PRIMARY): [True, False, True, True],
            ("pgd-20", 0.2): [False] * 8,  # a larger ball says nothing of a smaller one
        }
        made = results(self.CLEAN, attacked, codes=[7, 7, 2, 3, 7, 7, 7, 0])  # a step is 0.05, 8 was never flipped
        assert made.worst_case(PRIMARY).tolist() == [False, False, False, True]
        every = [False, True, False, True, True, False, True, False]
        assert made.worst_case(PRIMARY, 8).tolist() == every  # AutoAttack saw four
        assert made.worst_case(0.05).tolist() == [True] * 5 + [False, True, False]

    def test_an_image_never_flipped_withstood_the_search_whatever_its_bound(self) -> None:
        made = results([True] * 2, {("pgd-20", 0.5): [True] * 2}, codes=[8, 7])
        assert made.worst_case(0.5).tolist() == [True, False]

    def test_without_a_search_and_without_attacks(self) -> None:
        from benchmark.records import UNSEARCHED

        made = results(self.CLEAN, {("pgd-20", PRIMARY): self.CLEAN}).model_copy(update={"radii": UNSEARCHED})
        assert made.worst_case(PRIMARY).tolist() == self.CLEAN
        assert made.model_copy(update={"attacks": ()}).worst_case(PRIMARY).tolist() == self.CLEAN

    def test_never_exceeds_a_worst_case_over_some(self) -> None:
        rng = np.random.default_rng(0)
        for _ in range(50):
            clean = rng.random(20) < 0.8
            attacked = {(f"a{i}", e): clean & (rng.random(20) < 0.7) for i in range(3) for e in (0.05, PRIMARY)}
            made = results(clean, attacked, codes=np.where(clean, rng.integers(1, 9, 20), 0))
            some = made.robust_bits(PRIMARY, {"a0", "a2"})
            assert some is not None
            assert (made.worst_case(PRIMARY) <= some).all()


def test_the_page_on_attacks_explains_every_flag() -> None:
    page = (Path(__file__).parents[2] / "docs" / "attacks.md").read_text()
    assert [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")][: len(MEANING)] == list(MEANING)
