"""The discrepancy ledger is what its records give, its sets are what they say, and its suite is that of digits."""

import re
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmark.cli.ledger import ledger
from benchmark.execution.run import Settings
from benchmark.ledger import measured
from benchmark.ledger.constructed import SETS
from benchmark.ledger.entries import ENTRIES, Entry
from benchmark.ledger.lines import Compared, Counts, Setting, Shown, Trained, read_lines, write_lines
from benchmark.ledger.measured import FRACTIONS, REPLICATES, ledger_suite, measure, pairs
from benchmark.ledger.page import render
from benchmark.plan import make_plan
from benchmark.records import read_records
from benchmark.spec import Recipe, load_suite
from benchmark.store import Store
from methods import registry
from methods.api import Budget
from methods.errors import CoresetBenchError

DOCS = Path(__file__).parents[2] / "docs"
RECORDS, PAGE = DOCS / "discrepancies.jsonl", DOCS / "discrepancies.md"
SHOWING = [entry.name for entry in ENTRIES if entry.shown]


def test_the_page_is_what_its_records_give() -> None:
    assert render(read_lines(RECORDS), RECORDS.name) == PAGE.read_text(encoding="utf-8")


def test_the_records_hold_every_comparison_once() -> None:
    lines = read_lines(RECORDS)
    compared = [line for line in lines if isinstance(line, Compared)]
    expected = {
        (pair.faulty.name, pair.right.name, fraction, replicate)
        for pair in pairs()
        for fraction in FRACTIONS
        for replicate in range(REPLICATES)
    }
    assert {(c.faulty, c.right, c.fraction, c.replicate) for c in compared} == expected
    assert len(compared) == len(expected)
    (setting,) = (line for line in lines if isinstance(line, Setting))
    for line in compared:
        if line.faulty == "acs-authors":  # chosen anew while the model trains
            assert (line.shared, line.keys) == (None, ())
        else:
            assert line.shared is not None
            assert 0 <= line.shared <= line.k
        assert line.k == Budget.of(line.fraction, setting.pool).k
        for regime, counts in line.regimes.items():
            for clean, robust in zip(counts.clean, counts.robust, strict=True):
                assert 0 <= robust <= clean <= setting.images
                assert robust <= setting.regimes[regime].images


@pytest.mark.parametrize("name", SHOWING)
def test_a_constructed_set_shows_what_the_records_say(name: str) -> None:
    (line,) = (line for line in read_lines(RECORDS) if isinstance(line, Shown) and line.entry == name)
    found = SETS[name]()
    assert found.keys() == line.values.keys()
    for key, value in found.items():
        assert value == pytest.approx(line.values[key], rel=1e-6), key


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_each_entry_is_complete(entry: Entry) -> None:
    assert entry.pairs or entry.shown or entry.doubt
    assert entry.title
    assert entry.fault.endswith(".")
    for pair in entry.pairs:
        faulty, right = registry.get(pair.faulty.method).info, registry.get(pair.right.method).info
        assert faulty.repeats
        assert not right.repeats
    assert bool(entry.shown) == (entry.name in SETS)


def test_every_repeated_fault_has_an_entry() -> None:
    assert {name for entry in ENTRIES for name in entry.methods} == set(registry.compat_names())
    assert len({entry.name for entry in ENTRIES}) == len(ENTRIES)


def test_the_suite_is_that_of_digits_without_autoattack() -> None:
    suite, digits = ledger_suite(), load_suite("digits")
    assert (suite.dataset, suite.proxies, suite.regimes) == (digits.dataset, digits.proxies, digits.regimes)
    assert suite.attacks.pgd == digits.attacks.pgd
    assert suite.attacks.margin == digits.attacks.margin
    assert suite.attacks.autoattack.fractions == ()
    assert suite.replicates >= 5
    again = ledger_suite("digits-dynamic")
    assert (again.dataset, again.regimes, again.attacks) == (suite.dataset, suite.regimes, suite.attacks)
    rows = {row.name for row in (*suite.rows, *again.rows)}
    assert rows == {row.name for pair in pairs() for row in (pair.faulty, pair.right)}


def lines_of(differences: list[int], replicates: int = 5) -> list[Setting | Compared | Shown]:
    """Lines for every comparison, in which the faulty method gets so many more images right, replicate by replicate."""
    trained = Trained(model="mlp", recipe=Recipe(epochs=3), primary=0.1, attacks=("pgd-20",), images=100)
    setting = Setting(
        dataset="digits", checksum="c0ffee", pool=1000, num_classes=10, images=100, fractions=FRACTIONS,
        replicates=replicates, regimes={"standard": trained},
    )  # fmt: skip
    compared = [
        Compared(
            faulty=pair.faulty.name, right=pair.right.name, fraction=fraction, replicate=i, k=100, shared=10 + i,
            regimes={"standard": Counts(clean=(80 + difference, 80), robust=(40 + difference, 40))}, keys=("a", "b"),
        )
        for pair in pairs()
        for fraction in FRACTIONS
        for i, difference in enumerate(differences)
    ]  # fmt: skip
    return [setting, *compared, *(Shown(entry=name, values=SETS[name]()) for name in SHOWING)]


