"""DeepCore's methods through the adapter, with a stand-in that is called and answers as the library does."""

import importlib
import random
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from methods import deepcore, registry
from methods.api import Budget, Context, Coreset, Signals
from methods.contract import run_contract
from methods.errors import CoresetBenchError, UsageError

BASE = """
import numpy as np


class CoresetMethod(object):
    def __init__(self, dst_train, args, fraction=0.5, random_seed=None, **kwargs):
        self.dst_train, self.args, self.fraction, self.random_seed = dst_train, args, fraction, random_seed
        self.num_classes, self.n_train = len(dst_train.classes), len(dst_train)
        self.coreset_size = round(self.n_train * fraction)

    def select(self, **kwargs):
        return
"""
TRAINED = """
import random

import numpy as np
import torch

from .coresetmethod import CoresetMethod


class EarlyTrain(CoresetMethod):
    def __init__(self, dst_train, args, fraction=0.5, random_seed=None, epochs=200, specific_model=None,
                 torchvision_pretrain: bool = False, **kwargs):
        super().__init__(dst_train, args, fraction, random_seed)
        self.epochs, self.specific_model, self.torchvision_pretrain = epochs, specific_model, torchvision_pretrain

    def run(self):
        torch.manual_seed(self.random_seed)
        np.random.seed(self.random_seed)
        print("=> Training")
        loader = torch.utils.data.DataLoader(self.dst_train, batch_size=self.args.selection_batch,
                                             num_workers=self.args.workers)
        batches = [(x.to(self.args.device), y) for x, y in loader]
        self.images = torch.cat([x for x, _ in batches])
        assert (torch.cat([y for _, y in batches]) == self.dst_train.targets).all()
        random.random()
        return self.finish_run()

    def select(self, **kwargs):
        return self.run()
"""
METHODS = '''
import numpy as np

from .earlytrain import EarlyTrain
from .coresetmethod import CoresetMethod


class Farthest(EarlyTrain):
    """Class by class, rounded class by class, sorted."""

    def __init__(self, dst_train, args, fraction=0.5, random_seed=None, epochs=200, balance=True, **kwargs):
        super().__init__(dst_train, args, fraction, random_seed, epochs, **kwargs)
        self.balance = balance

    def finish_run(self):
        size = (self.images.flatten(1) ** 2).sum(dim=1).numpy()
        chosen = np.array([], dtype=np.int64)
        for c in range(self.args.num_classes):
            index = np.arange(self.n_train)[self.dst_train.targets == c]
            assert len(index)
            best = np.argsort(-size[index], kind="stable")[: round(self.fraction * len(index))]
            chosen = np.append(chosen, np.sort(index[best]))
        return {"indices": chosen}


class nAmes(Farthest):
    def select(self, **kwargs):
        Seen.calls.append(self)
        return super().select()


class Uniform(CoresetMethod):
    def select(self, **kwargs):
        np.random.seed(self.random_seed)
        return {"indices": np.random.choice(np.arange(self.n_train), self.coreset_size, replace=False)}


class Full(CoresetMethod):
    def select(self, **kwargs):
        return {"indices": np.arange(self.n_train)}


class Failing(EarlyTrain):
    def finish_run(self):
        raise ValueError("Illegal budget for optimizer.")


class Seen:
    calls = []


def helper():
    pass
'''
WEIGHTED = """
import numpy as np

from .earlytrain import EarlyTrain


class Short(EarlyTrain):
    def finish_run(self):
        return {"indices": np.arange(self.n_train)[:5], "weights": np.linspace(1, 2, 5)}


class Nothing(EarlyTrain):
    def finish_run(self):
        return {"indices": np.array([]), "weights": np.array([])}


class Long(EarlyTrain):
    def finish_run(self):
        return {"indices": np.arange(self.n_train)[::-1], "weights": np.arange(self.n_train)[::-1] + 1.0}
"""
SOURCES = {
    "__init__.py": "",
    "methods/__init__.py": "from .coresetmethod import *\nfrom .chosen import *\nfrom .weighted import *\n",
    "methods/coresetmethod.py": BASE,
    "methods/earlytrain.py": TRAINED,
    "methods/chosen.py": METHODS,
    "methods/weighted.py": WEIGHTED,
}

Clone = Callable[..., None]


