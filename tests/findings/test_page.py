"""The page is what its template says of the records; a sentence that is not true any more is not written."""

import re
from pathlib import Path

import pytest

from benchmark.claims.answers import ask, read
from benchmark.claims.evidence import Published
from benchmark.findings.page import PAGE, TEMPLATE, rendered
from benchmark.publish import publish, rebuild, stale
from benchmark.records import read_records, write_records
from methods.errors import CoresetBenchError
from tests.factories import COUNTS, declared, grid

ROOT = Path(__file__).parents[2]
LEADS = "- EasyCore is ahead: {{ digits.ahead('easycore', 'random') }}."
PROSE = f"""{{% set digits = suite("digits").of("standard") %}}
# Findings

It has {{{{ digits.accuracy("easycore") }}}},
on average.

{LEADS}

{{{{ suite("digits").picks() }}}}
"""


def written(folder: Path, prose: str = PROSE, counts: dict[str, list[list[int]]] = COUNTS) -> tuple[Path, Path]:
    """A clone with a local run, the template and a marked README: its results and the README."""
    results, readme = folder / "results", folder / "README.md"
    write_records(results / "local" / "digits" / "records.jsonl", declared(grid(counts)))
    (results / TEMPLATE).write_text(prose)
    readme.write_text("<!-- leaderboard:digits -->\n<!-- /leaderboard:digits -->\n")
    return results, readme


def test_what_is_published_here_is_what_its_records_give() -> None:
    outdated = stale(ROOT / "results", ROOT / "README.md")
    assert not {ROOT / "results" / PAGE, ROOT / "README.md"} & set(outdated)


def test_publishing_renders_the_findings(tmp_path: Path) -> None:
    results, readme = written(tmp_path)
    assert results / PAGE in publish("digits", results, readme)
    text = (results / PAGE).read_text()
    assert text.startswith("# Findings\n\nIt has 52.7 ± ")
    assert " %, on average.\n\n- EasyCore is ahead: +5.7 ± " in text  # paragraphs are filled
    assert "\n| Standard training | 10 % | `easycore`, 47.3 ± " in text  # tables are not
    assert stale(results, readme) == []


def test_an_edited_number_is_stale_until_rebuilt(tmp_path: Path) -> None:
    results, readme = written(tmp_path)
    publish("digits", results, readme)
    page = results / PAGE
    good = page.read_bytes()
    page.write_bytes(good.replace(b"52.7", b"53.7"))
    assert stale(results, readme) == [page]
    assert rebuild(results, readme) == [page]
    assert page.read_bytes() == good


def test_a_sentence_that_is_not_true_any_more_refuses(tmp_path: Path) -> None:
    results, readme = written(tmp_path)
    publish("digits", results, readme)
    before = {path: path.read_bytes() for path in results.rglob("*") if path.is_file() and "local" not in path.parts}
    moved = COUNTS | {"easycore": COUNTS["random"]}
    write_records(results / "local" / "digits" / "records.jsonl", declared(grid(moved)))
    with pytest.raises(CoresetBenchError) as refusal:
        publish("digits", results, readme)
    assert str(refusal.value).startswith(
        f"{results / TEMPLATE}, line 7 (“{LEADS}”) is not true any more: easycore minus random in robust accuracy on "
        "digits, Standard training is 0.0 ± "
    )
    assert str(refusal.value).endswith("points, an interval that does not lie above 0; rewrite it.")
    assert {path: path.read_bytes() for path in before} == before


def test_every_sentence_that_is_not_true_is_named(tmp_path: Path) -> None:
    behind = "{% set r = suite('digits').of('standard') %}\n{{ r.behind('easycore', 'random') }}\n"
    results, readme = written(tmp_path, f"{behind}\nand\n{{{{ r.level('el2n', 'random') }}}}\n")
    with pytest.raises(CoresetBenchError) as refusal:
        publish("digits", results, readme)
    assert [line.partition(" (")[0].rpartition(", ")[2] for line in str(refusal.value).splitlines()] == [
        "line 2",
        "line 5",
    ]
    assert not (results / "digits").exists()


def test_the_published_prose_does_not_outlive_its_records() -> None:
    """What is said of easycore is not said of el2n, were their names exchanged."""
    exchanged = {"easycore": "el2n", "el2n": "easycore"}
    records = read_records(ROOT / "results" / "digits" / "records.jsonl")
    moved = [
        record.model_copy(
            update={"factors": record.factors.model_copy(update={"row": exchanged[record.factors.row]})},
        )
        if record.factors.row in exchanged
        else record
        for record in records
    ]
    suites, measurements = read(ROOT / "results", Published("digits", moved))
    with pytest.raises(CoresetBenchError) as refusal:
        rendered(ROOT / "results", suites, ask(suites, measurements))
    told = [line.partition(" is not true any more: ")[2] for line in str(refusal.value).splitlines()]
    assert "easycore minus random in robust accuracy on digits, TRADES training is −" in " ".join(told)
    assert len(told) > 5
    assert all(told)


def test_the_example_for_contributors_is_rendered(tmp_path: Path) -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```jinja\n(.*?)```", page, re.DOTALL)
    results, readme = written(tmp_path, example)
    counts = {"random": [[40, 42, 44]] * 2, "easycore": [[40, 43, 43]] * 2, "aum@high": [[50, 52, 54]] * 2}
    write_records(results / "local" / "digits" / "records.jsonl", declared(grid(counts, "trades")))
    publish("digits", results, readme)
    assert "`aum@high` (52.0 ± 5.0 %) is ahead of `random` by +10.0 ±" in (results / PAGE).read_text()


@pytest.mark.parametrize(
    ("prose", "message"),
    [
        ("It has\n48.4 %.\n", r"line 2 \(“48\.4 %\.”\) types the number '48\.4'; let the records say it"),
        ("\n{{ suite('digit') }}", r"line 2 .* cannot be rendered: Unknown published suite 'digit'; did you mean"),
        ("{{ suites }}", r"line 1 .* cannot be rendered: 'suites' is undefined\."),
        ("a\n{{ suite() }}", r"line 2 .* cannot be rendered: .* missing 1 required positional argument: 'name'\."),
        ("\n\n{{ suite('digits' }}", r"line 3 .* is no template: "),
    ],
)
def test_a_template_that_cannot_be(tmp_path: Path, prose: str, message: str) -> None:
    results, readme = written(tmp_path, prose)
    with pytest.raises(CoresetBenchError, match=message):
        publish("digits", results, readme)
    assert not (results / "digits").exists()