def test_differences_are_those_of_the_counts() -> None:
    page = render(lines_of([-1, -2, -3, -4, -5]), "r.jsonl")
    half = 2.776445105 * np.std([1, 2, 3, 4, 5], ddof=1) / 5**0.5  # t of 4 degrees of freedom at 97.5 %
    row = next(line for line in page.splitlines() if line.startswith("| herding-deepcore"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["herding-deepcore", "herding", "10 %"]
    assert cells[3].startswith("12.0 ± ")
    assert cells[4] == cells[5] == f"−3.0 ± {half:.1f} \\*"
    assert "the faulty coreset leaves lower robust accuracy" in page


def test_an_interval_that_holds_zero_has_no_mark() -> None:
    page = render(lines_of([-1, 1, -2, 2, 0]), "r.jsonl")
    row = next(line for line in page.splitlines() if line.startswith("| herding-deepcore"))
    assert "+0.0" not in row
    assert "*" not in row


def test_a_model_that_failed_is_counted_out() -> None:
    lines = [
        line.model_copy(update={"regimes": {}}) if isinstance(line, Compared) and line.replicate == 0 else line
        for line in lines_of([-1, -2, -3, -4, -5])
    ]
    assert "(4/5)" in render(lines, "r.jsonl")


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    lines = lines_of([1, 2, 3, 4, 5])
    with pytest.raises(CoresetBenchError, match="0 settings"):
        render(lines[1:], "r.jsonl")
    with pytest.raises(CoresetBenchError, match="replicates of herding-deepcore and herding"):
        render([lines[0], *lines[2:]], "r.jsonl")
    with pytest.raises(CoresetBenchError, match=r"lacks .*; write it again"):
        render([line for line in lines if getattr(line, "entry", "") != "herding"], "r.jsonl")
    with pytest.raises(CoresetBenchError, match="There are no records of the ledger"):
        read_lines(tmp_path / "none.jsonl")
    (tmp_path / "r.jsonl").write_text('{"kind":"shown"}\n')
    with pytest.raises(CoresetBenchError, match=r"r\.jsonl, line 1 is no record"):
        read_lines(tmp_path / "r.jsonl")


def test_lines_survive_being_written(tmp_path: Path) -> None:
    lines = lines_of([1, 2, 3, 4, 5])
    write_lines(tmp_path / "r.jsonl", lines)
    assert read_lines(tmp_path / "r.jsonl") == lines


def test_the_command_writes_and_checks_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_lines(tmp_path / "discrepancies.jsonl", lines_of([1, 2, 3, 4, 5]))
    with pytest.raises(CoresetBenchError, match="Out of date"):
        ledger(check=True, docs=tmp_path)
    ledger(render=True, docs=tmp_path)
    ledger(check=True, docs=tmp_path)
    assert "is what its records give" in capsys.readouterr().out
    page = tmp_path / "discrepancies.md"
    page.write_text(page.read_text().replace("farthest", "nearest"))
    with pytest.raises(CoresetBenchError, match="Out of date"):
        ledger(check=True, docs=tmp_path)


def test_counts_are_those_of_the_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One comparison, trained: its counts and shared picks again, from the records and the store."""
    monkeypatch.setattr(measured, "ENTRIES", tuple(entry for entry in ENTRIES if entry.name == "herding"))
    monkeypatch.setattr(measured, "FRACTIONS", (0.1,))
    monkeypatch.setattr(measured, "REPLICATES", 1)
    settings = Settings(tmp_path / "store", tmp_path / "results", jobs=1)
    setting, line = measure(settings, Console(quiet=True))
    assert isinstance(setting, Setting)
    assert isinstance(line, Compared)
    coresets = {}
    for cell in make_plan(ledger_suite()).cells:
        assert cell.selection
        artifact = Store(settings.store).read("coreset", cell.selection.coreset.key)
        assert artifact
        coresets[cell.name] = set(artifact.arrays["indices"].tolist())
    assert line.k == len(coresets["herding"])
    assert line.shared == len(coresets["herding"] & coresets["herding-deepcore"])
    records = read_records(tmp_path / "results" / "local" / "ledger" / "records.jsonl")
    for place, row in enumerate(("herding-deepcore", "herding")):
        for record in (record for record in records if record.factors.row == row):
            results, regime = record.results, record.factors.regime
            assert results
            worst = results.robust_bits(record.factors.primary)
            assert worst is not None
            assert line.regimes[regime].clean[place] == results.clean_bits().sum()
            assert line.regimes[regime].robust[place] == worst.sum()


def test_sentences_leave_nothing_open() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert not re.search(r"[{}]", page)
    for entry in ENTRIES:
        assert entry.title.split()[0] in page
