"""From known outcomes to exact numbers, sentences and marks in the tables."""

import io
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmark import wording
from benchmark.leaderboard import leaderboard, print_table, render_markdown, render_summary
from benchmark.outcomes import frame
from benchmark.records import (
    Cost,
    Record,
    pack_bits,
    pack_levels,
    read_records,
    unpack_bits,
    unpack_levels,
    write_records,
)
from benchmark.spec import Recipe
from benchmark.standings import regime_standings
from benchmark.stats import Estimate
from methods.errors import CoresetBenchError
from tests.factories import PRIMARY, bits, record, robust

FRACTIONS, REPLICATES = (0.1, 0.3), (0, 1, 2)


def grid(counts: dict[str, list[list[int]]], regime: str = "standard") -> list[Record]:
    """Cells of 100 images from the robust counts of each row, [fraction][replicate]."""
    return [
        robust(right, row, fraction, regime, replicate)
        for row, table in counts.items()
        for fraction, line in zip(FRACTIONS, table, strict=True)
        for replicate, right in enumerate(line)
    ]


COUNTS = {
    "random": [[40, 42, 44], [50, 52, 54]],
    "easycore": [[46, 47, 49], [55, 59, 60]],
    "el2n": [[30, 31, 32], [40, 41, 42]],
}


def lines(markdown: str) -> list[list[str]]:
    """The cells of every table line."""
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")] for line in markdown.splitlines() if line[:1] == "|"
    ]


def line_of(markdown: str, row: str) -> list[str]:
    """The first table line that names the row."""
    return next(line for line in lines(markdown) if row in line)


def test_known_outcomes_give_known_numbers() -> None:
    text = render_markdown(grid(COUNTS))
    # easycore: means of replicates 50.5, 53, 54.5, minus random's 45, 47, 49: 5.5, 6, 5.5; t(2) = 4.302653
    assert line_of(text, "easycore") == [
        "1", "easycore", "47.3 ± 3.8", "58.0 ± 6.6", "52.7 ± 5.0", "+5.7 ± 0.7", "100.0 ± 0.0",
    ]  # fmt: skip
    assert line_of(text, "random")[0] == "2"
    assert line_of(text, "random")[-2] == "–"
    assert line_of(text, "el2n")[4:6] == ["36.0 ± 2.5", "−11.0 ± 2.5"]


def test_headline_names_the_best_its_gain_and_where_easycore_stands() -> None:
    winner = render_markdown(grid(COUNTS))
    assert "easycore has the highest mean robust accuracy: 52.7 ± 5.0 %, a paired difference of +5.7 ± 0.7" in winner
    assert "Every other ranked row is distinguishable from it." in winner
    beaten = render_markdown(grid(COUNTS | {"aum": [[60, 70, 55], [60, 70, 55]]}))
    assert "aum has the highest mean robust accuracy: 61.7 ± 19.0 %" in beaten
    assert "Not distinguishable from it: easycore and random." in beaten
    assert "easycore ranks 2 of 4: 52.7 ± 5.0 %, a paired difference of +5.7 ± 0.7 points to random." in beaten
    assert line_of(beaten, "easycore")[0] == "2 ≈"
    assert line_of(beaten, "el2n")[0] == "4"


def test_ties_share_a_rank() -> None:
    standings = regime_standings(grid(COUNTS | {"loss": COUNTS["easycore"]}))[0].order
    assert [(s.row, s.rank) for s in standings] == [("easycore", 1), ("loss", 1), ("random", 3), ("el2n", 4)]
    assert "easycore and loss share the highest" in render_markdown(grid(COUNTS | {"loss": COUNTS["easycore"]}))


def test_full_data_is_a_ceiling_without_a_rank() -> None:
    records = grid(COUNTS) + [robust(80, "full", 1.0, "standard", replicate) for replicate in REPLICATES]
    line = line_of(render_markdown(records), "*all 1,100 images*")
    assert line == ["", "*all 1,100 images*", "", "", "*80.0 ± 0.0*", "*+33.0 ± 5.0*", "*100.0 ± 0.0*"]
    assert "ranks" not in render_markdown(records)


