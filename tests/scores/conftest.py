"""Released scores of a small suite that has every kind of row, and the coresets of its run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmark.execution.run import Settings
from benchmark.plan import Selection, make_plan
from benchmark.scores.collect import collect
from benchmark.scores.release import Release, write_release
from benchmark.spec import Recipe, Suite, load_suite
from benchmark.store import Artifact, Store

POLICIES = ["low", "high", "middle", "window", "stratified", "low+balanced", "high+window+balanced"]
OTHERS: list[Any] = [
    *(f"easycore@{policy}" for policy in POLICIES),
    {"method": "easycore", "policy": "stratified", "params": {"beta": 0.2, "strata": 7}, "label": "cut"},
    {"method": "easycore", "params": {"squared": True}},
    {"method": "easycore", "policy": "balanced", "proxy": "robust"},
    {"method": "dyn-unc", "params": {"window": 1}},  # which fails
    "el2n@beta",
    "dual",
    "dual@high",
    "ccs",
    "tdds",
    "tdds@balanced",
    "cld",
    "cal@balanced",
    "prototypes@stratified",
    "craig",
    {"method": "craig", "weights": False},
    "gradmatch",
    "d2",
]


@dataclass(frozen=True)
class Released:
    """A release, its file, and the run that it was made from."""

    release: Release
    path: Path
    suite: Suite
    settings: Settings

    @property
    def selections(self) -> dict[tuple[str, float, int], Selection]:
        """By row, fraction and replicate."""
        cells = make_plan(self.suite).cells
        return {(c.name, c.fraction, c.replicate): c.selection for c in cells if c.selection}

    def coreset(self, selection: Selection) -> Artifact | None:
        return Store(self.settings.store).read("coreset", selection.coreset.key)


@pytest.fixture(scope="session")
def released(
    tmp_path_factory: pytest.TempPathFactory,
    tiny_suite: Callable[..., Suite],
    settings_in: Callable[..., Settings],
    quiet: Any,
) -> Released:
    folder = tmp_path_factory.mktemp("released")
    standard = tiny_suite().proxies["standard"]
    trades = Recipe(**{**standard.recipe.model_dump(), "objective": "trades", "epsilon": 0.1, "inner_steps": 1})
    proxies = {"standard": standard, "robust": standard.model_copy(update={"recipe": trades})}
    suite = tiny_suite(
        rows=[*(row.spelled for row in load_suite("digits").rows), *OTHERS],
        proxies={name: training.canonical() for name, training in proxies.items()},
        fractions=[0.1, 0.3, 0.5],
        replicates=2,
    )
    settings = settings_in(folder)
    release = collect(suite, settings, quiet)
    path = folder / "results" / "scores" / "tiny.parquet"
    write_release(path, release)
    return Released(release, path, suite, settings)
