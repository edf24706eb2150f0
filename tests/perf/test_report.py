"""The pages of published measurements are what their files give."""

import json
from pathlib import Path

import pytest

from tests.perf.report import page, ratios, reached, sentences

PUBLISHED = Path(__file__).parents[2] / "results" / "perf"
GROUPS = {
    "attack": {
        "target": 1.5,
        "contestants": {
            "baseline": {"seconds": [4.0, 6.0, 5.0], "robust": "1101"},
            "ours": {"seconds": [2.0, 2.5, 2.0], "robust": "1111", "peak_mb": 7},
            "bound": {"seconds": [1.0]},
        },
    },
    "half measured": {"contestants": {"ours": {"seconds": [1.0]}}},
}


def test_a_ratio_is_of_medians_and_its_spread_of_all_pairs() -> None:
    (line,) = ratios(GROUPS)
    assert (line["ratio"], line["least"], line["most"]) == (2.5, 4 / 2.5, 6 / 2)


@pytest.mark.parametrize(
    ("target", "word"), [(None, ""), (2.5, "yes"), (2.6, "within its spread"), (3.0, "within its spread"), (3.1, "no")]
)
def test_a_target_is_reached_or_said_to_be_missed(target: float | None, word: str) -> None:
    groups = {"attack": {**GROUPS["attack"], "target": target}}
    (line,) = ratios(groups)
    assert reached(line) == word
    said = [
        sentence for sentence in sentences(groups) if sentence.startswith("Short of their targets: attack (2.50 of")
    ]
    assert bool(said) == (word not in ("", "yes"))


def test_verdicts_are_counted_image_by_image() -> None:
    bound, verdicts = sentences(GROUPS)
    assert "0.50 of the throughput" in bound
    assert "to both 3, to neither 0, to ours alone 1, to the baseline alone 0: 75.0 %" in verdicts


def test_the_page_has_what_the_folder_has(tmp_path: Path) -> None:
    assert "| attack | " not in page(tmp_path)
    book = {"processor": "one", "threads": 1, "torch": "2", "groups": GROUPS}
    (tmp_path / "small.json").write_text(json.dumps(book))
    assert "| attack | " in page(tmp_path)


@pytest.mark.skipif(not (PUBLISHED / "README.md").is_file(), reason="nothing is published here, as in a wheel")
def test_the_published_page_is_up_to_date() -> None:
    assert (PUBLISHED / "README.md").read_text(encoding="utf-8") == page(PUBLISHED)
