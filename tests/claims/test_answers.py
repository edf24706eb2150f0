"""Answers from records whose truth is known, and what happens where records are missing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from benchmark.claims.answers import Answer, Asked, ask
from benchmark.claims.evidence import Published
from benchmark.claims.questions import NOT_SUPPORTED, SUPPORTED, UNDECIDED
from benchmark.records import Record
from benchmark.stats import estimate, simultaneous
from methods.errors import CoresetBenchError
from tests.claims.test_measurement import measurement
from tests.factories import COUNTS, declared, grid, record, robust

Counts = dict[str, list[list[int]]]


def suite(counts: Counts, name: str = "digits", regime: str = "standard", **changes: Any) -> Published:
    return Published(name, declared(grid(counts, regime), **changes))


def asked(question: str, *suites: Published) -> Asked:
    return next(found for found in ask(suites, []) if found.question.id == question)


def answer(question: str, *suites: Published) -> Answer:
    (found,) = asked(question, *suites).answers
    return found


def reason(question: str, *suites: Published) -> str:
    found = asked(question, *suites)
    assert not found.answers
    return found.missing[0][1].reason


def shifted(counts: list[list[int]], by: int) -> list[list[int]]:
    return [[value + by for value in line] for line in counts]


def test_a_paired_difference_of_means_over_fractions() -> None:
    found = answer("uniform", suite(COUNTS))
    means = [(46 + 55 - 40 - 50) / 200, (47 + 59 - 42 - 52) / 200, (49 + 60 - 44 - 54) / 200]
    expected = estimate(means)
    assert expected.half_width is not None
    assert found.value == pytest.approx(expected.mean)
    assert found.high == pytest.approx(expected.mean + expected.half_width)
    assert (found.replicates, found.verdict, found.chosen) == (3, SUPPORTED, None)


def test_the_least_of_all_others_decides() -> None:
    ours = [[60, 62, 64], [60, 62, 64]]
    found = answer("every-method", suite({"easycore": ours, "random": shifted(ours, -20), "el2n": shifted(ours, 3)}))
    assert found.chosen is not None
    assert (found.chosen.other, found.verdict) == ("el2n", NOT_SUPPORTED)
    assert found.value == pytest.approx(-0.03)
    assert len(found.cells) == 2


def test_up_to_is_the_largest_gain_over_the_best_other() -> None:
    counts = {
        "easycore": [[50, 51, 52], [60, 61, 62]],
        "random": [[30, 31, 32], [58, 59, 60]],  # 20 behind, 2 behind
        "el2n": [[49, 50, 51], [20, 21, 22]],  # 1 behind, 40 behind
    }
    found = answer("up-to-7", suite(counts))
    assert found.chosen is not None
    assert (found.chosen.other, found.chosen.fraction) == ("random", 0.3)
    assert found.value == pytest.approx(0.02)
    assert len(found.cells) == 4
    assert found.verdict == NOT_SUPPORTED


def test_each_end_is_adjusted_for_the_cells_that_could_make_it_wrong() -> None:
    rng = np.random.default_rng(0)
    counts = {row: rng.integers(40, 60, (2, 3)).tolist() for row in ("easycore", "random", "el2n", "aum", "loss")}
    found = answer("every-method", suite(counts))
    ours = np.array(counts["easycore"])
    values = [(ours - np.array(counts[row])).mean(axis=0) / 100 for row in ("random", "el2n", "aum", "loss")]
    single = [estimate(line, step=1 / 200) for line in values]
    joint = simultaneous(values, step=1 / 200)
    assert found.low == pytest.approx(min(e.mean - (e.half_width or 0) for e in single))
    assert found.high == pytest.approx(min(e.mean + (e.half_width or 0) for e in joint))
    assert [cell.found.half_width for cell in found.cells] == pytest.approx([e.half_width for e in joint])


def test_every_other_method_is_no_variant_and_no_ranking_by_aign() -> None:
    variants = ("easycore@balanced", "easycore@stratified", "aign-hard", "el2n@low", "random@balanced")
    rows = ("easycore", "el2n", "random", "aum@stratified", "aum@stratified (beta=0.1)", *variants)
    records = [robust(50 + r, row, f, "standard", r) for row in rows for f in (0.1, 0.3) for r in range(3)]
    records += [
        robust(50 + r, "el2n (trades proxy)", f, "standard", r, proxy="trades") for f in (0.1, 0.3) for r in range(3)
    ]
    found = answer("every-method", Published("digits", declared(records)))
    assert {cell.other for cell in found.cells} == {"el2n", "random", "aum@stratified", "aum@stratified (beta=0.1)"}


def test_controls_are_those_that_the_suite_has() -> None:
    ours = [[50, 51, 52], [60, 61, 62]]
    both = {"easycore": ours, "random": shifted(ours, 9), "loss@low": shifted(ours, -9), "aum@high": shifted(ours, 3)}
    found = answer("controls", suite(both))
    assert found.chosen is not None
    assert found.chosen.other == "aum@high"
    assert {cell.other for cell in found.cells} == {"loss@low", "aum@high"}
    assert found.verdict == NOT_SUPPORTED


@pytest.mark.parametrize("replicates", [1, 2])
def test_too_few_replicates_give_a_value_and_no_verdict(replicates: int) -> None:
    counts = {row: [line[:replicates] for line in lines] for row, lines in COUNTS.items()}
    found = answer("uniform", suite(counts))
    assert (found.low, found.high, found.verdict) == (None, None, UNDECIDED)
    assert found.value > 0.05


def test_two_replicates_that_agree_have_no_verdict_either() -> None:
    found = answer("every-method", suite({"easycore": [[90, 90], [90, 90]], "random": [[10, 10], [10, 10]]}))
    assert found.verdict == UNDECIDED


def test_replicates_that_agree_are_no_certainty() -> None:
    """Three equal differences of half a point may be rounding: the interval is not empty."""
    found = answer("uniform", suite({"easycore": [[51] * 3, [50] * 3], "random": [[50] * 3, [50] * 3]}))
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.005 < found.high


def test_an_other_that_lacks_cells_is_left_out_and_forbids_support() -> None:
    ours = [[80, 82, 84], [80, 82, 84]]
    whole = suite({"easycore": ours, "random": shifted(ours, -20), "el2n": shifted(ours, -30)})
    assert answer("every-method", whole).verdict == SUPPORTED
    cells = [r for r in whole.records if (r.factors.row, r.factors.replicate) != ("el2n", 2)]
    failed = [record("el2n", f, "standard", 2, failure="diverged") for f in (0.1, 0.3)]
    lacking = Published("digits", declared([*cells, *failed]))
    found = answer("every-method", lacking)
    assert (found.left_out, found.verdict) == (("el2n",), UNDECIDED)


def test_a_first_row_that_lacks_cells_has_no_answer() -> None:
    records = [r for r in grid(COUNTS) if (r.factors.row, r.factors.replicate) != ("easycore", 1)]
    assert reason("uniform", Published("digits", declared(records))) == "easycore lacks cells"


def test_missing_rows_are_named_and_nothing_is_invented() -> None:
    lone = suite({"easycore": COUNTS["easycore"]})
    assert reason("uniform", lone) == "no records of random"
    assert reason("controls", lone) == "no records of loss@low, el2n@low, aum@high and forgetting@low"
    assert reason("class-counts", lone) == "no records of easycore@balanced"
    assert asked("trades-uniform", lone).answers == ()
    assert asked("vulnerability", lone).answers == ()


def acs(records: Sequence[Record], **changes: Any) -> Published:
    """A dynamic suite of ACS in the same setting, but for what changes."""
    found = [
        robust(45 + r, "acs", fraction, "trades", r, track="dynamic", **changes)
        for fraction in (0.1, 0.3)
        for r in range(3)
    ]
    return Published("digits-dynamic", declared(found))


def test_acs_is_found_in_a_dynamic_suite_of_the_same_setting() -> None:
    static = suite(COUNTS, regime="trades")
    found = answer("trades-acs", static, acs(static.records))
    ours = [(46 + 55) / 200, (47 + 59) / 200, (49 + 60) / 200]
    assert found.value == pytest.approx(np.mean(ours) - 0.46)
    both = answer("up-to-5", static, acs(static.records))
    assert {cell.other for cell in both.cells} == {"random", "acs"}


@pytest.mark.parametrize(
    "changes", [{"model": "cnn-tiny"}, {"checksum": "another"}, {"primary": 0.05}, {"seeds": "another"}]
)
def test_acs_of_another_setting_is_no_answer(changes: dict[str, Any]) -> None:
    static = suite(COUNTS, regime="trades")
    if "seeds" in changes:
        changes = {"seeds": static.records[0].factors.seeds.model_copy(update={"training": 99})}
    said = reason("trades-acs", static, acs(static.records, **changes))
    assert said == "no records of acs at this setting"


def test_a_dynamic_suite_is_asked_nothing_itself() -> None:
    dynamic = acs([])
    assert all(not found.answers and not found.missing for found in ask([dynamic], []))


def test_random_draws_with_its_own_class_counts() -> None:
    draws = [
        robust(30 + draw, f"null/{draw}", f, "standard", draw, null="easycore") for f in (0.1, 0.3) for draw in range(6)
    ]
    rows = declared(grid(COUNTS))
    shared = {name: getattr(rows[0].factors, name) for name in ("suite_fractions", "suite_replicates", "suite_cells")}
    draws = [d.model_copy(update={"factors": d.factors.model_copy(update=shared)}) for d in draws]
    found = answer("own-class-counts", Published("digits", [*rows, *draws]))
    groups = [0.315, 0.325, 0.335]  # draws 0 and 3, 1 and 4, 2 and 5
    ours = [(46 + 55) / 200, (47 + 59) / 200, (49 + 60) / 200]
    expected = estimate(np.subtract(ours, groups))
    assert expected.half_width is not None
    assert found.value == pytest.approx(expected.mean)
    assert found.low == pytest.approx(expected.mean - expected.half_width)
    assert reason("own-class-counts", suite(COUNTS)) == "no random coresets with the class counts of easycore"


def test_clean_accuracy_that_falls_by_more_than_a_point() -> None:
    def cell(row: str, right: int, fraction: float, replicate: int) -> Record:
        clean = [image < right for image in range(100)]
        return record(row, fraction, "standard", replicate, clean=clean, attacked={("pgd-20", 0.1): clean})

    records = [
        cell(row, right + replicate, fraction, replicate)
        for row, right in (("random", 90), ("easycore", 80))
        for fraction in (0.1, 0.3)
        for replicate in range(3)
    ]
    found = answer("clean", Published("digits", declared(records)))
    assert (found.value, found.verdict) == (pytest.approx(-0.1), NOT_SUPPORTED)


def test_a_measurement_is_answered_by_its_seeds() -> None:
    lines = [measurement(), measurement(case="few", seeds=(1, 2), values=(-0.5, -0.6))]
    (first, few) = next(found for found in ask([], lines) if found.question.id == "vulnerability").answers
    expected = estimate(lines[0].values)
    assert (first.value, first.verdict) == (pytest.approx(expected.mean), SUPPORTED)
    assert (few.low, few.verdict) == (None, UNDECIDED)


@pytest.mark.parametrize("changes", [{"question": "no-such"}, {"question": "uniform"}, {"unit": "pixels"}])
def test_a_measurement_that_nothing_asks_for_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(CoresetBenchError, match=r"measurement"):
        ask([], [measurement(**changes)])


def test_intervals_stay_within_what_can_be() -> None:
    (found,) = next(
        f for f in ask([], [measurement(values=(-0.99, -0.9, -0.4))]) if f.question.id == "vulnerability"
    ).answers
    assert found.low == -1.0
