"""Budget, signals, context and parameters: what a method is handed."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import methods
from methods.api import (
    Budget,
    Context,
    Coreset,
    InvalidCoreset,
    MissingSignal,
    Signals,
    check_params,
    epoch_index,
    validated,
)
from methods.errors import UsageError

ROOT = Path(methods.__file__).parent


def test_a_budget_is_between_one_and_all() -> None:
    assert Budget(3, 10).fraction == 0.3
    for k, n in ((0, 10), (11, 10), (-1, 10)):
        with pytest.raises(UsageError, match=f"{k} of {n}"):
            Budget(k, n)


@pytest.mark.parametrize("fraction", [0, -0.1, 1.0001, float("nan"), float("inf")])
def test_a_fraction_outside_its_range_is_refused(fraction: float) -> None:
    with pytest.raises(UsageError, match="outside"):
        Budget.of(fraction, 100)


@given(st.floats(1e-9, 1.0), st.integers(1, 100_000))
def test_a_fraction_becomes_the_nearest_count(fraction: float, n: int) -> None:
    k = Budget.of(fraction, n).k
    assert 1 <= k <= n
    assert k == 1 or abs(k - fraction * n) <= 0.5 + 1e-6


def test_halves_are_rounded_up_and_not_to_even() -> None:
    assert [Budget.of(0.5, n).k for n in (1, 3, 5, 7)] == [1, 2, 3, 4]
    assert Budget.of(0.3, 1100).k == 330
    assert Budget.of(1e-6, 10).k == 1


@given(st.floats(1e-6, 1.0), st.integers(1, 400))
def test_a_share_of_the_schedule_ends_at_an_epoch_that_exists(at: float, epochs: int) -> None:
    index = epoch_index(at, epochs)
    assert 0 <= index < epochs
    assert (index + 1) / epochs >= at - 1e-6


def test_shares_of_the_schedule_are_exact_at_whole_epochs() -> None:
    assert [epoch_index(at, 30) for at in (0.1, 0.5, 1.0)] == [2, 14, 29]
    assert epoch_index(0.1, 200) == 19
    with pytest.raises(UsageError, match="share of the schedule"):
        epoch_index(0.0, 10)


def test_an_undeclared_signal_names_the_mend() -> None:
    signals = Signals({"loss": np.zeros((2, 3))}, 2, asked_by="mine")
    with pytest.raises(MissingSignal, match=r"'mine' reads the signal 'features'.*add \"features\" to its needs.*loss"):
        _ = signals.features
    assert not hasattr(signals, "features")


def test_signals_and_labels_cannot_be_written() -> None:
    labels, array = np.zeros(3, dtype=np.int64), np.zeros((2, 3))
    context = Context(labels, 2, Signals({"loss": array}, 2), np.random.default_rng(0))
    for protected in (context.labels, context.signals.loss):
        with pytest.raises(ValueError, match="read-only"):
            protected[0] = 1
    labels[0] = 1  # the owner's own array stays writable
    assert [members.tolist() for members in context.classes()] == [[1, 2], [0]]


def test_proxies_begin_with_the_one_at_hand() -> None:
    other = Signals({"loss": np.ones((1, 3))}, 2)
    first = Signals({"loss": np.zeros((2, 3))}, 2, others=(other,))
    assert first.proxies == (first, other)


BAD = [
    ([0, 1], None, "returned 2 indices for a budget of 3"),
    ([0, 1, 1], None, "more than once"),
    ([0, 1, 10], None, "the index 10, outside 0 to 9"),
    ([-1, 1, 2], None, "the index -1"),
    ([0.0, 1.0, 2.0], None, "type float64"),
    ([[0, 1, 2]], None, "shape"),
    ([0, 1, 2], [1, 1], "unusable weights"),
    ([0, 1, 2], [1, 1, -1], "unusable weights"),
    ([0, 1, 2], [1, 1, np.nan], "unusable weights"),
    ([0, 1, 2], [0, 0, 0], "unusable weights"),
]


@pytest.mark.parametrize(("indices", "weights", "words"), BAD)
def test_the_harness_refuses_a_bad_answer_in_words(indices: list, weights: list | None, words: str) -> None:
    given_weights = None if weights is None else np.array(weights, dtype=float)
    with pytest.raises(InvalidCoreset, match=words):
        validated(Coreset(np.array(indices), given_weights), Budget(3, 10), "mine")


def test_a_good_answer_keeps_its_order() -> None:
    kept = validated(Coreset(np.array([5, 0, 9], dtype=np.int32), np.array([2, 0, 1])), Budget(3, 10), "mine")
    assert kept.indices.tolist() == [5, 0, 9]
    assert kept.indices.dtype == np.int64
    assert kept.weights is not None
    assert kept.weights.tolist() == [2.0, 0.0, 1.0]


def test_parameters_keep_the_type_of_their_default() -> None:
    defaults = {"proxies": 10, "at": 0.1, "table": "default", "squared": False}
    assert check_params("m", {"at": 1}, defaults) == {**defaults, "at": 1.0}
    for key, value in (("proxies", 2.5), ("proxies", True), ("at", "0.1"), ("squared", 1), ("table", 3), ("at", True)):
        with pytest.raises(UsageError, match=f"'{key}' of 'm'"):
            check_params("m", {key: value}, defaults)
    with pytest.raises(UsageError, match="did you mean 'proxies'"):
        check_params("m", {"proxy": 2}, defaults)


def test_methods_never_import_the_benchmark() -> None:
    seen = 0
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            seen += len(names)
            assert not [name for name in names if name.split(".")[0] == "benchmark"], path
    assert seen > 50


def test_listing_methods_and_signals_imports_no_torch() -> None:
    code = (
        "import sys, methods.registry as r, methods.signals as s, methods.contract; "
        "assert len(r.method_names()) >= 12 and len(s.signal_names()) >= 9; "
        "heavy = {'torch', 'sklearn', 'scipy', 'pandas', 'matplotlib', 'asyncio'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