def test_a_failed_cell_is_listed_and_never_averaged() -> None:
    records = grid(COUNTS)
    lost = records.index(next(r for r in records if r.cell == "easycore-0.3-standard-1"))
    records[lost] = record("easycore", 0.3, "standard", 1, failure="the loss is not finite; lower the learning rate.")
    text = render_markdown(records)
    assert line_of(text, "easycore") == ["–", "easycore", "47.3 ± 3.8", "57.5 (2/3)", "–", "–", "–"]
    assert "- easycore: 1 of 6 cells failed: training: the loss is not finite; lower the learning rate." in text
    assert "easycore lacks cells, so it has no mean and no rank." in text
    assert "random has the highest mean" in text
    assert line_of(text, "el2n")[0] == "2"


def test_a_cell_that_is_not_there_is_listed() -> None:
    text = render_markdown([r for r in grid(COUNTS) if r.cell != "el2n-0.1-standard-2"])
    assert "- el2n: 1 of 6 cells are not in these records." in text
    assert line_of(text, "el2n")[:5] == ["–", "el2n", "30.5 (2/3)", "41.0 ± 2.5", "–"]


def test_every_cell_failed() -> None:
    records = [record(row, 0.1, "standard", i, failure="no memory.") for row in COUNTS for i in REPLICATES]
    text = render_markdown(records)
    assert "No row has every cell, so nothing is summarised or ranked." in text
    assert text.count("3 of 3 cells failed") == 3
    assert "optimiser steps: none" in text


def test_a_baseline_that_failed_leaves_no_differences() -> None:
    records = [r for r in grid(COUNTS) if r.cell != "random-0.1-standard-0"]
    assert line_of(render_markdown(records), "easycore")[-2] == "–"


def test_two_replicates_give_values_and_a_sentence() -> None:
    text = render_markdown([r for r in grid(COUNTS) if r.factors.replicate < 2])
    assert line_of(text, "easycore") == ["easycore", "46.5", "57.0", "51.8", "+5.8", "100.0"]
    assert "With 2 replicates there are values only: an interval, and so a rank, needs 3." in text
    assert "±" not in text
    assert "rank" not in line_of(text, "method")


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
    text = render_markdown(records)
    assert "(ε = 0.1, PGD-20 and AutoAttack, equal epochs)" in text
    assert line_of(text, "random")[2] == "40.0 ± 0.0"
    assert ["random", "60.0 ± 0.0", "40.0 ± 0.0"] in lines(text)


def test_autoattack_stands_beside_pgd_on_the_same_images_and_replicate() -> None:
    def cell(row: str, replicate: int) -> Record:
        attacked = {("pgd-20", PRIMARY): bits(6, 10)}
        if replicate == 1:
            attacked[("autoattack", PRIMARY)] = bits(3, 5)
        return record(row, 0.3, "standard", replicate, clean=bits(8, 10), attacked=attacked)

    text = render_markdown([cell(row, replicate) for row in COUNTS for replicate in REPLICATES])
    assert "under AutoAttack (ε = 0.1, equal epochs, replicate 1, first 5 test images)" in text
    assert ["method", "30 %: PGD-20", "30 %: with AutoAttack"] in lines(text)
    assert ["random", "100.0", "60.0"] in lines(text)
    assert line_of(text, "random")[2] == "60.0 ± 0.0"
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
    assert "first 10 test images; without apgd-t: needs at least 4 classes, there are 2)" in text


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
    _, _, table = render_markdown(records).partition("median smallest ε |")
    assert line_of(table, "random")[-1] == median.replace(">", r"\>")


def test_worst_class_and_clean_accuracy() -> None:
    line = frame([record(clean=[True, False, True, True, True, False])]).iloc[0]
    assert line["clean"] == pytest.approx(4 / 6)
    assert line["worst_class"] == pytest.approx(1 / 3)


