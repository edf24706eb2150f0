"""From known outcomes to exact numbers, sentences and marks in the tables."""

import io
import re

import numpy as np
import pytest
from rich.console import Console

from benchmark import wording
from benchmark.leaderboard.document import leaderboard, print_table, render_markdown, render_summary
from benchmark.leaderboard.outcomes import frame
from benchmark.leaderboard.standings import regime_standings
from benchmark.records import (
    Cost,
    Record,
)
from benchmark.spec import Recipe
from benchmark.stats import Estimate
from methods.errors import CoresetBenchError
from tests.factories import COUNTS, PRIMARY, REPLICATES, bits, declared, grid, line_of, lines, record, robust


def test_known_outcomes_give_known_numbers() -> None:
    text = render_markdown(grid(COUNTS))
    # easycore: means of replicates 50.5, 53, 54.5, minus random's 45, 47, 49: 5.5, 6, 5.5; t(2) = 4.302653
    assert line_of(text, "easycore") == [
        "1", "easycore", "47.3 ± 3.8", "58.0 ± 6.6", "52.7 ± 5.0", "+5.7 ± 0.7", "100.0 ± 0.4",
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
    assert "Not distinguishable from the best: aum and easycore." in beaten  # random is not: easycore is surely better
    assert "About 11 more replicates would separate aum from easycore (80 % power), were difference" in beaten
    assert "Distinguishable from random: above it easycore, below it el2n." in beaten
    place = "easycore may rank 1 to 2 of 4: 52.7 ± 5.0 %, a paired difference of +5.7 ± 0.7 points to random."
    assert place in beaten
    assert [line_of(beaten, row)[0] for row in ("aum", "easycore", "random", "el2n")] == ["1–4", "1–2", "2–3", "3–4"]


def test_ties_share_a_rank() -> None:
    standings = regime_standings(grid(COUNTS | {"loss": COUNTS["easycore"]}))[0].order
    ranks = [("easycore", (1, 2)), ("loss", (1, 2)), ("random", (3, 3)), ("el2n", (4, 4))]
    assert [(s.row, s.rank) for s in standings] == ranks
    text = render_markdown(grid(COUNTS | {"loss": COUNTS["easycore"]}))
    assert "easycore and loss share the highest" in text
    assert "Not distinguishable from the best: easycore and loss." in text
    assert "more replicates would separate" not in text.split("## Reading")[0]  # nothing separates equals


def test_full_data_is_a_reference_without_a_rank() -> None:
    records = grid(COUNTS) + [robust(80, "full", 1.0, "standard", replicate) for replicate in REPLICATES]
    line = line_of(render_markdown(records), "*all 1,100 images*")
    assert line == ["", "*all 1,100 images*", "", "", "*80.0 ± 0.7*", "*+33.0 ± 5.0*", "*100.0 ± 0.7*"]
    assert not {"full", "all 1,100 images"} & {s.row for s in regime_standings(records)[0].order}
    assert "The last row is a reference: trained on the whole pool, not ranked" in render_markdown(records)
    assert "ceiling" not in render_markdown(records)


def test_a_failed_cell_is_listed_and_never_averaged() -> None:
    records = grid(COUNTS)
    lost = records.index(next(r for r in records if r.cell == "easycore-0.3-standard-1"))
    records[lost] = record("easycore", 0.3, "standard", 1, failure="the loss is not finite; lower the learning rate.")
    text = render_markdown(records)
    assert line_of(text, "easycore") == ["–", "easycore", "47.3 ± 3.8", "57.5 (2/3)", "–", "–", "–"]
    assert "- easycore: 1 of 6 cells failed: training: the loss is not finite; lower the learning rate." in text
    assert "easycore lacks cells, so it has no mean and no rank." in text
    assert "random has the highest mean" in text
    assert line_of(text, "el2n")[0] == "2"  # of two: a row that lacks cells is no rank of the others


def test_a_cell_that_is_not_there_is_listed() -> None:
    text = render_markdown([r for r in grid(COUNTS) if r.cell != "el2n-0.1-standard-2"])
    assert "- el2n: 1 of 6 cells is not in these records (10 %: replicate 2)." in text
    assert line_of(text, "el2n")[:5] == ["–", "el2n", "30.5 (2/3)", "41.0 ± 2.5", "–"]


def test_coverage_is_what_the_suite_declares_and_not_what_is_there() -> None:
    everything = declared(grid(COUNTS))
    one_fraction = [r for r in everything if r.factors.fraction == 0.3]
    text = render_markdown(one_fraction)
    assert "No row has every cell that the suite declares, so nothing is summarised or ranked." in text
    assert line_of(text, "easycore") == ["–", "easycore", "–", "58.0 ± 6.6", "–", "–", "–"]
    assert "- easycore: 3 of 6 cells are not in these records (10 %: every replicate)." in text
    assert "- **A part:** 9 of the 18 cells that the suite declares" in text
    two_replicates = [r for r in everything if r.factors.replicate != 1]
    text = render_markdown(two_replicates)
    assert line_of(text, "easycore") == ["–", "easycore", "47.5 (2/3)", "57.5 (2/3)", "–", "–", "–"]
    assert "- random: 2 of 6 cells are not in these records (10 % and 30 %: replicate 1)." in text
    one_row = [r for r in everything if r.factors.row == "el2n"]
    assert "- **A part:** 6 of the 18 cells" in render_markdown(one_row)
    assert "A part" not in render_markdown(everything)


def test_every_cell_failed() -> None:
    records = [record(row, 0.1, "standard", i, failure="no memory.") for row in COUNTS for i in REPLICATES]
    text = render_markdown(declared(records))
    assert "No row has every cell that the suite declares, so nothing is summarised or ranked." in text
    assert text.count("3 of 3 cells failed") == 3
    assert "optimiser steps: none" in text


def test_a_baseline_that_failed_leaves_no_differences() -> None:
    records = [r for r in grid(COUNTS) if r.cell != "random-0.1-standard-0"]
    assert line_of(render_markdown(records), "easycore")[-2] == "–"


def test_two_replicates_give_values_and_a_sentence() -> None:
    text = render_markdown(declared([r for r in grid(COUNTS) if r.factors.replicate < 2]))
    assert line_of(text, "easycore") == ["easycore", "46.5", "57.0", "51.8", "+5.8", "100.0"]
    assert "With 2 replicates there are values only: an interval, and so a rank, needs 3." in text
    assert "±" not in text
    assert "rank" not in line_of(text, "method")


def test_rows_of_identical_outcomes_are_named() -> None:
    same = grid(COUNTS | {"loss": COUNTS["easycore"]})
    sentence = "- easycore and loss agree on every image in every cell: their coresets gave identical models."
    assert sentence in render_markdown(same)
    assert regime_standings(same)[0].twins == (("easycore", "loss"),)
    other = robust(60, "loss", 0.3, "standard", 2, codes=[5] * 100)  # the same verdicts, another radius
    assert regime_standings([*same[:-1], other])[0].twins == ()
    assert "agree on every image" not in render_markdown(grid(COUNTS))
    equal_counts = [robust(30, "aum", 0.1), record("el2n", 0.1, clean=bits(100, 100), attacked=SHIFTED)]
    assert frame(equal_counts)["robust"].nunique() == 1
    assert "agree on every image" not in render_markdown(equal_counts)


SHIFTED = {("pgd-20", epsilon): [image >= 70 for image in range(100)] for epsilon in (0.05, PRIMARY)}


def test_worst_class_and_clean_accuracy() -> None:
    line = frame([record(clean=[True, False, True, True, True, False])]).iloc[0]
    assert line["clean"] == pytest.approx(4 / 6)
    assert line["worst_class"] == pytest.approx(1 / 3)


def test_costs_come_from_the_records() -> None:
    cost = [Cost(seconds={"trace": 3.0, "training": seconds}) for seconds in (1.0, 2.0, 4.5)]
    records = [record("easycore", 0.1, "standard", i, cost=cost[i]) for i in REPLICATES]
    text = render_markdown(records)
    assert ["easycore", "20", "3.00", "2.50"] in lines(text)
    assert "proxy epochs, and seconds of one core or accelerator when first computed" in text


def test_a_record_says_each_machine_that_it_came_from() -> None:
    here, there = ({"processor": name, "device": "cpu", "packages": {}} for name in ("a host", "another"))
    assert robust(3, provenance=here).origins() == [here]
    mixed = robust(3, provenance={"model": here, "pgd": there, "radii": here})
    assert mixed.origins() == [here, there, here]
    assert "**Processor:** a host; another\n" in render_markdown([mixed])


def test_facts_say_what_was_run() -> None:
    records = [r for regime in ("standard", "trades") for r in grid(COUNTS, regime)]
    text = render_markdown(records)
    for fact in (
        "# Leaderboard: digits, version 1",
        "digits, a pool of N = 1,100 training images in 2 classes, 100 test images",
        "A: mean over 3 replicates (proxy, selection and training randomness) on this test set; paired t intervals, 95",
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
    assert "PGD-20, equal steps; estimand A)" in render_markdown(steps)


def test_facts_say_which_proxies_replicates_share() -> None:
    def estimand(read: set[str], **seeds: int) -> str:
        rows = [robust(40, f"by {name}", 0.3, "standard", i, proxy=name) for name in sorted(read) for i in REPLICATES]
        text = render_markdown(declared(rows, suite_proxy_seeds=seeds))
        return text.split("mean over 3 replicates (")[1].split(")")[0]

    none, own = "selection and training randomness", "proxy, selection and training randomness"
    condition = "conditional on the proxy: replicates share"
    assert estimand({"standard", "vgg"}) == own
    assert estimand({"standard", "vgg"}, standard=3) == own
    assert estimand({"standard", "vgg"}, standard=2, vgg=1) == f"{none}, {condition} 2 standard proxies and 1 vgg proxy"
    assert estimand({"standard", "vgg"}, vgg=1) == f"{own}, {condition} 1 vgg proxy"
    assert estimand({"standard"}, vgg=1) == own


def test_summary_has_all_regimes_in_one_table() -> None:
    records = grid(COUNTS) + grid({row: COUNTS[row] for row in ("random", "easycore")}, "trades")
    text = render_summary(records, "results/digits/leaderboard.md")
    assert line_of(text, "easycore") == [
        "easycore",
        "1", "52.7 ± 5.0", "+5.7 ± 0.7", "100.0", "100.0",
        "1", "52.7 ± 5.0", "+5.7 ± 0.7", "100.0", "100.0",
    ]  # fmt: skip
    assert line_of(text, "el2n")[6:] == ["–"] * 5
    assert "(results/digits/leaderboard.md)" in text


def test_rows_that_read_the_held_out_part_and_flags_are_marked() -> None:
    records = [
        robust(40, "loss", 0.1, "standard", i, reads_select=True, flags=("zero-gradients",) if i else ())
        for i in REPLICATES
    ]
    text = render_markdown(records)
    assert line_of(text, "loss †")
    assert "†: may see the labelled images held out" in text
    assert "zero-gradients, the gradient of the cross-entropy is exactly 0: loss † (2 of 2 checked models)." in text
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
        ([record(), record("el2n", suite_replicates=5)], "several values of 'suite_replicates'"),
        (
            [record(), record("el2n", 0.2)],
            "The cell el2n, 0.2, standard, replicate 0 is not one that its suite declares",
        ),
        ([record(), record(replicate=3)], "replicate 3 is not one that its suite declares"),
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


def test_spelling_of_numbers() -> None:
    assert [wording.radius(e) for e in (8 / 255, 0.1, 0.2, 1 / 255)] == ["8/255", "0.1", "0.2", "1/255"]
    assert wording.points(Estimate(-0.0001, 0.002, 3)) == "0.0 ± 0.2"
    assert wording.points(Estimate(-0.031, None, 1)) == "−3.1"
    assert wording.share(Estimate(0.5425, 0.0, 3)) == wording.share(Estimate(np.nextafter(0.5425, 1), 0.0, 3))
    assert wording.measured_radius(6.24 / 255, like=8 / 255) == "6.2/255"
    assert wording.listed(["a"]) == "a"
    assert wording.listed(list("abcdefgh")) == "a, b, c, d, e and 3 more"
    assert [wording.attack(name) for name in ("margin-pgd-20", "pgd-7")] == ["margin PGD-20", "PGD-7"]


def test_one_is_spelled_as_one() -> None:
    assert "1 epoch of SGD" in wording.recipe(Recipe(epochs=1))
    assert "in 1 step of" in wording.recipe(Recipe(epochs=2, objective="trades", inner_steps=1))
    assert "equal epochs: 1 pass over each coreset" in wording.budget(Recipe(epochs=1))
    longer = [(0.1, Recipe(epochs=4))]
    assert "as many passes as the recipe of its fraction has over each coreset" in wording.budget(
        Recipe(epochs=2), longer
    )
    assert wording.budget(Recipe(epochs=2, clock="steps"), longer).startswith("equal steps: ")
    assert "2 passes over each coreset" in wording.budget(Recipe(epochs=2), [(0.1, Recipe(epochs=2, lr=0.3))])
    assert "as 1 pass over the whole pool takes" in wording.budget(Recipe(epochs=1, clock="steps"))
    assert "as 20 passes over the whole pool take" in wording.budget(Recipe(epochs=20, clock="steps"))
    assert wording.replicates([1]) + wording.replicates([0, 2]) == "replicate 1replicates 0 and 2"


def test_the_recipe_says_when_it_is_not_float32() -> None:
    assert "bfloat16" not in wording.recipe(Recipe(epochs=3))
    assert wording.recipe(Recipe(epochs=3, precision="bfloat16")).endswith("no augmentation, in bfloat16")