@pytest.fixture(autouse=True)
def own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test registers is gone after it; a DeepCore of this machine is not seen."""
    registry.method_names()
    kept = {n: m for n, m in registry._methods.items() if not n.startswith("deepcore:")}
    monkeypatch.setattr(registry, "_methods", kept)
    monkeypatch.setattr(registry, "_unavailable", dict(registry._unavailable))
    monkeypatch.setattr(registry, "_lacking", {})


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clone]:
    """Writes a package called deepcore to a folder that alone is searched for it, and registers what it offers."""
    monkeypatch.setattr(deepcore, "find_spec", lambda name: PathFinder.find_spec(name, [str(tmp_path)]))
    monkeypatch.syspath_prepend(tmp_path)

    def write(sources: dict[str, str]) -> None:
        for name, text in sources.items():
            (tmp_path / "deepcore" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "deepcore" / name).write_text(text)
        importlib.invalidate_caches()
        deepcore.register_all()

    yield write
    for name in [name for name in sys.modules if name.split(".")[0] == "deepcore"]:
        del sys.modules[name]


def context(n: int = 60, classes: int = 3, seed: int = 0, **changes: Any) -> Context:
    rng = np.random.default_rng(42)
    pixels = changes.get("pixels", rng.random((n, 1, 4, 4), dtype=np.float32))
    labels = changes.get("labels", np.arange(n) % classes)
    return Context(labels, classes, Signals({"pixels": pixels}, 0), np.random.default_rng(seed))


def answer(name: str, k: int, given: Context | None = None, **params: Any) -> Coreset:
    given = given or context()
    return registry.run(registry.get(f"deepcore:{name}", params), given, Budget(k, given.n))


def test_where_it_is_not_one_sentence_says_how_to_get_it(clone: Clone) -> None:
    clone({})
    (sentence,) = registry.optional()
    assert "https://github.com/PatrickZH/DeepCore" in sentence
    assert "PYTHONPATH" in sentence
    assert "pip" not in sentence
    for ask in (registry.get, registry.resolve):
        for name in ("deepcore:Herding", "deepcore:herding"):
            with pytest.raises(UsageError) as caught:
                ask(name)
            assert str(caught.value) == sentence
    assert not [name for name in registry.method_names() if ":" in name]
    assert "deepcore" not in [lost.name for lost in registry.unavailable()]


def test_the_unrelated_package_of_that_name_is_recognised(clone: Clone) -> None:
    """PyPI's deepcore has no deepcore.methods; it is not imported to find out."""
    clone({"__init__.py": "raise SystemExit('imported')", "core.py": ""})
    (sentence,) = registry.optional()
    assert "another project" in sentence
    with pytest.raises(UsageError, match="another project"):
        registry.get("deepcore:herding")


def test_its_methods_are_listed_and_nothing_of_it_imported(clone: Clone) -> None:
    clone(SOURCES | {"methods/__init__.py": "raise SystemExit('imported')"})
    names = [name for name in registry.method_names() if name.startswith("deepcore:")]
    assert names == [
        f"deepcore:{name}" for name in ("failing", "farthest", "long", "names", "nothing", "short", "uniform")
    ]
    assert "deepcore" not in sys.modules
    assert registry.get("deepcore:farthest").info.summary
    assert not registry.get("deepcore:farthest").info.weighted
    assert registry.get("deepcore:short").info.weighted
    assert registry.resolve("deepcore:farthest").info.name == "deepcore:farthest"
    with pytest.raises(UsageError, match="did you mean 'deepcore:farthest'"):
        registry.resolve("deepcore:Farthest")
    assert not registry.optional()


