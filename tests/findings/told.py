"""A suite of chosen records, and what its findings refused."""

from collections.abc import Sequence

from benchmark.claims.evidence import Published
from benchmark.findings.regimes import Regime
from benchmark.findings.suites import Suite
from benchmark.records import Record
from tests.factories import COUNTS, declared, grid


def of(records: Sequence[Record], name: str = "digits") -> tuple[Suite, list[str]]:
    """The suite of these records, and the list that its refusals will be in."""
    refused: list[str] = []
    return Suite(Published(name, records), refused.append), refused


def small() -> tuple[Regime, list[str]]:
    """random, easycore and el2n at 10 and 30 %, three replicates, under standard training."""
    suite, refused = of(declared(grid(COUNTS)))
    return suite.of("standard"), refused
