"""How long it takes to write everything again from 10,000 records: `python -m tests.perf.rebuild [IMAGES]`.

Thirty rows at five fractions in six regimes, ten replicates, and 1,000 random draws; outcomes are chance.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

from benchmark import publish
from benchmark.exports.files import write
from benchmark.records import Record, read_records, write_records
from benchmark.results import RECORDS
from tests.many import CLOCKS, REGIMES, suite


def records(images: int) -> list[Record]:
    rows = {"random": 0.45, "easycore": 0.5} | {f"method-{i}": 0.3 + 0.2 * i / 28 for i in range(28)}
    regimes = tuple(f"{regime}{clock}" for regime in REGIMES for clock in CLOCKS)
    fractions = (0.05, 0.1, 0.2, 0.3, 0.5)
    found = suite(rows, fractions, replicates=10, regimes=regimes, draws=100, images=images)
    return [record.model_copy(update={"suite": "many"}) for record in found]


def timed(what: str, work: Callable[[], object]) -> None:
    wall, processor = perf_counter(), process_time()
    work()
    print(f"{what:<30} {perf_counter() - wall:5.1f} s, of a processor {process_time() - processor:5.1f} s", flush=True)


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        published = results / "many" / RECORDS
        write_records(published, records(images))
        print(f"{len(read_records(published)):,} records of {images:,} images, {published.stat().st_size / 1e6:.0f} MB")
        timed("leaderboard, claims and page", lambda: publish.rebuild(results, results / "README.md"))
        timed("exports", lambda: write(read_records(published), results / "exports"))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
