"""All experiments of a small suite: what they say they are, what they say again, and what they recompute."""

from pathlib import Path

import numpy as np
import pytest

from benchmark.claims.measurement import Measurement
from benchmark.claims.questions import questions
from benchmark.experiments import scales
from benchmark.experiments.lab import Lab
from benchmark.experiments.measure import make_lab, measure
from benchmark.experiments.scales import SCALES, Scale, proxies_of
from benchmark.plan import make_plan
from benchmark.spec import load_suite
from methods.errors import UsageError

SUITE = """
name = "small"
version = 1
description = "A few digits"
fractions = [0.5]
replicates = 2
rows = ["easycore"]
[dataset]
name = "digits"
train = 120
[proxies.standard]
model = "mlp"
recipe = { epochs = 3, batch_size = 32 }
[regimes.standard]
model = "mlp"
epsilons = [0.1]
primary = 0.1
recipe = { epochs = 3, batch_size = 32 }
[regimes.trades]
model = "mlp"
epsilons = [0.1]
primary = 0.1
recipe = { objective = "trades", epochs = 2, batch_size = 32, epsilon = 0.1, inner_steps = 2, inner_step_size = 0.05 }
"""
SMALL = Scale(networks=("cnn-tiny",), images=30, levels=20, steps=4, batches=3, sizes=(1, 70))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "small.toml").write_text(SUITE)
    return folder


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(scales.SCALES, "small", SMALL)


@pytest.fixture(scope="module")
def lines(folder: Path) -> list[Measurement]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(scales.SCALES, "small", SMALL)
        return list(measure(str(folder / "small.toml"), 2, store=folder / "store"))


@pytest.fixture
def lab(folder: Path) -> Lab:
    return make_lab(str(folder / "small.toml"), 2, store=folder / "store")


def test_each_answers_a_question_in_its_unit(lines: list[Measurement]) -> None:
    units = {question.id: question.unit for question in questions() if question.compare is None}
    assert {line.question: line.unit for line in lines} == {
        name: unit for name, unit in units.items() if not name.startswith("plane-")
    }
    assert len({line.identity for line in lines}) == len(lines)


def test_each_says_on_what_it_was_measured(lines: list[Measurement]) -> None:
    by = {line.identity[::2]: line for line in lines}
    assert {line.suite for line in lines} == {"small"}
    assert {line.data for line in lines} == {"digits, 120 images"}
    assert by["architectures", "cnn-tiny"].model == "mlp and cnn-tiny"
    assert by["vulnerability", "same network"].pool == 30
    assert by["squared-norm", "standard proxy"].pool == 120
    assert all(len(line.values) == len(set(line.seeds)) == 2 for line in lines)
    assert by["lemma-applies", "batch of 70"].values == (0, 0)  # 64 pixels
    assert ("lemma-tightness", "batch of 70") not in by


def test_again_from_the_store_they_say_the_same(folder: Path, lines: list[Measurement]) -> None:
    from benchmark.experiments import free, geometry, lemma
    from benchmark.stages import compute as stages

    with pytest.MonkeyPatch.context() as patch:
        for module, name in ((stages, "trace"), (geometry, "smallest"), (free, "free_norms"), (lemma, "sides")):
            patch.setattr(module, name, None)  # whoever calls it fails
        again = list(measure(str(folder / "small.toml"), 2, store=folder / "store"))
    assert [(line.identity, line.values, line.facts) for line in again] == [
        (line.identity, line.values, line.facts) for line in lines
    ]


def test_more_replicates_leave_the_first_as_they_were(folder: Path, lines: list[Measurement]) -> None:
    one = next(iter(measure(str(folder / "small.toml"), 1, store=folder / "store")))
    first = next(line for line in lines if line.identity == one.identity)
    assert one.values == first.values[:1]
    assert one.seeds == first.seeds[:1]


def test_the_standard_proxy_is_the_suites_own(lab: Lab, folder: Path) -> None:
    plan = make_plan(load_suite(str(folder / "small.toml")))
    assert [trace.proxy.key for trace in plan.traces()] == [lab.trace("standard", r).proxy.key for r in lab.replicates]


