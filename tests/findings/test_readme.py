"""What README says was found, held to the published records; it types no numbers."""

from pathlib import Path

import pytest

from benchmark.claims.evidence import Published
from benchmark.findings.regimes import Regime
from benchmark.findings.suites import Suite
from benchmark.records import read_records
from benchmark.results import records_in

RESULTS = Path(__file__).parents[2] / "results"
SUITES = ("cifar10-cpu", "digits-full", "digits", "imagenette-cpu")
EASY = ["loss@low", "aum@high", "el2n@low"]
COVER = ["k-center", "herding", "graph-cut"]

pytestmark = pytest.mark.skipif(not all(records_in(RESULTS / name) for name in SUITES), reason="as in a wheel")


def refuse(says: str) -> None:
    pytest.fail(f"README is not true any more: {says}")


def published(name: str) -> Suite:
    records = records_in(RESULTS / name)
    assert records
    return Suite(Published(name, read_records(records)), refuse)


@pytest.fixture(scope="module")
def cifar() -> Suite:
    return published("cifar10-cpu")


@pytest.fixture(scope="module")
def suite() -> Suite:
    return published("digits-full")


@pytest.fixture(scope="module")
def standard(suite: Suite) -> Regime:
    return suite.of("standard")


@pytest.fixture(scope="module")
def trades(suite: Suite) -> Regime:
    return suite.of("trades")


def test_easycore_on_cifar10(cifar: Suite) -> None:
    assert (cifar.rows, cifar.fractions, cifar.replicates) == (14, "10 %, 30 % and 50 %", 3)
    standard, trades = cifar.of("standard"), cifar.of("trades")
    for fraction in (0.1, 0.3, 0.5):
        trades.ahead("easycore", "random", at=fraction)
    trades.ahead("easycore", "random", "clean")
    standard.ahead("easycore", "random", at=0.1)
    for fraction in (0.3, 0.5):
        standard.level("easycore", "random", at=fraction)


BIRD, CAT, DOG = 2, 3, 5


def lost(suite: Suite, row: str, fraction: float) -> list[set[int]]:
    """The classes of which each model of a row recognises fewer than one image in fifty."""
    results = [
        record.results
        for record in suite.published.records
        if (record.factors.row, record.factors.fraction) == (row, fraction) and record.results
    ]
    counts = [zip(found.clean_by_class, found.class_counts, strict=True) for found in results]
    return [{c for c, (right, all_) in enumerate(pairs) if right < all_ / 50} for pairs in counts]


def test_classes_that_are_lost_on_cifar10(cifar: Suite) -> None:
    assert lost(cifar, "easycore", 0.1) == [{CAT}] * 6
    assert all(classes >= {BIRD, CAT, DOG} for classes in lost(cifar, "aum@high", 0.1))
    assert lost(cifar, "aum@high", 0.3) == [{CAT}] * 6
    assert lost(cifar, "random", 0.1) == [set()] * 6
    for regime in ("standard", "trades"):
        cifar.of(regime).leads("aum@high")


def test_each_class_apart_on_cifar10(cifar: Suite) -> None:
    for metric in ("robust", "clean", "worst_class"):
        cifar.of("trades").ahead("easycore@balanced", "random", metric)


@pytest.mark.parametrize("regime", ["standard", "trades"])
def test_hard_samples_and_cover_on_cifar10(cifar: Suite, regime: str) -> None:
    found = cifar.of(regime)
    found.behind(["el2n", "forgetting"], "random")
    assert set(found.surely_below("random")) <= {"el2n", "forgetting"}
    assert not [better for better, worse in found.standings.surely_better() if worse == "random"]
    for row in COVER:
        difference = found.standings.difference("robust", row, "random")
        assert difference
        assert difference.may_be(0.0) or difference.mean < 0


def test_easycore_under_standard_training(suite: Suite, standard: Regime) -> None:
    assert (suite.rows, suite.fractions) == (50, "5 %, 10 %, 20 %, 30 %, 50 %, 70 % and 90 %")
    for fraction in (0.3, 0.5, 0.7, 0.9):
        standard.ahead("easycore", "random", at=fraction)
    for fraction in (0.05, 0.1, 0.2):
        standard.level("easycore", "random", at=fraction)
    standard.not_surely("easycore", "random")
    lost = []
    for fraction in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9):
        standard.behind("easycore", "random", "clean", at=fraction)
        difference = standard.standings.difference_at("clean", "easycore", "random", fraction)
        assert difference
        lost.append(difference.mean)
    assert lost == sorted(lost)  # most where little is kept


def test_variety_without_the_hardest(standard: Regime) -> None:
    standard.ahead(["d2", "ccs"], "random")
    for fraction in (0.1, 0.2, 0.3):
        standard.ahead(["d2", "ccs"], "random", at=fraction)
    standard.level(["d2", "ccs"], "random", "clean")


def test_under_trades(trades: Regime) -> None:
    for fraction in (0.1, 0.2, 0.3):
        trades.behind(["easycore", *EASY], "random", at=fraction)
    trades.behind("easycore", "random")
    for row in ("herding", "pgd-steps@high"):
        assert row not in trades.surely_below("random")
        trades.ahead(row, "random")


@pytest.mark.parametrize("regime", ["standard", "trades"])
def test_hard_samples(suite: Suite, regime: str) -> None:
    hard = ["el2n", "grand", "aum", "loss", "aign-hard"]
    found = suite.of(regime)
    found.behind(hard, "random")
    for row in hard:  # robustness most of all
        robust, clean = (found.standings.difference(metric, row, "random") for metric in ("robust", "clean"))
        assert robust
        assert clean
        assert robust.mean < clean.mean


def test_with_one_recipe_the_differences_are_open() -> None:
    assert published("digits").none_sure() > 0


def test_ten_classes_of_imagenet() -> None:
    standard = published("imagenette-cpu").of("standard")
    standard.level("easycore", "random")
    for metric in ("clean", "worst_class"):
        standard.behind("easycore", "random", metric)
    assert "easycore@balanced" in standard.surely_above("random")
    standard.ahead("easycore@balanced", "random", "worst_class")
    standard.behind("easycore@balanced", "random", "clean")
