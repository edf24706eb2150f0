"""One validated JSON line for each cell: raw outcomes and what produced them. Rates are derived, never stored.

Two runs with the same seeds on one machine write the same bytes except for `cost` and `provenance`.
"""

import base64
import gzip
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from benchmark.spec import DatasetSpec, Family, Recipe, Scalar, Spec
from benchmark.store import write_atomically
from methods.errors import CoresetBenchError

SCHEMA = 1
BUDGET = "budget"  # the stage at which a cell fails that its row cannot pay for


def pack_bits(flags: NDArray[np.bool_]) -> str:
    """Booleans as base64 of zlib of NumPy's `packbits` (first image in the highest bit)."""
    return base64.b64encode(zlib.compress(np.packbits(flags).tobytes(), 9)).decode()


def unpack_bits(text: str, count: int) -> NDArray[np.bool_]:
    """The first `count` booleans of what `pack_bits` wrote.

    Raises:
        ValueError: fewer were written.
    """
    packed = np.frombuffer(_inflate(text), dtype=np.uint8)
    if len(packed) != -(-count // 8):
        raise ValueError(f"{len(packed)} bytes of bits cannot be those of {count} images")
    return np.unpackbits(packed, count=count).view(np.bool_)


def pack_levels(levels: NDArray[np.integer[Any]]) -> str:
    """Small integers (below 256) as base64 of zlib of their bytes."""
    return base64.b64encode(zlib.compress(levels.astype(np.uint8).tobytes(), 9)).decode()


def unpack_levels(text: str) -> NDArray[np.int64]:
    """What `pack_levels` wrote, as int64."""
    return np.frombuffer(_inflate(text), dtype=np.uint8).astype(np.int64)


def _inflate(text: str) -> bytes:
    return zlib.decompress(base64.b64decode(text))


class Seeds(Spec):
    """The seed of each purpose in this replicate; `proxies` has one for each proxy that the method averages."""

    proxies: tuple[int, ...]
    selection: int
    training: int
    attack: int


class Calibration(Spec):
    """How a random coreset's model fared on images of `tune`: what a measured primary epsilon was chosen by."""

    images: int
    clean: int  # right ones
    robust: tuple[int, ...]  # right ones at each epsilon, worst case of the suite's PGDs


class Work(Spec):
    """What a cell takes in forward-equivalents: samples sent through the network, a backward pass counting as two.

    `alone` is what the row's proxies and signals would take if there were no other row (of a dynamic method: what it
    reads of the model in training), `shared` its part where all rows and fractions of the suite share their proxies.
    `budget` is what `alone` and `training` may take together, on the clock "cost".
    """

    alone: int
    shared: float
    training: int
    budget: int | None = None


class Factors(Spec):
    """What was varied, resolved: nothing has to be looked up in a suite file to read a record.

    What begins with `suite_` is what the suite declares, whatever part of it was run: what must be there for a row to
    be averaged and ranked, and for a run to be published.
    """

    suite_fractions: tuple[float, ...]  # without the full pool's 1
    suite_replicates: int  # replicates 0 to this number less one
    suite_cells: int  # full pool included
    dataset: str
    dataset_spec: DatasetSpec
    checksum: str
    pool: int  # N: training images without the held-out parts
    num_classes: int
    row: str  # the label in the tables; "full" for the full pool
    method: str
    policy: str | None  # the rule in force, in full ("low+balanced"); None for a method that scores no samples
    params: dict[str, Scalar]
    proxy: str
    proxy_model: str
    proxy_recipe: Recipe | None  # None where the row reads no proxy
    proxy_epochs: float  # proxy epochs that this row needs alone, over all the proxies that it averages
    reads_select: bool  # whether the method may see the held-out `select` part
    fraction: float
    k: int
    effective_size: int  # picks with a positive weight; in the dynamic track, samples presented at least once with one
    regime: str
    model: str
    recipe: Recipe
    optimiser_steps: int
    threat: Literal["Linf"] = "Linf"
    epsilons: tuple[float, ...]
    primary: float | None  # None where it was to be measured and that failed
    calibration: Calibration | None = None  # what it was chosen by, where the suite leaves it to a measurement
    replicate: int
    seeds: Seeds
    track: Literal["static", "dynamic"] = "static"
    own_budget: bool = False  # a dynamic method that spends what it must, at no fraction of the suite
    presentations: int = 0  # samples shown in training, all epochs together; 0 in records that do not say
    work: Work | None = None  # None in older records, and where a method trains networks of its own
    null: str = ""  # a random draw: "uniform", or the row whose class counts it has; `replicate` counts the draws
    suite_nulls: int = 0  # random draws that the suite declares beside its cells
    suite_family: Family = "pairs"  # the comparisons that are adjusted as one family
    suite_proxy_seeds: dict[str, int] = {}  # runs of each proxy that replicates share; one each where it is not named


class Verdict(Spec):
    """The outcome of one attack at one radius: a bit for each attacked test image, set where it stayed right.

    `spec` is that of the outcome stage: every setting of the attack, its seed and its batch size.
    """

    attack: str
    epsilon: float
    images: int  # the first so many of the clean bits' images
    bits: str
    stages: dict[str, str] = {}  # for an ensemble: the bits after each of its members
    omitted: tuple[str, ...] = ()  # members left out, each with the reason
    spec: dict[str, Any] = {}


class Radii(Spec):
    """The smallest epsilon that flips each image: level * step; 0 wrong when clean, levels + 1 never flipped.

    `spec` is that of the outcome stage, as in `Verdict`. No images: it was not searched for, as in random draws.
    """

    step: float
    levels: int
    images: int
    codes: str
    spec: dict[str, Any] = {}


UNSEARCHED = Radii(step=0.0, levels=0, images=0, codes=pack_levels(np.zeros(0, np.uint8)))


class Sign(Spec):
    """How many images speak for gradients that mislead, of those looked at; see `benchmark.leaderboard.masking`."""

    found: int
    of: int


class Results(Spec):
    """Outcomes on the test images, in the order of the data set's test split."""

    images: int
    clean: str
    attacks: tuple[Verdict, ...]
    radii: Radii
    class_counts: tuple[int, ...]  # test images in each class
    clean_by_class: tuple[int, ...]  # right ones among them
    signs: dict[str, Sign] = {}  # what was looked for, by the flag that enough of it raises

    def clean_bits(self) -> NDArray[np.bool_]:
        return unpack_bits(self.clean, self.images)

    def robust_bits(
        self, epsilon: float, attacks: Iterable[str] | None = None, images: int | None = None
    ) -> NDArray[np.bool_] | None:
        """The worst case over the attacks run at this epsilon, for each of the first `images` test images.

        Every image faces the same attacks: those that saw fewer images are left out. `images` None is the most that
        an attack saw. The answer is None where no attack is left.
        """
        wanted = None if attacks is None else set(attacks)
        found = [v for v in self.attacks if v.epsilon == epsilon and (wanted is None or v.attack in wanted)]
        count = max((v.images for v in found), default=0) if images is None else images
        enough = [v for v in found if v.images >= count]
        if not enough:
            return None
        robust = self.clean_bits()[:count].copy()
        for verdict in enough:
            robust &= unpack_bits(verdict.bits, verdict.images)[:count]
        return robust

    def worst_case(self, epsilon: float, images: int | None = None) -> NDArray[np.bool_]:
        """Right under all that was run at this radius or a smaller one, for each of the first `images` test images.

        The search for the smallest epsilon counts too: a ball holds every smaller one. `images` None is the most that
        all of these saw; those that saw fewer than asked for are left out.
        """
        tried = [verdict for verdict in self.attacks if verdict.epsilon <= epsilon]
        seen = [verdict.images for verdict in tried] + ([self.radii.images] if self.radii.images else [])
        count = min(seen, default=self.images) if images is None else images
        robust = self.clean_bits()[:count].copy()
        for verdict in tried:
            if verdict.images >= count:
                robust &= unpack_bits(verdict.bits, verdict.images)[:count]
        if self.radii.images >= count:
            codes = unpack_levels(self.radii.codes)[:count]
            robust &= (codes > self.radii.levels) | (codes * self.radii.step > epsilon * (1 + 1e-6))  # to rounding
        return robust


class Cost(Spec):
    """What the cell's stages took when they were first computed; a stage that cells share counts in each of them."""

    seconds: dict[str, float] = {}  # of a CPU's cores or of an accelerator, by stage
    forward: int = 0  # samples through a network, of the proxies that the row reads, the model and the attacks
    backward: int = 0
    peak_bytes: int = 0  # the largest resident size of the worker's process up to then, earlier cells included


class Failure(Spec):
    """What a failed cell says: the stage and one sentence."""

    stage: str
    message: str


class Record(Spec):
    """One cell. `results` is None where it failed, and `failure` says why.

    `provenance` says what the stages ran on: one object where they agree, else one for each stage, by its name.
    """

    schema_version: int = SCHEMA
    suite: str
    suite_version: int
    cell: str
    keys: dict[str, str]
    status: Literal["ok", "failed"]
    factors: Factors
    results: Results | None = None
    failure: Failure | None = None
    flags: tuple[str, ...] = ()
    cost: Cost = Cost()
    provenance: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check(self) -> "Record":
        if (self.results is not None, self.failure is None) != (self.status == "ok", self.status == "ok"):
            raise ValueError("an ok record has results and no failure, a failed one a failure and no results")
        return self

    @property
    def unaffordable(self) -> bool:
        """Whether it did not run because its row's proxies and signals cost too much, as the clock "cost" has it."""
        return self.failure is not None and self.failure.stage == BUDGET

    def origins(self) -> list[dict[str, Any]]:
        """What the stages ran on, each once; none where the record does not say."""
        by_stage = self.provenance and all(isinstance(value, dict) for value in self.provenance.values())
        return list(self.provenance.values()) if by_stage else [self.provenance] if self.provenance else []


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Writes one line for each record, atomically."""
    lines = [json.dumps(record.canonical(), separators=(",", ":"), ensure_ascii=False) for record in records]
    write_atomically(path, "".join(line + "\n" for line in lines).encode())


def read_records(path: Path) -> list[Record]:
    """The records of a file, which gzip may have compressed, in its order: all of them or none.

    Raises:
        CoresetBenchError: the file is missing, empty or damaged, or a line is not a record of this schema.
    """
    return [_read(line, f"{path}, line {number}") for number, line in enumerate(_lines(path), start=1)]


def read_record(path: Path, cell: str) -> Record | None:
    """The record of one cell, and none of the others; None where the file has no such cell.

    Raises:
        CoresetBenchError: as for `read_records`.
    """
    name = json.dumps(cell, ensure_ascii=False).encode()
    for number, line in enumerate(_lines(path), start=1):
        if name in line and (record := _read(line, f"{path}, line {number}")).cell == cell:
            return record
    return None


def _lines(path: Path) -> list[bytes]:
    if not path.is_file():
        raise CoresetBenchError(f"There are no records at {path}; run the suite first (coreset-bench run SUITE).")
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = _unpacked(content, path)
    content = content.removesuffix(b"\n")
    if not content:
        raise CoresetBenchError(f"{path} holds no records; run the suite first (coreset-bench run SUITE).")
    return content.split(b"\n")


def _unpacked(content: bytes, path: Path) -> bytes:
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        raise CoresetBenchError(f"{path} is damaged; take it from git again, or publish the suite anew.") from None


def _read(line: bytes, where: str) -> Record:
    try:
        record = Record.model_validate_json(line)
    except ValidationError as error:
        _require_schema(line, where)  # what has another schema has other fields: that is the cause
        fault = error.errors()[0]
        what = ".".join(map(str, fault["loc"])) or "the line"
        raise CoresetBenchError(
            f"{where} is not a record of schema {SCHEMA} ({what}: {fault['msg']}); "
            "delete the line or write the file again with `coreset-bench run`."
        ) from None
    if record.schema_version != SCHEMA or "schema_version" not in record.model_fields_set:
        _require_schema(line, where)
    return record


def _require_schema(line: bytes, where: str) -> None:
    """Refuses a record of another schema. None is converted: what it lacks would have to be made up."""
    try:
        values = json.loads(line)
    except ValueError:
        return
    found = values.get("schema_version", "none") if isinstance(values, dict) else SCHEMA
    if found != SCHEMA:
        raise CoresetBenchError(
            f"{where} has schema {found}, this version reads {SCHEMA}; write the file again with `coreset-bench run`, "
            "which computes nothing that the store holds."
        )
