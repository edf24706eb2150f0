"""The page is a function of the records: the same bytes, the Markdown tables' numbers, nothing from outside."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmark.cli.common import app
from benchmark.leaderboard.document import leaderboard
from benchmark.page.build import build
from benchmark.page.texts import Pool, embedded
from benchmark.records import write_records
from methods.errors import CoresetBenchError, UsageError
from tests.factories import declared, grid, robust
from tests.page.conftest import FAILURE, HOSTILE, published_records


def document_of(page: bytes) -> Any:
    """What the page embeds, as a browser finds it: up to the first end of a script element."""
    text = page.decode()
    start = text.index('<script type="application/json" id="data">') + len('<script type="application/json" id="data">')
    return json.loads(text[start : text.index("</script>", start)])


def test_the_same_records_give_the_same_bytes(results: Path, page: Path) -> None:
    assert build(results) == page.read_bytes()


def test_names_and_failures_cannot_end_their_element(page: Path) -> None:
    text = page.read_text()
    assert text.count("<script") == 2
    assert text.count("</script") == 2
    assert "<img" not in text
    assert "<!--" not in text
    shown = document_of(page.read_bytes())["suites"][0]
    assert HOSTILE in {row["label"] for row in shown["boards"][0]["rows"]}
    assert any(FAILURE in remark for remark in shown["boards"][1]["remarks"])


@pytest.mark.parametrize("text", ["</script>", "<!--", "]]>", "&amp;", "\u2028", "\u2029", '"', "\\", "é\n"])
def test_embedded_json_holds_no_markup_and_reads_back(text: str) -> None:
    written = embedded({text: [text, 1.5, None]})
    assert not re.search("[<>&\u2028\u2029\n]", written)
    assert json.loads(written) == {text: [text, 1.5, None]}


def test_a_lone_surrogate_does_not_stop_the_page() -> None:
    assert json.loads(embedded("a\ud800b")) == "a?b"


def test_numbers_that_are_none_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        embedded(float("nan"))


def test_a_pool_keeps_values_once() -> None:
    pool = Pool()
    assert [pool.number(each) for each in ({"a": 1}, [1], {"a": 1}, 1, True, "1")] == [0, 1, 0, 2, 3, 4]
    assert pool.values == [{"a": 1}, [1], 1, True, "1"]


def test_nothing_is_asked_of_a_network_and_no_html_is_parsed(page: Path) -> None:
    text = page.read_text()
    code = text[: text.index('<script type="application/json"')] + text[text.rindex("<script>") :]
    assert not re.search(r"""(src|href)=["'](?!data:,|#)""", code)
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\(", code)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", code)
    assert "default-src 'none'" in code


def test_the_script_runs_under_its_own_hash(page: Path) -> None:
    import base64
    import hashlib

    text = page.read_text()
    for element in ("script", "style"):
        content = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        (found,) = content
        digest = base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()
        assert f"{element}-src 'sha256-{digest}'" in text


def test_the_declared_comparison_shows_the_texts_of_the_markdown_table() -> None:
    """Means, gains, clean accuracies, fractions and ranks are those of the leaderboard, character for character."""
    records = declared(
        [
            *grid({"random": [[40, 42, 44], [50, 52, 54]], "easycore": [[46, 47, 49], [55, 59, 60]]}),
            *[robust(60, "full", 1.0, "standard", replicate) for replicate in range(3)],
        ]
    )
    from benchmark.claims.evidence import Published
    from benchmark.page.document import suite

    board = suite(Published("digits", records))["boards"][0]
    main = leaderboard(records).sections[0].main
    for line, row in zip([*main.rows, main.reference], board["rows"], strict=True):
        assert line is not None
        printed = dict(zip(main.columns, line, strict=True))
        robust_texts = row["robust"][board["primary"]]
        assert printed["method"] == row["label"]
        assert printed["rank"] == row["rank"]
        assert printed["mean"] == robust_texts[0]
        assert printed["clean"] == row["clean"][0]
        if row["row"] != "random":
            assert printed["− random"] == row["gain"][board["primary"]][0]
        if row["row"] != "full":
            assert [printed["10 %"], printed["30 %"]] == robust_texts[1:]


def test_a_failed_place_says_failed_and_a_partial_one_how_many(page: Path) -> None:
    boards = document_of(page.read_bytes())["suites"][0]["boards"]
    trades = next(board for board in boards if board["regime"] == "trades")
    el2n = next(row for row in trades["rows"] if row["row"] == "el2n")
    assert el2n["robust"][1] == ["–", "failed", "41.0 ± 2.5"]
    assert el2n["rank"] in ("", "–")


def test_regimes_on_other_clocks_are_boards_of_the_same_training(page: Path) -> None:
    boards = document_of(page.read_bytes())["suites"][0]["boards"]
    assert [(board["training"], board["clock"]) for board in boards] == [
        ("Standard training", "equal epochs"),
        ("TRADES training", "equal epochs"),
        ("Standard training", "equal steps"),
    ]


def test_nothing_published_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Nothing is published under"):
        build(tmp_path)


def test_half_a_line_is_named_and_no_page_is_written(tmp_path: Path) -> None:
    path = tmp_path / "digits" / "records.jsonl"
    path.parent.mkdir()
    write_records(path, published_records())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(CoresetBenchError, match=r"records\.jsonl"):
        build(tmp_path)


def test_the_command_writes_and_checks(tmp_path: Path, results: Path) -> None:
    out = tmp_path / "page.html"
    arguments = ["site", "--results", str(results), "--out", str(out)]
    assert isinstance(CliRunner().invoke(app, [*arguments, "--check"]).exception, CoresetBenchError)
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert "is what its records give" in CliRunner().invoke(app, [*arguments, "--check"]).output
    out.write_bytes(out.read_bytes().replace(b"46.", b"47.", 1))
    stale = CliRunner().invoke(app, [*arguments, "--check"]).exception
    assert "Out of date" in str(stale)
