"""Where rows stand among random draws: exact places of known draws, the same attacks on both sides."""

import numpy as np
import pytest

from benchmark.leaderboard.document import leaderboard, render_markdown
from benchmark.leaderboard.nulls import nulls_of
from benchmark.leaderboard.outcomes import frame
from benchmark.leaderboard.standings import regime_standings
from benchmark.records import Record
from benchmark.stats import null_position
from tests.factories import PRIMARY, bits, line_of, record, robust
from tests.many import suite

ROWS = {"random": 0.4, "easycore": 0.5, "worse": 0.3}


def table(records: list[Record], words: str) -> str:
    """The table whose title has these words, of the first regime."""
    return render_markdown(records).split(words, 1)[1].split("</details>")[0]


def test_rows_stand_where_their_means_do() -> None:
    records = suite(ROWS, draws=100)
    regime = regime_standings(records)[0]
    nulls = nulls_of(records, regime)
    assert nulls
    draws = {
        fraction: np.array([r.results.robust_bits(PRIMARY).mean() for r in records if at(r, "uniform", fraction)])  # type: ignore[union-attr]
        for fraction in (0.1, 0.3)
    }
    for row in ROWS:
        cells = frame(records).query(f"row == '{row}'")
        for fraction, values in draws.items():
            mean = cells[cells["fraction"] == fraction]["robust"].mean()
            assert nulls.position(row, "uniform", fraction) == null_position(mean, values, 3)
        both = (draws[0.1] + draws[0.3]) / 2
        found, expected = nulls.position(row, "uniform", None), null_position(cells["robust"].mean(), both, 3)
        assert found
        assert found.z == pytest.approx(expected.z)
    text = table(records, "among means of 3 of 100 random coresets:")
    assert float(line_of(text, "easycore")[-1].split()[0]) > 99
    assert float(line_of(text, "worse")[-1].split()[0]) < 1


def at(found: Record, null: str, fraction: float) -> bool:
    return found.factors.null == null and found.factors.fraction == fraction


def test_a_row_of_random_coresets_is_nowhere_in_particular() -> None:
    """Percentiles of a row that is random itself are spread over the whole of 0 to 100."""
    found = []
    for seed in range(40):
        records = suite({"random": 0.4}, fractions=(0.3,), draws=30, seed=seed)
        nulls = nulls_of(records, regime_standings(records)[0])
        assert nulls
        position = nulls.position("random", "uniform", 0.3)
        assert position
        found.append(position.percentile)
    assert np.percentile(found, 25) < 40
    assert np.percentile(found, 75) > 60


def test_matched_draws_have_a_table_of_their_rows_alone() -> None:
    records = suite(ROWS, draws=20, matched=("easycore",))
    text = table(records, "20 random coresets that have the row")
    assert line_of(text, "easycore")
    assert "worse" not in text
    assert "The row's own class counts: draw d has those" in render_markdown(records)


def test_draws_are_no_rows() -> None:
    """They change nothing in the tables of rows, but to stand beside them."""
    with_draws, without = suite(ROWS, draws=20), suite(ROWS)
    boards = leaderboard(with_draws), leaderboard(without)
    assert boards[0].sections[0].main == boards[1].sections[0].main
    assert boards[0].sections[0].headline == boards[1].sections[0].headline
    assert "null:" not in render_markdown(with_draws)
    assert "Random coresets" not in render_markdown(without)
    assert frame(with_draws).equals(frame(without))


def test_both_sides_face_the_same_attacks() -> None:
    """AutoAttack on every row leaves the draws, which never meet it, no easier."""
    records = suite(ROWS, draws=20)
    strong = [met(r) if not r.factors.null else r for r in records]
    positions = []
    for found in (records, strong):
        nulls = nulls_of(found, regime_standings(found)[0])
        assert nulls
        assert "autoattack" not in nulls.attacks
        positions.append(nulls.position("easycore", "uniform", 0.3))
    assert positions[0] == positions[1]
    assert "AutoAttack" in regime_main_title(strong)


def regime_main_title(records: list[Record]) -> str:
    return leaderboard(records).sections[0].main.title


def met(found: Record) -> Record:
    """The record as if AutoAttack had broken every image."""
    assert found.results
    verdict = found.results.attacks[0].model_copy(update={"attack": "autoattack", "bits": NONE.attacks[0].bits})
    results = found.results.model_copy(update={"attacks": (*found.results.attacks, verdict)})
    return found.model_copy(update={"results": results})


def _none() -> Record:
    return record(clean=bits(0, 200), attacked={("autoattack", PRIMARY): bits(0, 200)})


_NONE = _none().results
assert _NONE
NONE = _NONE


def test_a_part_of_the_draws_is_told_and_a_failed_one_too() -> None:
    records = suite(ROWS, draws=20)
    text = render_markdown(records[:-3])
    assert "- **A part:** 37 of the 40 random draws that the suite declares" in text
    assert "among means of 3 of 17 to 20 random coresets" in text
    lost = records[-1].factors
    failed = robust(1).model_copy(
        update={
            "status": "failed",
            "factors": lost,
            "results": None,
            "failure": record(failure="no <b>memory.").failure,
        }
    )
    assert "- Random draws: 1 of 40 failed: training: no &lt;b\\>memory." in render_markdown([*records[:-1], failed])


def test_a_row_that_lacks_a_replicate_has_no_place() -> None:
    records = [r for r in suite(ROWS, draws=20) if r.cell != "easycore-0.3-standard-1"]
    text = table(records, "among means of 3 of 20 random coresets:")
    assert line_of(text, "easycore")[2:] == ["–", "–"]
    assert line_of(text, "worse")[2] != "–"


def test_names_in_records_cannot_break_the_tables() -> None:
    evil = "a|b <script> $x$ & *y*"
    text = render_markdown(suite({"random": 0.4, evil: 0.5}, draws=5, matched=(evil,)))
    assert "<script>" not in text
    assert text.count("\\|b &lt;script\\>") > 5
