"""Which attacks a table's robust accuracy is made of, and what AutoAttack and the smallest radii add to it."""

import numpy as np
import pytest

from benchmark.leaderboard.document import render_markdown, render_summary
from benchmark.leaderboard.outcomes import frame
from benchmark.leaderboard.standings import regime_standings
from benchmark.records import Record
from tests.factories import COUNTS, PRIMARY, REPLICATES, bits, declared, grid, line_of, lines, record


def test_worst_case_is_taken_image_by_image() -> None:
    attacked = {
        ("pgd-20", PRIMARY): [True, True, True, False, False, True],
        ("pgd-20", 0.05): bits(6, 6),
        ("autoattack", PRIMARY): [True, False, True, True],
    }
    right = [
        True,
        True,
        False,
        True,
        True,
        True,
    ]  # a robust bit of an image that is wrong when clean counts for nothing
    other = {("pgd-20", PRIMARY): bits(6, 6)}
    cells = frame([record(clean=right, attacked=attacked), record("easycore", clean=right, attacked=other)])
    line = cells.iloc[0]
    assert line["robust"] == pytest.approx(3 / 6)  # PGD alone: not every cell met AutoAttack
    assert line["robust_among_right"] == pytest.approx(3 / 5)
    assert line["robust@0.05"] == pytest.approx(5 / 6)
    assert line["autoattack"] == pytest.approx(1 / 4)
    assert line["without_autoattack"] == pytest.approx(2 / 4)
    assert np.isnan(cells.iloc[1]["autoattack"])


def test_an_attack_that_every_cell_met_counts_in_the_main_table() -> None:
    attacked = {("pgd-20", PRIMARY): bits(6, 10), ("autoattack", PRIMARY): bits(4, 10)}
    records = [record("random", 0.1, "standard", i, clean=bits(8, 10), attacked=attacked) for i in REPLICATES]
    text = render_markdown(declared(records))
    assert "(ε = 0.1, PGD-20 and AutoAttack, equal epochs; estimand A)" in text
    assert line_of(text, "random")[2] == "40.0 ± 7.2"  # replicates that agree on 10 images: within a rounding
    assert ["random", "60.0 ± 7.2", "40.0 ± 7.2"] in lines(text)
    assert "AutoAttack, 10 %" not in render_summary(declared(records), "x.md")  # it is in the robust accuracy


def test_an_attack_of_fewer_images_never_counts_for_a_part_of_them() -> None:
    weak, strong = bits(8, 10), [False] * 4  # worst case over both on 4 images: 0; AND over a part of 10: 4
    attacked = {("pgd-20", PRIMARY): weak, ("autoattack", PRIMARY): strong}
    records = [record("random", 0.3, "standard", i, clean=bits(9, 10), attacked=attacked) for i in REPLICATES]
    line = frame(records).iloc[0]
    assert line["robust"] == pytest.approx(8 / 10)
    assert (line["autoattack"], line["without_autoattack"], line["autoattack_images"]) == (0, 1, 4)
    assert regime_standings(records)[0].setting.attacks == ("pgd-20",)
    text = render_markdown(declared(records))
    assert "(ε = 0.1, PGD-20, equal epochs; estimand A)" in text
    assert line_of(text, "random")[2] == "80.0 ± 7.2"


def test_the_worst_of_two_attacks_that_every_cell_met() -> None:
    attacked = {
        ("pgd-20", PRIMARY): [True, True, True, False, False],
        ("margin-pgd-20", PRIMARY): [True, False, True, True, False],
        ("pgd-20", 0.05): bits(5, 5),
        ("margin-pgd-20", 0.05): bits(4, 5),
    }
    records = [record("random", 0.3, "standard", i, clean=bits(5, 5), attacked=attacked) for i in REPLICATES]
    line = frame(records).iloc[0]
    assert (line["robust"], line["robust@0.05"]) == (pytest.approx(2 / 5), pytest.approx(4 / 5))
    text = render_markdown(declared(records))
    assert "Robust accuracy in % (ε = 0.1, PGD-20 and margin PGD-20, equal epochs; estimand A)" in text
    assert "PGD-20 on 5 images in 3 of 3 cells, margin PGD-20 on 5 images in 3 of 3 cells" in text


