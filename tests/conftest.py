"""What tests share: one torch thread, real images only where they are, and a suite small enough to run in a test."""

import os
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmark.execution.workers import THREAD_VARIABLES
from benchmark.spec import Suite

if TYPE_CHECKING:
    from benchmark.execution.run import Settings

os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))  # before any test imports torch: threads must never fight


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not os.environ.get("CORESET_BENCH_DATA"):
        missing = pytest.mark.skip(reason="needs real images: set CORESET_BENCH_DATA to the folder that holds them")
        for item in items:
            if item.get_closest_marker("data"):
                item.add_marker(missing)


def make_tiny_suite(**changes: Any) -> Suite:
    """A suite on 150 digits whose cells take a tenth of a second; `changes` replace its top-level keys."""
    recipe = {"epochs": 3, "batch_size": 32}
    trades = {"objective": "trades", "epsilon": 0.1, "inner_steps": 2, "inner_step_size": 0.05}
    values: dict[str, Any] = {
        "name": "tiny",
        "version": 1,
        "description": "for tests",
        "dataset": {"name": "digits", "train": 150, "test": 60},
        "proxies": {"standard": {"model": "mlp", "recipe": recipe}},
        "regimes": {
            "standard": {"model": "mlp", "recipe": recipe, "epsilons": [0.05, 0.1], "primary": 0.1},
            "trades": {"model": "mlp", "recipe": recipe | trades, "epsilons": [0.1], "primary": 0.1},
        },
        "fractions": [0.3],
        "replicates": 1,
        "rows": ["random", "easycore"],
        "attacks": {"pgd": {"steps": 3}, "smallest_epsilon": {"levels": 3, "steps": 2}, "test": 40},
    }
    return Suite.model_validate(values | changes)


@pytest.fixture(scope="session")
def tiny_suite() -> Callable[..., Suite]:
    return make_tiny_suite


@pytest.fixture(scope="session")
def settings_in() -> Callable[..., "Settings"]:
    """Settings whose store and results lie in a folder."""

    def make(folder: Path, jobs: int = 1, **changes: Any) -> "Settings":
        from benchmark.execution.run import Settings

        return Settings(folder / "store", folder / "results", jobs=jobs, **changes)

    return make


@pytest.fixture(scope="session")
def quiet() -> Any:
    """A console that prints to memory."""
    from rich.console import Console

    return Console(file=StringIO())