def test_the_network_is_the_proxy_that_was_traced(lab: Lab, lines: list[Measurement]) -> None:
    x, y, _ = lab.images(np.arange(len(lab.labels)))
    logits = lab.network("standard", 0)(x).detach()
    right = -logits.log_softmax(dim=1).gather(1, y[:, None]).squeeze(1).numpy()
    np.testing.assert_allclose(lab.signals("standard", 0)["loss"][-1], right, atol=1e-5)


def test_a_proxy_whose_weights_were_lost_is_trained_again(lab: Lab, lines: list[Measurement]) -> None:
    import shutil

    x, _, _ = lab.images(lab.judged)
    before = lab.network("standard", 1)(x).detach()
    store = lab.workshop.store
    shutil.rmtree(store.path("proxy", lab.trace("standard", 1).proxy.key))
    assert bool((lab.network("standard", 1)(x).detach() == before).all())


def test_what_is_attacked_and_what_aign_is_of_are_the_same_samples(lab: Lab, lines: list[Measurement]) -> None:
    from benchmark.experiments.vulnerability import _geometry

    model, found = lab.network("another", 1), _geometry(lab, "another", 1)
    x, y, _ = lab.images(np.arange(len(lab.labels)))
    logits = model(x).detach().numpy()
    for place, sample in enumerate(lab.judged):
        label = int(y[sample])
        margin = logits[sample, label] - max(np.delete(logits[sample], label))
        assert found["margin"][place] == pytest.approx(margin, abs=1e-4)
        assert (found["smallest"][place] == 0) == (margin < 0)


@pytest.mark.parametrize("name", list(SCALES))
def test_every_scale_is_of_a_suite_that_ships(name: str) -> None:
    suite = load_suite(name)
    found = proxies_of(suite, SCALES[name])
    assert found["robust"].recipe.objective == "trades"
    assert found["robust"].model == found["standard"].model
    assert {"standard", "another", "mlp", "robust"} <= {*found, found["standard"].model}


def test_a_robust_proxy_may_take_fewer_inner_steps() -> None:
    suite = load_suite("digits")
    own, fewer = proxies_of(suite, Scale())["robust"], proxies_of(suite, Scale(inner=(3, 0.05)))["robust"]
    assert own.recipe == suite.regimes["trades"].recipe
    assert (fewer.recipe.inner_steps, fewer.recipe.inner_step_size) == (3, 0.05)
    assert fewer.recipe.epsilon == own.recipe.epsilon


def test_another_network_may_learn_at_another_rate() -> None:
    suite = load_suite("digits")
    found = proxies_of(suite, Scale(networks=("cnn-tiny", "cnn-small"), rates={"cnn-small": 0.01}))
    assert found["cnn-tiny"].recipe == suite.proxies["standard"].recipe
    assert found["cnn-small"].recipe == suite.proxies["standard"].recipe.model_copy(update={"lr": 0.01})


def test_a_suite_without_a_proxy_has_nothing_to_measure() -> None:
    suite = load_suite("digits-dynamic")
    with pytest.raises(UsageError, match=r"declare \[proxies.standard\] in suite 'digits-dynamic'"):
        proxies_of(suite.model_copy(update={"proxies": {}}), Scale())


def test_long_work_is_asked_about_first(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from benchmark.experiments import measure as module

    def refuse(question: str) -> None:
        raise UsageError(question)

    suite = str(folder / "small.toml")
    lab = make_lab(suite, 2, store=tmp_path)
    assert 0 < module.seconds_left(lab) < 60
    monkeypatch.setattr(module, "ASK_ABOVE", 0.0)
    with pytest.raises(UsageError, match="Measuring on 'small' needs about"):
        next(measure(suite, 2, store=tmp_path, confirm=refuse))


def test_what_is_there_needs_no_asking(lab: Lab, lines: list[Measurement]) -> None:
    from benchmark.experiments.cost import seconds_left

    assert seconds_left(lab) == 0
