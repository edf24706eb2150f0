"""A small suite from data to records: the same whatever the workers, resumed, repaired, and past what fails."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmark.execution.run import Settings, Summary, run_suite
from benchmark.plan import make_plan
from benchmark.records import Record, read_records
from benchmark.spec import DatasetSpec, Suite
from benchmark.stages.compute import Workshop
from benchmark.store import Artifact, Store
from methods import registry

SettingsIn = Callable[..., Settings]
ROWS = ["random", "loss", {"method": "loss", "policy": "high", "label": "loss again"}]


@pytest.fixture(scope="module")
def suite(tiny_suite: Callable[..., Suite]) -> Suite:
    """Three rows, two of them the same set, at a share of the pool and at all of it."""
    values = tiny_suite(rows=ROWS, fractions=[0.3, 1.0]).canonical()
    values["attacks"]["autoattack"] = {"fractions": [0.3], "rows": ["random"], "test": 6}
    for regime in values["regimes"].values():
        regime |= {"epsilons": [0.1, 0.5], "primary": 0.5}  # AutoAttack is slow where images stay robust
    return Suite.model_validate(values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("alone")


@pytest.fixture(scope="module")
def first(suite: Suite, folder: Path, settings_in: SettingsIn, quiet: Console) -> Summary:
    return run_suite(suite, settings_in(folder), quiet)


def lines(summary: Summary) -> list[str]:
    """The records as written, without what may differ between runs."""
    records = [json.loads(line) for line in (summary.folder / "records.jsonl").read_text().splitlines()]
    return [json.dumps({k: v for k, v in record.items() if k not in ("cost", "provenance")}) for record in records]


def written(store: Path) -> dict[Path, int]:
    """When each artifact was written."""
    return {path.relative_to(store): path.stat().st_mtime_ns for path in store.rglob("meta.json")}


def test_every_cell_becomes_a_valid_record_in_plan_order(suite: Suite, first: Summary) -> None:
    records = read_records(first.folder / "records.jsonl")
    assert [record.cell for record in records] == [cell.id for cell in make_plan(suite).cells]
    assert {record.status for record in records} == {"ok"}
    assert first.computed == len(records) == 14
    for record in records:
        assert record.results is not None
        assert (record.factors.pool, record.results.images, record.factors.checksum != "") == (150, 60, True)
        assert record.factors.k == {0.3: 45, 1.0: 150}[record.factors.fraction]
        robust = record.results.robust_bits(0.1)
        assert robust is not None
        assert len(robust) == 40
        assert not (robust & ~record.results.clean_bits()[:40]).any()
        assert record.cost.seconds["train"] > 0
    attacks = {r.cell: {v.attack for v in r.results.attacks} for r in records if r.results}
    assert {cell for cell, names in attacks.items() if "autoattack" in names} == {
        f"tiny/random/0.3/{regime}/0" for regime in ("standard", "trades")
    }


def test_the_models_have_learned(first: Summary) -> None:
    full = next(r for r in first.records if r.factors.row == "full" and r.factors.regime == "standard")
    assert full.results is not None
    assert full.results.clean_bits().mean() > 0.5


def test_the_number_of_workers_changes_no_byte(
    suite: Suite, first: Summary, tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    assert lines(run_suite(suite, settings_in(tmp_path, jobs=2), quiet)) == lines(first)


def weights(folder: Path, suite: Suite, row: str, fraction: float, regime: str) -> dict[str, np.ndarray]:
    cell = make_plan(suite).find(f"tiny/{row}/{fraction:g}/{regime}/0")
    artifact = Store(folder / "store").read("model", cell.model.key)
    assert artifact is not None
    return artifact.arrays


@pytest.mark.parametrize("regime", ["standard", "trades"])
@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("loss", 0.3), ("loss again", 0.3), True),  # two names for one set
        (("random", 1.0), ("loss", 1.0), True),  # all of the pool, in two orders of picking
        (("random", 1.0), ("full", 1.0), True),
        (("random", 0.3), ("loss", 0.3), False),
    ],
)
@pytest.mark.usefixtures("first")
def test_equal_sets_give_the_same_model(
    folder: Path, suite: Suite, one: tuple[str, float], other: tuple[str, float], same: bool, regime: str
) -> None:
    a, b = (weights(folder, suite, *row, regime) for row in (one, other))
    assert all(np.array_equal(a[name], b[name]) for name in a if "weight" in name) is same


def test_a_second_run_computes_nothing_and_needs_no_torch(suite: Suite, folder: Path, first: Summary) -> None:
    before = (first.folder / "records.jsonl").read_bytes(), written(folder / "store")
    script = (
        "import sys; from pathlib import Path; from rich.console import Console\n"
        "from benchmark.execution.run import Settings, run_suite; from benchmark.spec import Suite\n"
        "folder = Path(sys.argv[2])\n"
        "settings = Settings(folder / 'store', folder / 'results')\n"
        "summary = run_suite(Suite.model_validate_json(sys.argv[1]), settings, Console())\n"
        "assert (summary.computed, len(summary.records)) == (0, 14), summary\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", script, suite.model_dump_json(), str(folder)], check=True, timeout=60)
    assert ((first.folder / "records.jsonl").read_bytes(), written(folder / "store")) == before


def test_a_run_goes_on_where_it_stopped_and_repairs_what_is_damaged(
    suite: Suite, folder: Path, first: Summary, tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    shutil.copytree(folder / "store", tmp_path / "store")
    store, plan = Store(tmp_path / "store"), make_plan(suite)
    unfinished = plan.find("tiny/random/0.3/trades/0")
    untrained = plan.find("tiny/full/1/standard/0")
    damaged = plan.find("tiny/loss/0.3/standard/0")
    assert damaged.selection is not None
    (trace,) = damaged.selection.traces
    for stage in (unfinished.outcomes["pgd"], untrained.model, *untrained.outcomes.values(), trace.signals["loss"]):
        shutil.rmtree(store.path(stage.kind, stage.key))
    for stage in (damaged.model, damaged.outcomes["clean"]):
        file = store.path(stage.kind, stage.key) / "data.safetensors"
        file.write_bytes(file.read_bytes()[:-1])
    before = written(store.root)
    again = run_suite(suite, settings_in(tmp_path), quiet)
    assert again.computed == 4  # "loss again" has the same coreset, so the damaged model is its own too
    assert lines(again) == lines(first)
    after = written(store.root)
    made = {path for path in after if after[path] != before.get(path)}
    expected = [unfinished.outcomes["pgd"], untrained.model, *untrained.outcomes.values()]
    expected += [damaged.model, damaged.outcomes["clean"]]  # and no signal: its coresets are there
    assert made == {store.path(s.kind, s.key).relative_to(store.root) / "meta.json" for s in expected}


def test_a_damaged_model_alone_is_made_again(
    suite: Suite, folder: Path, first: Summary, tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    """Its outcomes stay: they say of which weights they are, and the network is the same again."""
    shutil.copytree(folder / "store", tmp_path / "store")
    store, cell = Store(tmp_path / "store"), make_plan(suite).find("tiny/loss/0.3/standard/0")
    file = store.path("model", cell.model.key) / "data.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    before = written(store.root)
    assert lines(run_suite(suite, settings_in(tmp_path), quiet)) == lines(first)
    after = written(store.root)
    made = {path for path in after if after[path] != before.get(path)}
    assert made == {store.path("model", cell.model.key).relative_to(store.root) / "meta.json"}


def test_outcomes_of_another_network_are_no_part_of_a_record(
    suite: Suite, folder: Path, first: Summary, tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    """As where one machine's model meets what another machine's was judged to be."""
    shutil.copytree(folder / "store", tmp_path / "store")
    plan, store = make_plan(suite), Store(tmp_path / "store")
    cell, other = plan.find("tiny/loss/0.3/standard/0"), plan.find("tiny/random/0.3/standard/0")
    foreign = store.read("model", other.model.key)
    assert foreign is not None
    store.write("model", cell.model.key, foreign, cell.model.described)
    again = {record.cell: record for record in run_suite(suite, settings_in(tmp_path), quiet).records}
    theirs, ours = again[other.id].results, again[cell.id].results
    assert theirs is not None
    assert ours is not None
    assert ours.clean_bits().tolist() == theirs.clean_bits().tolist()
    assert {record.cell: record for record in first.records}[cell.id].results != ours


def test_an_outcome_that_another_run_has_just_written_stays(tiny_suite: Callable[..., Suite], tmp_path: Path) -> None:
    cell, store = make_plan(tiny_suite()).find("tiny/full/1/standard/0"), Store(tmp_path)
    workshop, stage = Workshop(store, DatasetSpec(name="digits"), None), cell.outcomes["clean"]
    store.write(stage.kind, stage.key, Artifact({}, {"weights": "ours"}), {})
    workshop._forget(stage, "ours")
    assert stage.done(store)
    workshop._forget(stage, "another")
    assert not stage.done(store)


FAULTY = '''
"""Methods that break the contract, each in its own way, while the file `broken` is there."""

import os
import numpy as np
from methods.registry import score, subset

def broken():
    return os.path.exists(os.environ["FAULTY_FLAG"])

@subset("too-few")
def too_few(context, budget):
    return np.arange(budget.k - broken())

@subset("repeated")
def repeated(context, budget):
    return np.arange(budget.k) * (not broken())

@subset("out-of-range")
def out_of_range(context, budget):
    return np.arange(budget.k) + context.n * broken()

@score("not-a-number", needs="loss", keep="low")
def not_a_number(signals):
    return signals.loss[-1] * (np.nan if broken() else 1)

@subset("raising")
def raising(context, budget):
    if broken():
        raise RuntimeError("no such luck")
    return np.arange(budget.k)
'''
SENTENCES = {
    "too-few": "'too-few' returned 44 indices for a budget of 45; return exactly k.",
    "repeated": "'repeated' returned 44 indices more than once; each sample may be picked once.",
    "out-of-range": "'out-of-range' returned the index 150, outside 0 to 149.",
    "not-a-number": "'not-a-number' scored 150 samples as NaN or infinite",
    "raising": "'raising' failed: RuntimeError: no such luck",
}


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed plugin of faulty methods, also for workers; yields the file that makes them fail."""
    site, flag = tmp_path / "site", tmp_path / "broken"
    metadata = site / "faulty_methods-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty-methods\nVersion: 1.0\n")
    points = "".join(f"{name} = faulty_methods:{name.replace('-', '_')}\n" for name in SENTENCES)
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{points}")
    (site / "faulty_methods.py").write_text(FAULTY)
    flag.touch()
    monkeypatch.setenv("FAULTY_FLAG", str(flag))
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(registry, "_methods", dict(registry._methods))
    registry.method_names()  # the registry may have looked for plugins before this one was there
    importlib.import_module("faulty_methods")
    yield flag
    del sys.modules["faulty_methods"]


