"""The published figures show the published records: their tables are held to what the records give."""

from pathlib import Path

import pytest

from benchmark.figures import gallery
from benchmark.records import read_records
from benchmark.results import suites_in

RESULTS = Path(__file__).resolve().parents[2] / "results"
SUITES = suites_in(RESULTS)


@pytest.mark.parametrize("suite", list(SUITES))
def test_tables_beside_the_figures_are_those_of_the_records(suite: str) -> None:
    folder = RESULTS / suite / gallery.FOLDER
    for drawing in gallery.of_records(read_records(SUITES[suite])):
        assert (folder / f"{drawing.name}.csv").read_bytes() == drawing.table.csv(), (
            "write it again with `make figures`"
        )


def test_every_figure_has_its_table_and_is_small() -> None:
    figures = sorted(RESULTS.glob(f"*/{gallery.FOLDER}/*.svg"))
    assert figures
    for figure in figures:
        assert figure.with_suffix(".csv").is_file()
        assert figure.stat().st_size < 300_000
    assert sum(path.stat().st_size for path in RESULTS.glob(f"digits/{gallery.FOLDER}/*")) < 3_000_000
