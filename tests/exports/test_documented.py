"""What docs/exports.md says can be done with an export is done, on the published digits."""

import re
from pathlib import Path

import pytest

from benchmark.exports.files import write
from benchmark.leaderboard.document import leaderboard
from benchmark.records import read_records

ROOT = Path(__file__).parents[2]


def test_the_paired_difference_is_that_of_the_leaderboard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records = read_records(ROOT / "results" / "digits" / "records.jsonl")
    write(records, tmp_path / "results" / "digits" / "exports", ["parquet"])
    (snippet,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "exports.md").read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "docs/exports.md", "exec"), {})
    section = leaderboard(records).sections[0]
    row = next(cells for cells in section.main.rows if "easycore" in cells)
    gain = row[section.main.columns.index("− random")]
    assert capsys.readouterr().out.startswith(f"{gain} points, p = ")
