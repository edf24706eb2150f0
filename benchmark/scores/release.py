"""A file of released scores: a row for each image of the pool, a column for each method and replicate.

    position                 int32, where the image stands in the data set's own training part
    label                    int32
    NAME/REPLICATE           float32 or float64, the score
    NAME/FRACTION/REPLICATE  for a method that ranks no samples: int32, the place in the order of its picks, -1 for what
                             it left; for a score that reads the budget: the score at that budget
    NAME/FRACTION/REPLICATE/weight             float, where a method weighs its picks; 0 for what it left
    NAME/REPLICATE/label_probability           float64, what the policy `beta` reads beside the score

Rows stand in the order of the pool, by which ties are broken. The schema's metadata holds a JSON text (`About`) and a
checksum of that text and of all values.
"""

import io
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray
from pydantic import ValidationError

from benchmark.spec import DatasetSpec, Scalar, Spec, Training, explain
from benchmark.store import write_atomically
from methods.api import Direction
from methods.errors import CoresetBenchError, UsageError

if TYPE_CHECKING:
    import pyarrow

ABOUT, CHECKSUM = b"coreset-bench", b"coreset-bench:blake2b"
POSITION, LABEL = "position", "label"
WEIGHT, PROBABILITY = "weight", "label_probability"
LEVEL = 19  # of zstd: files are written once and kept in git

Columns = dict[str, NDArray[Any]]


class Entry(Spec):
    """One method with its own parameters on one proxy; policies are applied when a coreset is selected.

    name       METHOD, with parameters and proxy where they are not the default ones
    params     the method's own parameters, all of them; those of a policy belong to rows
    proxy      the name of the proxy that it reads, empty where it reads none
    unit       of the score; empty where it is not known
    reads      the signals that it reads, described
    keep       the default policy of a score; None for a method that chooses its set itself
    hard       the end of the score at which hard samples are, as far as its default policy and direction say
    fractions  the budgets that its columns are for; empty where one column serves all
    nested     its picks at a smaller budget are the first ones
    weighted   its picks have weights, which belong to one budget
    seen       the share of the proxy's schedule over which `label_probability` is a mean; None where it is not there
    """

    name: str
    method: str
    params: dict[str, Scalar]
    proxy: str
    summary: str
    paper: str
    unit: str
    reads: tuple[str, ...]
    keep: str | None
    direction: Direction
    hard: str | None
    fractions: tuple[float, ...] = ()
    nested: bool = False
    weighted: bool = False
    seen: float | None = None

    def column(self, replicate: int, fraction: float | None = None, part: str = "") -> str:
        """The name of a column; the fraction is left out where one column serves all."""
        budget = [] if fraction is None else [f"{fraction:g}"]
        return "/".join([self.name, *budget, str(replicate), *([part] if part else [])])


class ReleasedRow(Spec):
    """A row of the suite: an entry under a policy (None: the entry's own) with that policy's parameters."""

    name: str
    entry: str
    policy: str | None
    params: dict[str, Scalar]


class ProxyRun(Spec):
    """One proxy training: the first replicate that reads it, seed, epochs trained, and content address in the store."""

    proxy: str
    replicate: int
    seed: int
    epochs: int
    key: str


class About(Spec):
    """What a file holds and what made it.

    checksum    of the data set, as in records
    pool        how many images there were to choose from, N
    seeds       the seed of the generator that breaks ties and draws, for each replicate
    generators  for a score that draws: the generator's state after it, by column
    missing     the reason of each column that is not there because its method failed, by column
    provenance  commits, versions and processors: of what computed the scores, and of what trained the proxies
    """

    format: Literal[1] = 1
    suite: str
    version: int
    description: str
    dataset: DatasetSpec
    checksum: str
    num_classes: int
    pool: int
    fractions: tuple[float, ...]
    seeds: dict[int, int]
    proxies: dict[str, Training]
    runs: tuple[ProxyRun, ...]
    entries: tuple[Entry, ...]
    rows: tuple[ReleasedRow, ...]
    generators: dict[str, dict[str, Any]]
    missing: dict[str, str]
    provenance: dict[str, Any]


@dataclass(frozen=True)
class Release:
    """The content of a file: `columns` by name, each [N], in the order of the file."""

    about: About
    columns: Columns

    @property
    def checksum(self) -> str:
        return _checksum(_text(self.about), self.columns)


def _text(about: About) -> bytes:
    return about.model_dump_json().encode()


def _checksum(text: bytes, columns: Columns) -> str:
    digest = blake2b(text, digest_size=16)
    for name, values in columns.items():
        digest.update(f"{name} {values.dtype}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def to_bytes(release: Release) -> bytes:
    """The Parquet file: the same bytes for the same content, with the pinned versions."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    metadata = {ABOUT: _text(release.about), CHECKSUM: release.checksum.encode()}
    table = arrow.table({name: arrow.array(values) for name, values in release.columns.items()})
    numbers = [name for name, values in release.columns.items() if values.dtype.kind == "f"]
    file = io.BytesIO()
    parquet.write_table(
        table.replace_schema_metadata(metadata),
        file,
        compression="zstd",
        compression_level=LEVEL,
        use_dictionary=[LABEL],
        use_byte_stream_split=numbers,  # exponents lie together, and so compress
        write_statistics=False,
    )
    return file.getvalue()


def write_release(path: Path, release: Release) -> None:
    """Raises CoresetBenchError where the file cannot be written."""
    write_atomically(path, to_bytes(release))


def read_release(path: Path) -> Release:
    """The content of a file, if it is what was written.

    Raises:
        UsageError: there is no such file, or it holds no released scores.
        CoresetBenchError: it is damaged, or of another version of the format.
    """
    table = _table(path)
    metadata = table.schema.metadata or {}
    if not {ABOUT, CHECKSUM} <= metadata.keys():
        raise UsageError(f"{path} holds no released scores; name a file that `coreset-bench scores SUITE` wrote.")
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    if _checksum(metadata[ABOUT], columns) != metadata[CHECKSUM].decode(errors="replace"):
        raise CoresetBenchError(f"{path} is damaged: its content is not what its checksum says; fetch it again.")
    try:
        return Release(About.model_validate_json(metadata[ABOUT]), columns)
    except ValidationError as error:
        raise CoresetBenchError(
            f"{path} was written by another version of coreset-bench ({explain(error, About).rstrip('.')}); "
            "use that one, or write it again: coreset-bench scores SUITE."
        ) from None


def _table(path: Path) -> "pyarrow.Table":
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    if not path.is_file():
        raise UsageError(f"There is no file {path}; released scores are in results/scores/, a file for each suite.")
    try:
        return parquet.ParquetFile(io.BytesIO(path.read_bytes())).read()
    except (arrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise CoresetBenchError(f"{path} cannot be read as Parquet ({reason}); fetch it again.") from None
