"""The code of a stage and its version move together, so that what changed is never taken for what is stored.

Methods and signals need no version: their own sources are part of their keys. After a change of a stage's code,
raise its version in `benchmark.plan.VERSIONS` if any number moves, then pin what is there:
`python -m tests.stages.test_versions`.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmark.plan import VERSIONS
from methods.sources import code

ROOT = Path(__file__).parents[2]
PINS = Path(__file__).with_name("versions.json")
REFRESH = "python -m tests.stages.test_versions"

TRAINING = (
    "benchmark/stages/train.py",
    "benchmark/charges.py",
    "benchmark/spec/training.py",
    "benchmark/randomness.py",
    "benchmark/models/*.py",
    "benchmark/vision.py",
    "benchmark/data/augment.py",
    "benchmark/data/memory.py",
    "benchmark/data/streamed.py",
)
RECORDING = ("benchmark/stages/trace.py", "methods/signals/__init__.py", "methods/signals/recorder.py")
SELECTION = (  # what the keys of methods leave out
    "methods/api.py",
    "methods/functions.py",
    "methods/policies.py",
    "methods/registry.py",
    "methods/sampling.py",
)
SOURCES: dict[str, tuple[str, ...]] = {
    "data": ("benchmark/data/*.py", "benchmark/randomness.py"),
    "proxy": (*TRAINING, "benchmark/stages/trace.py"),
    "signal": RECORDING,
    "coreset": ("benchmark/stages/compute.py", *SELECTION),
    "model": (*TRAINING, "benchmark/stages/compute.py"),
    "dynamic": (
        *TRAINING,
        "benchmark/stages/dynamic.py",
        "benchmark/stages/compute.py",
        "methods/dynamics.py",
        *SELECTION,
        *RECORDING,
    ),
    "outcome": (
        "benchmark/attacks/*.py",
        "benchmark/stages/evaluate.py",
        "benchmark/randomness.py",
        "benchmark/models/*.py",
    ),
    "calibration": (*TRAINING, "benchmark/stages/calibrate.py", "benchmark/attacks/*.py"),
    "trial": (*TRAINING, "benchmark/stages/calibrate.py", "benchmark/stages/trial.py", "benchmark/attacks/*.py"),
}


def files(kind: str) -> Iterator[Path]:
    for pattern in SOURCES[kind]:
        found = sorted(ROOT.glob(pattern))
        assert found, f"no file {pattern}"
        yield from found


def current() -> dict[str, dict[str, Any]]:
    """Version and hash of the sources of each stage."""
    return {
        kind: {
            "version": VERSIONS[kind],
            "code": hashlib.blake2b(
                "\n".join(code(file.read_text(encoding="utf-8")) for file in files(kind)).encode(), digest_size=8
            ).hexdigest(),
        }
        for kind in VERSIONS
    }


@pytest.mark.parametrize("kind", VERSIONS)
def test_code_and_version_move_together(kind: str) -> None:
    pinned, found = json.loads(PINS.read_text())[kind], current()[kind]
    if found["code"] != pinned["code"] and found["version"] == pinned["version"]:
        pytest.fail(
            f"The code of stage '{kind}' changed and its version did not. If any number moves, raise "
            f"VERSIONS['{kind}'] in benchmark/plan/stage.py; then run `{REFRESH}`."
        )
    assert found == pinned, f"The version of stage '{kind}' moved: run `{REFRESH}`."


def test_every_stage_is_pinned() -> None:
    assert SOURCES.keys() == VERSIONS.keys() == json.loads(PINS.read_text()).keys()


def test_prose_and_layout_are_no_code() -> None:
    source = 'def f(a, b):\n    """Adds."""\n    return a + b\n'
    same = 'def f(a: int,\n      b: int) -> int:\n    """Adds two numbers."""\n    # so it is\n    return (a + b)\n'
    assert code(source) == code(same)
    assert code(source) != code(source.replace("+", "-"))
    assert code(source) != code(source.replace("b):", "b=2):"))
    assert code('NAME = "a"') != code('NAME = "b"')
    assert len({code(f"x = {value}") for value in ("1", "1.0", "True", "'1'", "None", "y")}) == 6


if __name__ == "__main__":
    PINS.write_text(json.dumps(current(), indent=1) + "\n")
