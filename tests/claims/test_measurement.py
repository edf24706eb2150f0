"""Measurements as lines of a file: what is refused, and what replaces what."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from benchmark.claims.measurement import Measurement, merged, read_measurements, write_measurements
from methods.errors import CoresetBenchError


def measurement(**changes: Any) -> Measurement:
    values: dict[str, Any] = {
        "question": "vulnerability",
        "suite": "digits",
        "data": "digits",
        "pool": 1100,
        "model": "mlp",
        "seeds": (1, 2, 3),
        "unit": "Spearman's rho",
        "values": (-0.5, -0.6, -0.7),
    }
    return Measurement(**(values | changes))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    lines = [measurement(), measurement(case="DeepFool", facts={"images": 100, "share": 0.25, "attack": "PGD"})]
    write_measurements(tmp_path / "m.jsonl", lines)
    assert read_measurements(tmp_path / "m.jsonl") == lines


def test_no_file_is_no_measurement(tmp_path: Path) -> None:
    assert read_measurements(tmp_path / "none.jsonl") == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"values": (0.1, 0.2)}, "2 values for 3 seeds"),
        ({"seeds": (1, 1, 2)}, "a seed occurs twice"),
        ({"values": (0.1, float("nan"), 0.2)}, "finite"),
        ({"seeds": (), "values": ()}, "at least 1"),
    ],
)
def test_what_cannot_be_an_answer_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        measurement(**changes)


def test_a_later_measurement_replaces_only_its_own_case() -> None:
    old = [measurement(), measurement(case="DeepFool"), measurement(suite="cifar10-tiny")]
    found = merged(old, [measurement(values=(0.0, 0.1, 0.2))])
    assert len(found) == 3
    assert [line.values[0] for line in found if line.suite == "digits" and not line.case] == [0.0]
    assert found == merged(reversed(old), [measurement(values=(0.0, 0.1, 0.2))])


def test_half_a_line_is_said_with_its_number(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    write_measurements(path, [measurement(), measurement(case="DeepFool")])
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(CoresetBenchError, match=r"line 2 is no measurement"):
        read_measurements(path)


def test_a_repeated_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    write_measurements(path, [measurement(), measurement()])
    with pytest.raises(CoresetBenchError, match="line 2 repeats the measurement 'vulnerability / digits'"):
        read_measurements(path)
