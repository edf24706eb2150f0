"""The data card says what the files say, and the published one is up to date."""

import re
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmark.cli.common import app
from benchmark.scores.card import outdated, rendered
from benchmark.scores.replay import select_from
from methods.errors import CoresetBenchError, UsageError
from tests.scores.conftest import Released

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
published = pytest.mark.skipif(not (RESULTS / "scores").is_dir(), reason="nothing is published here, as in a wheel")


@pytest.fixture
def results(released: Released, tmp_path: Path) -> Path:
    """A folder with the file alone."""
    path = tmp_path / "results" / "scores" / released.path.name
    path.parent.mkdir(parents=True)
    path.write_bytes(released.path.read_bytes())
    return tmp_path / "results"


def scores(*arguments: object) -> str:
    found = CliRunner().invoke(app, ["scores", *map(str, arguments)])
    if found.exception and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found.output


def test_the_card_says_what_the_file_says(results: Path) -> None:
    text = rendered(results).decode()
    assert re.search(r"\| \[tiny.parquet\]\(tiny.parquet\) \| digits +\| +150 \| +10 \|", text)
    line = next(line for line in text.splitlines() if line.startswith("| `easycore/REPLICATE`"))
    assert "| nats per unit of pixel value (L2 norm over pixels)" in line
    assert re.search(r"\| high +\| input\\_grad\\_norm", line)
    assert "`craig/FRACTION/REPLICATE`, `…/weight`" in text
    assert "`dual/REPLICATE`, `…/label_probability`" in text
    assert "order of picks at 50 %, whose beginnings are smaller coresets" in text
    assert "`easycore@balanced (robust proxy)` (low+balanced)" in text
    assert "`dyn-unc (window=1)/1`: A window of 1 epochs has no deviation" in text
    assert "**Proxy 'robust':** mlp; TRADES with" in text


def test_the_card_is_written_and_held_to_the_files(results: Path) -> None:
    card = results / "scores" / "README.md"
    with pytest.raises(CoresetBenchError, match=r"Out of date: .*README\.md; write it again with `make scores`"):
        scores("--check", "--results", results)
    assert f"Written: {card}" in scores("--results", results)
    assert "is what the released scores give" in scores("--check", "--results", results)
    assert "Nothing to write" in scores("--results", results)
    card.write_text(card.read_text().replace("150", "151"))
    assert list(outdated(results)) == [card]


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No scores are released under .*; write some first"):
        scores("--results", tmp_path)
    with pytest.raises(UsageError, match="leave the suite out"):
        scores("digits", "--check")
    with pytest.raises(UsageError, match="Unknown suite 'digit'"):
        scores("digit")


@published
def test_the_published_card_is_up_to_date() -> None:
    assert not outdated(RESULTS), "write it again with `make scores`"


@published
def test_published_files_are_small_and_select() -> None:
    paths = sorted((RESULTS / "scores").glob("*.parquet"))
    assert paths
    assert sum(path.stat().st_size for path in paths) < 10_000_000
    for path in paths:
        picked = select_from(path, "easycore@balanced", 0.1, 0)
        assert len(set(picked.indices.tolist())) == len(picked.indices) == round(picked.pool / 10)
        labels = pd.read_parquet(path).set_index("position")["label"]
        share = labels.value_counts(normalize=True).sort_index()
        kept = labels[picked.indices].value_counts(normalize=True).sort_index()
        assert (share - kept).abs().max() <= 1 / len(picked.indices)


@published
def test_what_the_card_shows_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = re.findall(r"```python\n(.*?)```", rendered(RESULTS).decode(), re.DOTALL)
    monkeypatch.chdir(ROOT)
    exec(compile(snippet, "results/scores/README.md", "exec"), {})
    assert "easycore/0" in capsys.readouterr().out