def test_what_fails_becomes_a_record_and_the_rest_goes_on(
    faulty: Path, tiny_suite: Callable[..., Suite], tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    values = tiny_suite(rows=["random", *SENTENCES], full=False).canonical()
    values["regimes"]["trades"]["recipe"] |= {"lr": 1e20, "schedule": "constant"}
    suite, settings = Suite.model_validate(values), settings_in(tmp_path, jobs=2)
    cells = {r.cell: r for r in run_suite(suite, settings, quiet).records}
    assert list(cells) == [cell.id for cell in make_plan(suite).cells]

    def outcome(record: Record) -> tuple[str, str]:
        assert record.failure is not None
        assert record.results is None
        return record.failure.stage, record.failure.message

    for name, sentence in SENTENCES.items():
        for regime in ("standard", "trades"):
            stage, message = outcome(cells[f"tiny/{name}/0.3/{regime}/0"])
            assert stage == "select"
            assert message.startswith(sentence)
    stage, message = outcome(cells["tiny/random/0.3/trades/0"])
    assert stage == "train"
    assert message.startswith("Training diverged in epoch 1 of 3")
    assert cells["tiny/random/0.3/standard/0"].status == "ok"
    folder = settings.results / "local" / "tiny"
    assert list(cells.values()) == read_records(folder / "records.jsonl")
    assert "no such luck" in (folder / "failures.log").read_text()

    faulty.unlink()  # mended without a change of source: what failed is tried again, and nothing else
    done = written(settings.store)
    again = run_suite(suite, settings, quiet)
    assert again.computed == len(cells) - 1
    assert {r.factors.regime for r in again.failed} == {"trades"}
    assert [r.cell for r in again.records if r.status == "ok"] == [i for i in cells if "/standard/" in i]
    assert {path: time for path, time in written(settings.store).items() if path in done} == done


def test_a_proxy_that_diverges_takes_its_readers_and_no_one_else(
    tiny_suite: Callable[..., Suite], tmp_path: Path, settings_in: SettingsIn, quiet: Console
) -> None:
    values = tiny_suite(rows=["random", "loss"], full=False).canonical()
    values["proxies"]["standard"]["recipe"] |= {"lr": 1e20, "schedule": "constant"}
    summary = run_suite(Suite.model_validate(values), settings_in(tmp_path), quiet)
    assert {r.factors.row for r in summary.failed} == {"loss"}
    assert {r.failure.stage for r in summary.failed if r.failure} == {"proxy"}
    assert len(summary.failed) == 2