def test_costs_come_from_the_records() -> None:
    cost = [Cost(seconds={"trace": 3.0, "training": seconds}) for seconds in (1.0, 2.0, 4.5)]
    records = [record("easycore", 0.1, "standard", i, cost=cost[i]) for i in REPLICATES]
    assert ["easycore", "20", "3.00", "2.50"] in lines(render_markdown(records))


def test_facts_say_what_was_run() -> None:
    records = [r for regime in ("standard", "trades") for r in grid(COUNTS, regime)]
    text = render_markdown(records)
    for fact in (
        "# Leaderboard: digits, version 1",
        "digits, a pool of N = 1,100 training images in 2 classes, 100 test images",
        "mean over 3 replicates (proxy, selection and training randomness) on this test set; paired t interval, 95 %",
        "TRADES with β = 6, ε = 0.1 in 10 steps of 0.025, 30 epochs of SGD at batch 128",
        "equal epochs: 30 passes over each coreset",
        "30 at k = 110 and 90 at k = 330",
        "Linf, pixels between 0 and 1, ε = 0.05 and 0.1, primary 0.1; PGD-20 on 100 images in 18 of 18 cells",
        "**Processor:** a processor\n",
    ):
        assert fact in text
    failed = record("loss", 0.1, "standard", failure="no memory.", optimiser_steps=0, provenance={"processor": ""})
    assert "30 at k = 110 and" in render_markdown([*records, failed])
    assert "**Processor:** a processor\n" in render_markdown([*records, failed])
    gpu = robust(3, provenance={"processor": "a host", "device": "a card"})
    assert "**Processor:** a host, a card\n" in render_markdown([gpu])
    steps = [robust(3, recipe=Recipe(epochs=30, clock="steps"))]
    assert "PGD-20, equal steps)" in render_markdown(steps)


def test_summary_has_all_regimes_in_one_table() -> None:
    records = grid(COUNTS) + grid({row: COUNTS[row] for row in ("random", "easycore")}, "trades")
    text = render_summary(records, "results/digits/leaderboard.md")
    assert line_of(text, "easycore") == [
        "easycore", "1", "52.7 ± 5.0", "+5.7 ± 0.7", "100.0", "1", "52.7 ± 5.0", "+5.7 ± 0.7", "100.0",
    ]  # fmt: skip
    assert line_of(text, "el2n")[5:] == ["–"] * 4
    assert "(results/digits/leaderboard.md)" in text


def test_rows_that_read_the_held_out_part_and_flags_are_marked() -> None:
    records = [
        robust(40, "loss", 0.1, "standard", i, reads_select=True, flags=("zero-gradients",) if i else ())
        for i in REPLICATES
    ]
    text = render_markdown(records)
    assert line_of(text, "loss †")
    assert "†: may see the labelled images held out" in text
    assert "Flag zero-gradients: loss † (2)." in text
    assert "†" not in render_markdown(grid(COUNTS))


def test_text_of_records_cannot_break_the_page() -> None:
    evil = "a|b <script>\n| x | *y*\x1b[31m"
    records = [robust(40, evil, 0.1, "standard", i) for i in (0, 1)]
    records.append(record(evil, 0.1, "standard", 2, failure=f"{evil}\u2028done", model="a\nb"))
    records = [r.model_copy(update={"factors": r.factors.model_copy(update={"model": "m|<b>"})}) for r in records]
    text = render_markdown(records) + render_summary(records, "x.md")
    assert "<script>" not in text
    assert "<b>" not in text
    assert "\x1b" not in text
    assert r"a\|b &lt;script\> \| x \| \*y\*" in text
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
    out = io.StringIO()
    print_table(records, Console(file=out, width=120, force_terminal=False))
    assert "\x1b" not in out.getvalue()


def test_same_records_same_bytes_whatever_the_machine_says_of_itself() -> None:
    records = grid(COUNTS)
    assert render_markdown(records) == render_markdown(grid(COUNTS))
    assert render_markdown(list(records)) == render_markdown([Record.model_validate(r.canonical()) for r in records])


