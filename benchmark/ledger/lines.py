"""The ledger's records, one JSON line each: counts and what they were counted with. Rates and intervals are derived."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from benchmark.spec import Recipe, Spec
from benchmark.store import write_atomically
from methods.errors import CoresetBenchError


class Counts(Spec):
    """Test images that the model of the faulty method, and of the right one, gets right."""

    clean: tuple[int, int]
    robust: tuple[int, int]


class Compared(Spec):
    """One faulty method and the right one at one fraction in one replicate.

    `regimes` lacks those in which a model failed to train. A method that re-selects while the model trains has no one
    coreset: nothing is `shared`, and there are no keys.
    """

    kind: Literal["compared"] = "compared"
    faulty: str  # the row that repeats the fault
    right: str
    fraction: float
    replicate: int
    k: int
    shared: int | None = None  # picks that both made
    regimes: dict[str, Counts]
    keys: tuple[str, ...] = ()  # of the two coresets


class Shown(Spec):
    """What a constructed set shows of one fault."""

    kind: Literal["shown"] = "shown"
    entry: str
    values: dict[str, int | float]


class Trained(Spec):
    """How the models of one regime were trained and attacked."""

    model: str
    recipe: Recipe
    primary: float
    attacks: tuple[str, ...]
    images: int  # attacked test images


class Setting(Spec):
    """What all comparisons have in common."""

    kind: Literal["setting"] = "setting"
    dataset: str
    checksum: str
    pool: int
    num_classes: int
    images: int  # test images
    fractions: tuple[float, ...]
    replicates: int
    regimes: dict[str, Trained]


Line = Annotated[Setting | Compared | Shown, Field(discriminator="kind")]
_LINE: TypeAdapter[Setting | Compared | Shown] = TypeAdapter(Line)


def write_lines(path: Path, lines: Iterable[Setting | Compared | Shown]) -> None:
    """Writes one line for each, atomically."""
    texts = [json.dumps(line.canonical(), separators=(",", ":"), ensure_ascii=False) for line in lines]
    write_atomically(path, "".join(text + "\n" for text in texts).encode())


def read_lines(path: Path) -> Sequence[Setting | Compared | Shown]:
    """The lines of a file, in its order.

    Raises:
        CoresetBenchError: the file is missing, or a line is none of the ledger's.
    """
    if not path.is_file():
        raise CoresetBenchError(f"There are no records of the ledger at {path}; measure them: make ledger")
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            lines.append(_LINE.validate_json(text))
        except ValidationError as error:
            fault = error.errors()[0]
            raise CoresetBenchError(
                f"{path}, line {number} is no record of the ledger ({fault['msg']}); write the file again: make ledger"
            ) from None
    return lines