def test_it_is_called_as_the_library_is(clone: Clone) -> None:
    clone(SOURCES)
    given = context(labels=np.array([5, 2] * 30), classes=6)
    answer("names", 12, given, epochs=3, network="LeNet", balance=False)
    (call,) = sys.modules["deepcore.methods.chosen"].Seen.calls
    assert call.fraction == 12 / 60
    assert call.coreset_size == 12
    assert isinstance(call.random_seed, int)
    assert (call.epochs, call.balance, call.specific_model, call.torchvision_pretrain) == (3, False, "LeNet", False)
    shown, args = call.dst_train, call.args
    assert shown.classes == ["2", "5"]  # no class without a sample
    assert set(shown.targets.tolist()) == {0, 1}
    image, target = shown[7]
    assert (image.shape, image.dtype, type(target)) == ((1, 4, 4), torch.float32, int)
    np.testing.assert_allclose(shown.images.mean(dim=(0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(shown.images.std(dim=(0, 2, 3), correction=0), 1, atol=1e-5)
    assert (args.channel, args.im_size, args.num_classes, args.device) == (1, (4, 4), 2, "cpu")
    assert (args.selection_lr, args.selection_batch, args.selection_optimizer) == (0.1, 256, "SGD")


def test_images_keep_their_labels_and_picks_their_numbers(clone: Clone) -> None:
    """Shown in another order, the picks are those of the samples as they are numbered here."""
    clone(SOURCES)
    pixels = np.zeros((60, 1, 4, 4), dtype=np.float32)
    bright = [4, 7, 12, 23, 31, 50]
    pixels[bright] = 1
    labels = np.zeros(60, dtype=np.int64)
    labels[bright[:3]] = 1
    picks = answer("farthest", 6, context(pixels=pixels, labels=labels, classes=2), balance=True).indices
    assert set(bright) - set(picks) <= set(bright[:3])  # class 1 has three samples and gets none of a tenth


@pytest.mark.parametrize(
    ("shape", "network"), [((1, 28, 28), "ResNet18"), ((3, 32, 32), "ResNet18"), ((3, 8, 8), "MLP")]
)
def test_the_network_fits_the_images(clone: Clone, shape: tuple[int, ...], network: str) -> None:
    clone(SOURCES)
    answer("names", 3, context(pixels=np.ones((60, *shape), dtype=np.float32)))
    (call,) = sys.modules["deepcore.methods.chosen"].Seen.calls
    assert call.specific_model == call.args.model == network


@pytest.mark.parametrize("k", [1, 2, 5, 29, 59, 60])
@pytest.mark.parametrize("name", ["farthest", "uniform", "short", "long", "nothing"])
def test_the_budget_is_exact(clone: Clone, name: str, k: int) -> None:
    clone(SOURCES)
    labels = np.repeat([0, 1, 2], [9, 9, 42])
    coreset = answer(name, k, context(labels=labels))
    assert len(set(coreset.indices.tolist())) == k
    returned = {"nothing": 0, "short": 5, "long": 60, "uniform": k}
    counted = sum(round(k / 60 * n) for n in (9, 9, 42))
    assert coreset.diagnostics == {"deepcore_returned": returned.get(name, counted)}


def test_what_is_dropped_and_added_is_drawn_by_the_generator(clone: Clone) -> None:
    clone(SOURCES)
    for name in ("short", "long"):
        assert len({tuple(answer(name, 20, context(seed=seed)).indices) for seed in range(5)}) == 5
        assert answer(name, 20).indices.tolist() == answer(name, 20).indices.tolist()
    added = answer("short", 20)
    assert added.weights[:5].tolist() == np.linspace(1, 2, 5).tolist()
    assert (added.weights[5:] == 0).all()
    assert (answer("nothing", 20).weights == 1).all()
    kept = answer("long", 20).weights
    assert kept.tolist() == sorted(kept, reverse=True)  # in the order that DeepCore gave


def test_global_randomness_and_the_screen_stay_as_they_are(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    clone(SOURCES)

    def states() -> tuple[Any, ...]:
        return random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes()

    before = states()
    answer("farthest", 10)
    assert states() == before
    with pytest.raises(CoresetBenchError, match="'deepcore:failing' failed: ValueError: Illegal budget"):
        answer("failing", 10)
    assert states() == before
    assert not capsys.readouterr().out
    assert not hasattr(np, "in1d") or np.lib.NumpyVersion(np.__version__) < "2.4.0"


@pytest.mark.parametrize("name", ["farthest", "uniform"])
def test_it_keeps_the_contract(clone: Clone, name: str) -> None:
    clone(SOURCES)
    outcomes = run_contract(registry.get(f"deepcore:{name}"))
    assert not [f"{o.name}: {o.message}" for o in outcomes if not o.ok]


def test_an_edited_clone_is_another_method(clone: Clone) -> None:
    clone(SOURCES)
    version = registry.get("deepcore:farthest").info.version
    clone(SOURCES)
    assert registry.get("deepcore:farthest").info.version == version
    clone(SOURCES | {"methods/chosen.py": METHODS.replace("-size", "size")})
    assert registry.get("deepcore:farthest").info.version != version


def test_what_fails_inside_is_said_in_words(clone: Clone) -> None:
    clone(SOURCES | {"methods/chosen.py": METHODS + "\nraise RuntimeError('operator torchvision::nms does not exist')"})
    with pytest.raises(CoresetBenchError, match=r"DeepCore cannot be imported .*nms does not exist.*torchvision"):
        answer("farthest", 3)
    with pytest.raises(CoresetBenchError, match=r"read images \[C, H, W\]; these samples have 1 axes"):
        answer("farthest", 3, context(pixels=np.ones((60, 5), dtype=np.float32)))
    spoiled = np.ones((60, 1, 4, 4), dtype=np.float32)
    spoiled[3] = np.nan
    with pytest.raises(CoresetBenchError, match="'pixels' is NaN"):
        answer("farthest", 3, context(pixels=spoiled))


def test_pixels_are_the_images_as_they_are() -> None:
    from methods.signals import get_signal
    from methods.signals.recorder import Recorder

    class Half(torch.nn.Module):
        def features(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(1)

        def head(self, features: torch.Tensor) -> torch.Tensor:
            return features[:, :2]

    x = torch.rand(10, 3, 4, 4)
    recorder = Recorder([get_signal("pixels")], 10, epochs=1, seed=0)
    batches = [(x[ids], torch.zeros(len(ids), dtype=torch.int64), ids) for ids in torch.randperm(10).split(4)]
    recorder.snapshot(0, batches, Half())
    np.testing.assert_array_equal(recorder.arrays()["pixels"], x.numpy())
