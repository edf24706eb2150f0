"""The page of claims: made of records alone, the scale in every verdict, and nothing that a record says is markup."""

import re
from pathlib import Path
from typing import Any

import pytest

from benchmark.claims.answers import Asked, ask
from benchmark.claims.evidence import Published, Scale
from benchmark.claims.measurement import write_measurements
from benchmark.claims.page import at_paper_scale, render, rendered
from benchmark.claims.questions import questions
from benchmark.records import write_records
from tests.claims.test_measurement import measurement
from tests.factories import COUNTS, declared, grid

HOSTILE = "<script>alert(1)</script> | $x$ & [a](b)\n# heading `code`"


def found(**changes: Any) -> list[Asked]:
    suites = [Published("digits", declared([*grid(COUNTS), *grid(COUNTS, "trades")], **changes))]
    return ask(suites, [measurement(), measurement(case="DeepFool", seeds=(4, 5), values=(-0.1, 0.1))])


def verdicts(page: str) -> list[str]:
    """The sentences of answers."""
    starts = ("- **Supported", "- **Not supported", "- **Undecided")
    return [line for line in page.splitlines() if line.startswith(starts)]


def test_every_verdict_names_data_size_and_network() -> None:
    page = rendered(found())
    answers = sum(len(asked.answers) for asked in found())
    assert len(verdicts(page)) == answers > 5
    assert all("digits (N = 1,100, mlp)" in line.split(":**")[0] for line in verdicts(page))


def test_small_suites_refute_nothing_large() -> None:
    page = rendered(found())
    assert "None of them is at the paper's scale: digits (N = 1,100, mlp)." in page
    assert "a claim may fail that holds for ResNet-18" in page


@pytest.mark.parametrize(
    ("scale", "large"),
    [
        (Scale("cifar10", 45_000, "resnet18"), True),
        (Scale("cifar10", 45_000, "cnn-small"), False),
        (Scale("cifar10", 5_000, "resnet18"), False),
        (Scale("cifar10", 45_000, "mlp and resnet18"), False),
        (Scale("digits", 1_000_000, "resnet18"), False),
        (Scale("imagenet", 1_200_000, "resnet50"), True),
    ],
)
def test_what_counts_as_the_papers_scale(scale: Scale, large: bool) -> None:
    assert at_paper_scale(scale) == large


def test_the_papers_scale_is_said_where_it_is_reached() -> None:
    page = rendered(found(dataset="cifar10", pool=45_000, model="resnet18"))
    assert "At the paper's scale: cifar10 (N = 45,000, resnet18)." in page
    assert "These are not at the paper's scale: digits (N = 1,100, mlp)." in page


def test_each_question_stands_in_the_overview_and_leads_to_its_section() -> None:
    page = rendered(found())
    overview = "\n".join(line for line in page.splitlines() if line[:1] == "|")
    for question in questions():
        assert overview.count(f"](#{question.id})") == 2  # in one minute, and under its topic
        assert page.count(f'<a id="{question.id}"></a>') == 1
    waiting = [line for line in page.splitlines() if "no records yet" in line and line[:1] == "|"]
    assert len(waiting) == sum(not asked.answers for asked in found()) > 0


def test_in_one_minute_says_what_holds_in_each_suite() -> None:
    lines = [
        measurement(),
        measurement(question="architectures", case="two nets", values=(0.1, 0.2, 0.3)),
        measurement(question="architectures", case="three nets", values=(0.91, 0.92, 0.93)),
    ]
    suites = [Published(name, declared(grid(COUNTS))) for name in ("digits", "digits-full")]
    brief = rendered(ask(suites, lines)).split("## In one minute")[1].split("\n## ")[0]
    heading, _, *table = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in brief.splitlines() if line[:1] == "|"
    )
    assert heading == ["question", "digits", "digits-full"]
    told = {question.split("(#")[1].strip(")"): marks for question, *marks in table}
    assert told["every-method"] == ["**yes**", "**yes**"]
    assert told["architectures"] == ["1 **yes**, 1 **no**", ""]
    assert told["trades-acs"] == ["", ""]
    assert len(told) == len(questions())


def test_numbers_and_rules_are_spelled() -> None:
    page = rendered(found())
    assert "+5.7 points; 95 % interval +" in page
    assert "Supported: the whole interval lies above 0. Not supported: none of it lies above 1 point." in page
    assert "Supported: the whole interval lies below 0. Not supported: none of it lies below −0.1." in page
    assert "−0.60 (ρ); 95 % interval −0.85 to −0.35, 3 replicates" in page
    assert "undecided: 2 replicates" in page
    assert "the winner's curse" in page
    assert "the largest of 2 fractions and so likely too large" in page


def test_without_anything_published_every_question_waits() -> None:
    page = rendered(ask([], []))
    assert page.count("- No records yet.") == len(questions())
    assert f"{len(questions())} have no records yet" in page


def test_what_records_say_is_no_markup() -> None:
    counts = {"easycore": COUNTS["easycore"], "random": COUNTS["random"], HOSTILE: COUNTS["el2n"]}
    suites = [Published(HOSTILE, declared(grid(counts), dataset=HOSTILE, model=HOSTILE))]
    lines = [measurement(suite=HOSTILE, case=HOSTILE, data=HOSTILE, model=HOSTILE, facts={HOSTILE: HOSTILE})]
    page = rendered(ask(suites, lines))
    assert "alert" in page
    assert "<script" not in page
    outside = re.sub(r"<summary>.*</summary>", "", page)  # raw HTML, in which no Markdown is read
    assert "[a](b)" not in outside
    assert re.search(r"(?<!\\)\$", outside) is None
    assert "\n# heading" not in page
    assert not [line for line in page.splitlines() if "alert" in line and line[:1] == "|" and line[-1:] != "|"]
    plain = rendered(found())
    assert {line.count(" | ") for line in page.splitlines() if line[:1] == "|"} == {
        line.count(" | ") for line in plain.splitlines() if line[:1] == "|"
    }


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("b", "a"):
        write_records(tmp_path / name / "records.jsonl", declared(grid(COUNTS)))
    write_records(tmp_path / "local" / "digits" / "records.jsonl", declared(grid(COUNTS)))
    write_measurements(tmp_path / "claims" / "measurements.jsonl", [measurement()])
    page = render(tmp_path)
    assert page == render(tmp_path)
    uniform = page.split('<a id="uniform"></a>')[1].split("<a id=")[0]
    assert re.findall(r"suite (\w+)", uniform) == ["a", "b"]
    assert "−0.60" in page
