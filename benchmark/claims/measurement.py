"""What an experiment behind a claim measured: one validated JSON line, one value for each replicate.

Means, intervals and verdicts are derived (`benchmark.claims.answers`), never stored.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from benchmark.spec import Spec
from benchmark.store import write_atomically
from methods.errors import CoresetBenchError

MEASUREMENTS = "measurements.jsonl"

Fact = float | int | str


class Measurement(Spec):
    """One quantity at one scale.

    `question` is the id of a question of `benchmark.claims.questions`, whose unit, sign and margin were declared there
    before anything was measured. `case` tells apart several answers to one question at one scale ("batch of 32").
    `facts` are further numbers and words for the reader, already averaged; no verdict rests on them.
    """

    question: str
    suite: str  # whose data, networks and proxies these are
    case: str = ""
    data: str  # the data set and how much of it: "digits", "cifar10, 5,000 images"
    pool: int = Field(gt=0)  # N: samples that were measured on
    model: str  # the network, or the two: "mlp and cnn-tiny"
    seeds: tuple[int, ...] = Field(min_length=1)  # of each replicate, in the order of values
    unit: str  # as the question declares it
    values: tuple[float, ...]
    facts: dict[str, Fact] = {}
    keys: dict[str, str] = {}  # content addresses of the stages that were read
    provenance: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check(self) -> "Measurement":
        if len(self.values) != len(self.seeds):
            raise ValueError(f"{len(self.values)} values for {len(self.seeds)} seeds; give one for each")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed occurs twice; replicates need seeds of their own")
        return self

    @property
    def identity(self) -> tuple[str, str, str]:
        """What a later measurement replaces."""
        return self.question, self.suite, self.case


def merged(old: Iterable[Measurement], new: Iterable[Measurement]) -> list[Measurement]:
    """Both, in the order of their identities; of two with the same identity the new one."""
    found = {line.identity: line for line in (*old, *new)}
    return [found[identity] for identity in sorted(found)]


def write_measurements(path: Path, lines: Iterable[Measurement]) -> None:
    """Writes one line for each, atomically."""
    texts = [json.dumps(line.canonical(), separators=(",", ":"), ensure_ascii=False) for line in lines]
    write_atomically(path, "".join(text + "\n" for text in texts).encode())


def read_measurements(path: Path) -> list[Measurement]:
    """The lines of a file, in its order; none where there is no file.

    Raises:
        CoresetBenchError: a line is no measurement, or one occurs twice.
    """
    if not path.is_file():
        return []
    lines: dict[tuple[str, str, str], Measurement] = {}
    for number, text in enumerate(path.read_bytes().removesuffix(b"\n").split(b"\n"), start=1):
        try:
            line = Measurement.model_validate_json(text)
        except ValidationError as error:
            fault = error.errors()[0]
            where = ".".join(map(str, fault["loc"])) or "the line"
            raise CoresetBenchError(
                f"{path}, line {number} is no measurement ({where}: {fault['msg']}); delete the line and measure "
                "again: coreset-bench claims --measure SUITE"
            ) from None
        if line.identity in lines:
            raise CoresetBenchError(
                f"{path}, line {number} repeats the measurement '{' / '.join(filter(None, line.identity))}'; "
                "delete one of the two."
            )
        lines[line.identity] = line
    return list(lines.values())
