"""The command line. Commands import what they need when they run, so that `--help` and mistakes answer at once."""

import sys

from benchmark.cli import (
    authoring,
    claims,
    exporting,
    figures,
    ledger,
    lineage,
    listing,
    packing,
    publishing,
    running,
    scoring,
    site,
    tuning,
)
from benchmark.cli.common import app
from methods.errors import CoresetBenchError

__all__ = [
    "app",
    "authoring",
    "claims",
    "exporting",
    "figures",
    "ledger",
    "lineage",
    "listing",
    "main",
    "packing",
    "publishing",
    "running",
    "scoring",
    "site",
    "tuning",
]


def main() -> None:
    """Runs the command line; an error that we know is one sentence on standard error, never a traceback."""
    try:
        app()
    except CoresetBenchError as error:
        print(f"coreset-bench: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
