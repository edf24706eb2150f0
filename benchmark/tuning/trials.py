"""What was tried, and how it went: one JSON line for each recipe on each random coreset."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from benchmark.spec import Recipe, Spec
from benchmark.store import write_atomically
from methods.errors import CoresetBenchError


@dataclass(frozen=True)
class Request:
    """A recipe to be tried on a random coreset."""

    regime: str  # on its clock: "standard@steps"
    fraction: float
    recipe: Recipe
    replicate: int


class Trial(Spec):
    """How a recipe fared on a random coreset.

    `right` of `images` of `tune`: under standard training when clean; under TRADES under the suite's PGDs at the radius
    that it trains for. `failure` says why there is none, and `right` is 0. `key` is the content address of the trial.
    """

    regime: str
    fraction: float
    recipe: Recipe
    replicate: int
    images: int
    right: int
    failure: str = ""
    key: str = ""

    @property
    def request(self) -> Request:
        return Request(self.regime, self.fraction, self.recipe, self.replicate)


def write_trials(path: Path, trials: Iterable[Trial]) -> None:
    """Writes trials as JSON lines, in an order of their own.

    Raises:
        CoresetBenchError: the folder cannot be written.
    """
    write_atomically(path, "".join(f"{line}\n" for line in sorted(t.model_dump_json() for t in trials)).encode())


def read_trials(path: Path) -> list[Trial]:
    """The trials of a file.

    Raises:
        CoresetBenchError: there is no such file, or a line is no trial.
    """
    if not path.is_file():
        raise CoresetBenchError(
            f"There are no trials at {path}; `coreset-bench tune` makes them, `publish` copies them."
        )
    found = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            found.append(Trial.model_validate_json(line))
        except ValidationError:
            raise CoresetBenchError(
                f"{path}, line {number}, is no trial of this version; write the file again with `coreset-bench tune`."
            ) from None
    return found
