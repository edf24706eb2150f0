"""Figures of a run's proxies and coresets, on a suite small enough to run in a test."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from benchmark.data import fingerprint
from benchmark.figures import canvas, gallery, heatmaps, planes, samples, trajectories
from benchmark.figures.canvas import Drawing
from benchmark.figures.sources import Missing, Source
from benchmark.plan import Data
from benchmark.spec import Suite
from benchmark.stages.compute import Workshop
from benchmark.store import Store
from methods.errors import UsageError
from tests.figures.drawn import table

EL2N = {"method": "el2n", "params": {"proxies": 1}, "label": "el2n"}
ROWS = ["random", "easycore", "aign-hard", EL2N, "herding"]


def source_in(folder: Path, suite: Suite, trace: bool = False) -> Source:
    data = Data(suite.dataset, fingerprint(suite.dataset))
    return Source(suite, data, Workshop(Store(folder), suite.dataset, None), trace)


@pytest.fixture(scope="module")
def traced(
    tmp_path_factory: pytest.TempPathFactory, tiny_suite: Callable[..., Suite]
) -> tuple[Source, dict[str, Drawing]]:
    source = source_in(tmp_path_factory.mktemp("store"), tiny_suite(rows=ROWS), trace=True)
    return source, {drawing.name: drawing for drawing in gallery.of_store(source, pytest.fail)}


def test_all_of_them_are_drawn(traced: tuple[Source, dict[str, Drawing]]) -> None:
    assert list(traced[1]) == ["samples", "trajectories", "agreement", "embedding", "scores", "overlap"]
    for drawing in traced[1].values():
        assert len(drawing.svg()) < 300_000
        assert drawing.title
        assert drawing.table.rows


def test_a_second_drawing_has_the_same_bytes(traced: tuple[Source, dict[str, Drawing]]) -> None:
    """The second one reads from the store what the first one had to compute."""
    source, first = traced
    again = Source(source.suite, source.data, Workshop(source.workshop.store, source.suite.dataset, None))
    for drawing in gallery.of_store(again, pytest.fail):
        assert drawing.svg() == first[drawing.name].svg(), drawing.name
        assert drawing.png() == first[drawing.name].png(), drawing.name
        assert drawing.table.csv() == first[drawing.name].table.csv(), drawing.name


def test_an_empty_store_is_said_in_one_sentence_a_reason(tmp_path: Path, tiny_suite: Callable[..., Suite]) -> None:
    said: list[str] = []
    assert list(gallery.of_store(source_in(tmp_path, tiny_suite(rows=ROWS)), said.append)) == []
    assert len(said) == 2
    assert "samples, trajectories" in said[0]
    assert all("coreset-bench figures tiny --trace" in sentence for sentence in said)
    assert not list(tmp_path.rglob("*.safetensors"))  # asking computes nothing


def test_each_proxy_is_trained_once_for_all_figures(
    tmp_path: Path, tiny_suite: Callable[..., Suite], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[list[str]] = []
    record = Workshop._record

    def counting(self: Workshop, wanted: Any, needs: list[str]) -> Any:
        trained.append(needs)
        return record(self, wanted, needs)

    monkeypatch.setattr(Workshop, "_record", counting)
    source = source_in(tmp_path, tiny_suite(rows=ROWS), trace=True)
    assert len(list(gallery.of_store(source, pytest.fail))) == 6
    assert len(trained) == len(source.proxies)
    assert {"input_grad_norm", "features"} < set(trained[0])


def test_long_training_is_asked_for(
    tmp_path: Path, tiny_suite: Callable[..., Suite], monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmark.figures import sources

    asked: list[str] = []

    def refuse(question: str) -> None:
        asked.append(question)
        raise UsageError("no")

    monkeypatch.setattr(sources, "ASK_ABOVE", 0.0)
    source = source_in(tmp_path, tiny_suite(rows=ROWS), trace=True)
    with pytest.raises(UsageError):
        list(gallery.of_store(source, pytest.fail, confirm=refuse))
    assert "3 proxies" in asked[0]
    assert not list(tmp_path.rglob("*.safetensors"))


def test_data_that_are_not_there_are_said(tmp_path: Path, tiny_suite: Callable[..., Suite]) -> None:
    suite = tiny_suite(rows=ROWS, dataset={"name": "cifar10"})
    data = Data(suite.dataset, fingerprint(suite.dataset, tmp_path))
    said: list[str] = []
    source = Source(suite, data, Workshop(Store(tmp_path), suite.dataset, tmp_path))
    assert list(gallery.of_store(source, said.append)) == []
    assert any("cifar" in sentence.lower() for sentence in said)


def test_a_suite_without_a_standard_proxy_is_told(tmp_path: Path, tiny_suite: Callable[..., Suite]) -> None:
    source = source_in(tmp_path, tiny_suite(rows=["random"], proxies={}), trace=True)
    with pytest.raises(Missing, match="no standard proxy"), canvas.style():
        samples.samples(source)


def test_samples_are_the_ends_of_each_class(traced: tuple[Source, dict[str, Drawing]]) -> None:
    source, drawings = traced
    scores, labels, positions = source.aign(), source.labels, source.dataset.positions.numpy()
    found = table(drawings["samples"])
    for c in range(10):
        here = [line for line in found if line["class"] == str(c)]
        lowest = sorted(scores[labels == c])[: samples.EACH]
        highest = sorted(scores[labels == c], reverse=True)[: samples.EACH]
        for end, wanted in (("easiest", lowest), ("hardest", highest)):
            given = [line for line in here if line["end"] == end]
            np.testing.assert_allclose([float(line["aign"]) for line in given], wanted, rtol=1e-4)
            for line in given:
                i = int(np.flatnonzero(positions == int(line["position_in_data_set"]))[0])
                assert labels[i] == c
                assert scores[i] == pytest.approx(float(line["aign"]), rel=1e-4)


def test_trajectories_are_quartiles_of_tenths(traced: tuple[Source, dict[str, Drawing]]) -> None:
    source, drawings = traced
    norms = source.signals("standard", ("input_grad_norm",))["input_grad_norm"].astype(float)
    easy = np.argsort(norms.mean(axis=0), kind="stable")[:15]
    found = [line for line in table(drawings["trajectories"]) if line["group"] == "easiest tenth"]
    assert [line["x"] for line in found] == ["1", "2", "3"]
    np.testing.assert_allclose([float(line["y"]) for line in found], np.median(norms[:, easy], axis=1), rtol=1e-4)
    counted = [int(line["y"]) for line in table(drawings["trajectories"]) if line["part"] == "histogram"]
    assert sum(counted) == 150


@pytest.mark.parametrize(("count", "first", "last"), [(3, 0.0, 0.1), (3, 0.9, 1.0), (1, 0.45, 0.55), (1000, 0.9, 1.0)])
def test_a_tenth_of_a_few_samples_is_one(count: int, first: float, last: float) -> None:
    assert len(range(count)[trajectories._slice(count, first, last)]) == max(1, round(count * (last - first)))


def test_scores_are_correlated_with_high_as_hard(traced: tuple[Source, dict[str, Drawing]]) -> None:
    """AIGN stands once, though two rows keep its ends; `el2n` and it agree, both with hard at the top."""
    source, drawings = traced
    found = {(line["first"], line["second"]): float(line["spearman"]) for line in table(drawings["scores"])}
    assert {first for first, _ in found} == {"random", "easycore", "el2n"}
    el2n = source.score(source.rows[3])
    assert el2n is not None
    assert found["easycore", "el2n"] == pytest.approx(spearmanr(source.aign(), el2n).statistic, rel=1e-4)
    assert found["easycore", "el2n"] > 0


def test_overlap_counts_shared_picks(traced: tuple[Source, dict[str, Drawing]]) -> None:
    source, drawings = traced
    found = {(line["first"], line["second"]): float(line["shared_percent"]) for line in table(drawings["overlap"])}
    picks = {row.name: set(source.picks(row)) for row in source.rows}
    for (first, second), share in found.items():
        assert share == pytest.approx(100 * len(picks[first] & picks[second]) / 45, rel=1e-4)
    assert found["easycore", "easycore"] == 100
    assert found["easycore", "aign-hard"] == 0


def test_alike_rows_are_neighbours() -> None:
    groups = np.array([0, 1, 0, 1, 0, 1])
    matrix = (groups[:, None] == groups).astype(float)
    order = [groups[i] for i in heatmaps.ordered(matrix)]
    assert order in ([0, 0, 0, 1, 1, 1], [1, 1, 1, 0, 0, 0])
    assert heatmaps.ordered(np.eye(2)) == [0, 1]


def test_the_plane_is_drawn_with_its_control(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmark.experiments import plane
    from benchmark.spec import Recipe, Training

    short = Training(model="mlp", recipe=Recipe(epochs=3, batch_size=32, lr=0.1))
    learn, hardness = plane.learn, plane.hardness
    monkeypatch.setattr(plane, "learn", lambda data, ids, seed: learn(data, ids, seed, short))
    monkeypatch.setattr(plane, "hardness", lambda data, seed: hardness(data, seed, short))

    def draw() -> Drawing:
        with canvas.style():
            return planes.planes()

    first, second = draw(), draw()
    assert (first.svg(), first.table.csv()) == (second.svg(), second.table.csv())
    found = table(first)
    measured: dict[str, Any] = {line["learnt"]: float(line["value"]) for line in found if line["what"] == "length"}
    assert list(measured) == ["all", "easiest", "random"]
    assert sum(line["what"] == "point" for line in found) == 1200
    assert sum((line["learnt"], line["what"]) == ("easiest", "learns_point") for line in found) == 720
