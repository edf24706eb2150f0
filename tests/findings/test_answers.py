"""Verdicts and timings: told as they are, refused where they are others."""

import json
from pathlib import Path

import pytest

from benchmark.claims.answers import ask
from benchmark.claims.evidence import Published
from benchmark.claims.page import counted
from benchmark.findings.answers import Claims
from benchmark.findings.speed import Speed
from methods.errors import CoresetBenchError, UsageError
from tests.factories import declared, grid

ABOVE = {"random": [[40, 40, 40], [50, 50, 50]], "easycore": [[45, 46, 45], [55, 56, 55]]}
PLACE = ("digits", "Standard training")


@pytest.fixture
def claims() -> Claims:
    return Claims(ask([Published("digits", declared(grid(ABOVE)))], []), [].append)


def test_a_verdict_is_told_with_its_interval(claims: Claims) -> None:
    assert claims.supported("uniform", *PLACE).startswith("+5.3 points, +")
    assert claims.counted == counted(claims.asked)
    assert claims.count("supported") == claims.count("supported", "digits") > 0
    assert claims.count("supported", "cifar10") == 0


@pytest.mark.parametrize("words", ["not_supported", "undecided"])
def test_another_verdict_is_refused(claims: Claims, words: str) -> None:
    refused: list[str] = []
    getattr(Claims(claims.asked, refused.append), words)("uniform", *PLACE)
    (says,) = refused
    assert says.startswith("'uniform' is supported on digits, Standard training (+5.3 points, ")


def test_an_answer_that_is_not_there(claims: Claims) -> None:
    with pytest.raises(UsageError, match="Unknown question 'unform'; did you mean 'uniform'"):
        claims.supported("unform", *PLACE)
    with pytest.raises(UsageError, match="it has these: 'digits', 'Standard training'"):
        claims.supported("uniform", "digits")
    with pytest.raises(UsageError, match="Unknown verdict 'true'"):
        claims.count("true")  # type: ignore[arg-type]


def test_ratios_of_a_target(tmp_path: Path) -> None:
    groups = {
        name: {"target": target, "contestants": {"ours": {"seconds": [1.0, 2.0, 9.0]}, "baseline": {"seconds": [slow]}}}
        for name, target, slow in (("a", 10, 24.0), ("b", 10, 200.0), ("c", 2.5, 2.0))
    }
    (tmp_path / "full.json").write_text(json.dumps({"groups": groups}))
    refused: list[str] = []
    speed = Speed(tmp_path, refused.append)
    assert speed.ratios("full", 10) == "12 to 100"
    assert refused == []
    speed.ratios("full", 2.5)
    assert refused == [f"c reaches 1.0 in {tmp_path / 'full.json'}, and not 2.5"]
    with pytest.raises(CoresetBenchError, match=r"Nothing in .* was timed with the target 3"):
        speed.ratios("full", 3)
    with pytest.raises(CoresetBenchError, match=r"no timings at .*small\.json; take them with `make perf`"):
        speed.ratios("small", 10)