def test_terminal_table_fits_and_keeps_its_summary_when_narrow() -> None:
    names = {f"a-method-of-{i}-letters@low": COUNTS["easycore"] for i in range(20)}
    records = grid(COUNTS | names)
    wide, narrow = io.StringIO(), io.StringIO()
    print_table(records, Console(file=wide, width=120))
    print_table(records, Console(file=narrow, width=80))
    assert "58.0 ± 6.6" in wide.getvalue()
    assert "58.0 ± 6.6" not in narrow.getvalue()
    for text, width in ((wide.getvalue(), 120), (narrow.getvalue(), 80)):
        assert max(map(len, text.splitlines())) <= width
        assert "52.7 ± 5.0" in text
        assert "…" not in text


@pytest.mark.parametrize(
    ("records", "sentence"),
    [
        ([], "no records to show; run the suite first"),
        ([record(), record(replicate=1, suite_version=2)], r"several suite versions \(1 and 2\)"),
        ([record(), record()], "The cell random, 0.3, standard, replicate 0 occurs 2 times"),
        ([record(), record(replicate=1, checksum="other")], "several values of 'checksum'"),
        ([record(), record("el2n", model="cnn")], "several values of 'model' in regime 'standard'"),
        ([record(), record("el2n", attacked={("fgsm", PRIMARY): bits(2, 10)})], "No attack at the primary epsilon"),
    ],
)
def test_records_that_make_no_table_are_refused_in_one_sentence(records: list[Record], sentence: str) -> None:
    with pytest.raises(CoresetBenchError, match=sentence) as caught:
        leaderboard(records)
    assert "\n" not in str(caught.value)


def test_damaged_outcomes_name_the_cell() -> None:
    good = record()
    assert good.results
    broken = good.model_copy(update={"results": good.results.model_copy(update={"clean": good.results.clean[:6]})})
    with pytest.raises(CoresetBenchError, match=r"outcomes of cell random-0.3-standard-0 .* cannot be decoded"):
        frame([broken])


@given(st.lists(st.booleans(), max_size=70))
def test_bits_survive_packing(flags: list[bool]) -> None:
    assert unpack_bits(pack_bits(np.array(flags, dtype=bool)), len(flags)).tolist() == flags


@given(st.lists(st.integers(0, 255), max_size=70))
def test_levels_survive_packing(levels: list[int]) -> None:
    assert unpack_levels(pack_levels(np.array(levels, dtype=np.int64))).tolist() == levels


def test_records_survive_the_file(tmp_path: Path) -> None:
    records = [*grid(COUNTS), record("loss", failure="no | memory\n")]
    write_records(tmp_path / "records.jsonl", records)
    assert read_records(tmp_path / "records.jsonl") == records


@pytest.mark.parametrize("cut", [lambda line: line[:-20], lambda line: "", lambda line: line.replace('"ok"', '"fine"')])
def test_a_malformed_line_is_named(tmp_path: Path, cut: Callable[[str], str]) -> None:
    path = tmp_path / "records.jsonl"
    write_records(path, grid(COUNTS))
    text = path.read_text().splitlines()
    text[1] = cut(text[1])
    path.write_text("\n".join(text))
    with pytest.raises(CoresetBenchError, match="line 2 is not a record of schema 1") as caught:
        read_records(path)
    assert "\n" not in str(caught.value)


def test_spelling_of_numbers() -> None:
    assert [wording.radius(e) for e in (8 / 255, 0.1, 0.2, 1 / 255)] == ["8/255", "0.1", "0.2", "1/255"]
    assert wording.points(Estimate(-0.0001, 0.002, 3)) == "0.0 ± 0.2"
    assert wording.points(Estimate(-0.031, None, 1)) == "−3.1"
    assert wording.share(Estimate(0.5425, 0.0, 3)) == wording.share(Estimate(np.nextafter(0.5425, 1), 0.0, 3))
    assert wording.measured_radius(6.24 / 255, like=8 / 255) == "6.2/255"
    assert wording.listed(["a"]) == "a"
    assert wording.listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"