def autoattacked(counts: dict[str, tuple[int, int]]) -> list[Record]:
    """For each row, cells of 100 images that keep so many under PGD, and in replicate 1 so many of 50 under both."""
    return declared(
        [
            record(
                row, 0.3, "standard", replicate, clean=bits(100, 100),
                attacked={("pgd-20", PRIMARY): bits(weak, 100)}
                | ({("autoattack", PRIMARY): bits(strong, 50)} if replicate == 1 else {}),
            )
            for row, (weak, strong) in counts.items()
            for replicate in REPLICATES
        ]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"random": (40, 20), "easycore": (44, 18)}, "first is random (40.0 %), without it easycore (88.0 %); easycore "
         "minus random is −4.0 points, without it +8.0."),
        ({"random": (20, 10), "easycore": (30, 9), "aum": (40, 20)}, "easycore minus random is −2.0 points, without it "
         "+20.0."),
        ({"random": (20, 10), "el2n": (30, 20), "aum": (40, 15)}, "first is el2n (40.0 %), without it aum (80.0 %)."),
        ({"random": (20, 10), "easycore": (30, 10), "aum": (40, 10)}, ""),  # a tie for the first place, a gain gone
        ({"random": (20, 10), "easycore": (30, 15), "aum": (40, 16), "el2n": (10, 9)}, ""),
    ],
)  # fmt: skip
def test_says_where_autoattack_turns_the_order_round(counts: dict[str, tuple[int, int]], said: str) -> None:
    text = render_summary(autoattacked(counts), "x.md").replace(r"\|", "|")
    where = "AutoAttack disagrees with PGD-20 where it ran (30 %, replicate 1, first 50 test images): "
    assert (where + said in text) if said else ("disagrees" not in text)


def test_summary_has_autoattack_beside_the_mean_at_its_fraction() -> None:
    records = autoattacked({"random": (40, 20), "easycore": (44, 18)})
    text = render_summary(records, "x.md")
    assert line_of(text, "method")[2:4] == ["standard: robust", "standard: AutoAttack, 30 %"]
    assert line_of(text, "easycore")[2:4] == ["44.0 ± 0.7", "36.0"]
    assert "; AutoAttack with the other attacks: 30 %, replicate 1, first 50 test images." in text
    assert "AutoAttack" not in render_summary(grid(COUNTS), "x.md")


def test_autoattack_stands_beside_pgd_on_the_same_images_and_replicate() -> None:
    def cell(row: str, replicate: int) -> Record:
        attacked = {("pgd-20", PRIMARY): bits(6, 10)}
        if replicate == 1:
            attacked[("autoattack", PRIMARY)] = bits(3, 5)
        return record(row, 0.3, "standard", replicate, clean=bits(8, 10), attacked=attacked)

    text = render_markdown(declared([cell(row, replicate) for row in COUNTS for replicate in REPLICATES]))
    assert "under AutoAttack (ε = 0.1, equal epochs, 30 %, replicate 1, first 5 test images; estimand A)" in text
    assert ["method", "30 %: PGD-20", "30 %: with AutoAttack"] in lines(text)
    assert ["random", "100.0", "60.0"] in lines(text)
    assert line_of(text, "random")[2] == "60.0 ± 7.2"
    assert "PGD-20 on 10 images in 9 of 9 cells, AutoAttack on 5 images in 3 of 9 cells" in text


def test_says_what_autoattack_left_out() -> None:
    def cell(row: str, replicate: int) -> Record:
        attacked = {("pgd-20", PRIMARY): bits(6, 10), ("autoattack", PRIMARY): bits(3, 10)}
        made = record(row, 0.3, "standard", replicate, clean=bits(8, 10), attacked=attacked)
        assert made.results
        verdicts = [verdict.model_copy(update={"omitted": OMITTED[verdict.attack]}) for verdict in made.results.attacks]
        return made.model_copy(update={"results": made.results.model_copy(update={"attacks": tuple(verdicts)})})

    OMITTED = {"pgd-20": (), "autoattack": ("apgd-t: needs at least 4 classes, there are 2",)}
    text = render_markdown([cell(row, replicate) for row in COUNTS for replicate in REPLICATES])
    assert "first 10 test images; without apgd-t: needs at least 4 classes, there are 2; estimand A)" in text


@pytest.mark.parametrize(
    ("codes", "median"),
    [
        ([0, 0, 2, 4, 5], "0.200"),  # images wrong when clean do not count
        ([2, 4, 5, 7], "0.225"),
        ([2, 8, 8], "> 0.350"),
        ([2, 2, 8, 8], "> 0.350"),
        ([0, 0, 0], "–"),
    ],
)
def test_median_smallest_epsilon(codes: list[int], median: str) -> None:
    right = [code > 0 for code in codes]
    records = [record("random", 0.1, "standard", i, clean=right, codes=codes) for i in REPLICATES]
    _, _, table = render_markdown(declared(records)).partition("median smallest ε |")
    assert line_of(table, "random")[-1] == median.replace(">", r"\>")
