"""The methods of the DeepCore library (Guo et al. 2022, arXiv:2204.08499) behind this interface, as `deepcore:NAME`.

They are there if DeepCore is: a clone of https://github.com/PatrickZH/DeepCore on PYTHONPATH. (The package `deepcore`
of PyPI is another project.) Its code runs as it is, faults included; `coreset-bench check deepcore:NAME` says which
promises a method breaks.

    CLASS(dst_train, args, fraction=k / n, random_seed=..., **options).select()

What is different from other methods: DeepCore trains a proxy of its own by its own recipe, so that a row does not share
the suite's, and reads nothing but images and labels. Its command's defaults are kept (40 epochs of SGD, learning rate
0.1, momentum 0.9, weight decay 5e-4, batches of 256, balanced over classes), images are standardised by channel.

What the adapter adds:
- Samples are shown in an order drawn by the generator, and classes without a sample are left out: position decides
nothing, and no class is empty. Global random states are seeded from the generator, and put back.
- Exactly k: DeepCore rounds class by class (and its Craig, Glister and Submodular fail where a class's share rounds to
0). From too many picks, k drawn by the generator are kept. Too few are filled
up with others drawn by the generator, at weight 0 where there are weights. The diagnostic `deepcore_returned` says how
many there were.
- Nothing is downloaded: k-center greedy trains its proxy instead of fetching one. CAL cannot do without, and fails. So
does DeepFool without a GPU, by a fault that shows there alone.
- `Full` is left out: it answers with all samples whatever was asked.

Cost: one training of `epochs` epochs (ten for GraNd) for each budget anew, and a copy of the images.
"""

import hashlib
import importlib
import random
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from methods.api import Budget, Context, Coreset, Floats, Integers
from methods.errors import CoresetBenchError
from methods.gradients import finite
from methods.registry import lacking, subset

if TYPE_CHECKING:
    from torch import Tensor

PREFIX = "deepcore"
BASES = ("CoresetMethod", "EarlyTrain")  # no methods themselves
CLASS = re.compile(r"^class (\w+)\((\w+)\):", re.MULTILINE)
GET_IT = "clone https://github.com/PatrickZH/DeepCore and put the clone on PYTHONPATH"
RESNET = {(1, 28, 28), (3, 32, 32), (1, 224, 224), (3, 224, 224)}  # the images that DeepCore has a ResNet18 for


def register_all() -> None:
    """Registers every method of the library that PYTHONPATH offers, or says how to get it. Imports nothing of it."""
    spec = find_spec(PREFIX)
    places = [Path(place) / "methods" for place in (spec and spec.submodule_search_locations) or ()]
    files = sorted(file for place in places for file in place.rglob("*.py"))
    if spec is None:
        lacking(PREFIX, f"The methods 'deepcore:NAME' need DeepCore, which is not installed: {GET_IT}.")
    elif not files:
        lacking(
            PREFIX,
            "The methods 'deepcore:NAME' need DeepCore, and the installed package 'deepcore' is another project: "
            f"{GET_IT}, before that one.",
        )
    texts = [file.read_text(encoding="utf-8") for file in files]
    version = int.from_bytes(hashlib.blake2b("".join(texts).encode(), digest_size=4).digest())  # an edit makes another
    bases = {name: base for text in texts for name, base in CLASS.findall(text)}
    for text in texts:
        for name, _ in CLASS.findall(text):
            if name not in (*BASES, "Full") and _is_method(name, bases):
                register_one(name, version, weighted='"weights"' in text)


def _is_method(name: str, bases: dict[str, str]) -> bool:
    while name in bases and name not in BASES:
        name = bases[name]
    return name in BASES


def register_one(name: str, version: int, weighted: bool) -> None:
    """Registers one class of the library."""

    def select(
        context: Context,
        budget: Budget,
        *,
        network: str = "auto",
        epochs: int = 40,
        balance: bool = True,
        selection_method: str = "Entropy",
        function: str = "GraphCut",
        greedy: str = "LazyGreedy",
    ) -> Coreset:
        """DeepCore's own method, on a proxy that it trains itself.

        `network` is one of DeepCore's; "auto" is ResNet18 for images of 28 x 28 in grey, 32 x 32 in colour and
        224 x 224, and MLP for others. `selection_method` is for Uncertainty, `function` for Submodular, `greedy` for
        Craig, Glister and Submodular.
        """
        options = {"balance": balance, "selection_method": selection_method, "function": function, "greedy": greedy}
        return ask(name, context, budget, network, {"epochs": epochs, **options})

    subset(
        f"{PREFIX}:{name.lower()}",
        needs="pixels",
        summary=f"DeepCore's {name}, on a proxy that it trains itself.",
        stochastic=True,
        weighted=weighted,
        trains=True,
        paper="Guo et al., DeepCore, 2022, arXiv:2204.08499",
        version=version,
    )(select)


def ask(name: str, context: Context, budget: Budget, network: str, options: dict[str, Any]) -> Coreset:
    """Shows the training set to a class of DeepCore and makes its answer exactly k picks."""
    import torch

    shuffle = context.rng.permutation(context.n)
    pixels = finite(context.signals, "pixels")[shuffle]
    classes, targets = np.unique(context.labels[shuffle], return_inverse=True)
    if pixels.ndim != 4:
        raise CoresetBenchError(
            f"DeepCore's networks read images [C, H, W]; these samples have {pixels.ndim - 1} axes."
        )
    axes = (0, 2, 3)
    spread = pixels.std(axis=axes, keepdims=True)
    pixels = (pixels - pixels.mean(axis=axes, keepdims=True)) / np.where(spread > 0, spread, 1)
    shown = Images(torch.from_numpy(pixels).float(), torch.from_numpy(targets), [str(c) for c in classes])
    if network == "auto":
        network = "ResNet18" if pixels.shape[1:] in RESNET else "MLP"
    seed = int(context.rng.integers(2**31))
    with own_randomness(seed), numpy_of_its_time(), redirect_stdout(StringIO()):  # it prints each step
        method = _class(name)(
            shown,
            arguments(shown, network, context.device),
            fraction=budget.fraction,
            random_seed=seed,
            specific_model=network,
            torchvision_pretrain=False,
            **options,
        )
        answer = method.select()
    picks = np.asarray(answer["indices"]).astype(np.int64)
    given = np.asarray(answer["weights"], dtype=np.float64) if "weights" in answer else None
    chosen, weights = exactly(budget.k, picks, given, context)
    return Coreset(shuffle[chosen], weights, {"deepcore_returned": len(picks)})


def _class(name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"{PREFIX}.methods"), name)
    except Exception as error:  # importing someone's package may fail in any way
        raise CoresetBenchError(
            f"DeepCore cannot be imported ({type(error).__name__}: {error}); it needs torchvision as well."
        ) from error


def exactly(k: int, picks: Integers, weights: Floats | None, context: Context) -> tuple[Integers, Floats | None]:
    """The picks made k by dropping or adding some that the generator draws; those added have weight 0.

    Where no pick is left that weighs anything, all weigh 1.
    """
    if len(picks) > k:
        kept = np.sort(context.rng.permutation(len(picks))[:k])
        picks, weights = picks[kept], None if weights is None else weights[kept]
    added = context.rng.permutation(np.setdiff1d(np.arange(context.n), picks))[: k - len(picks)]
    if weights is not None:
        weights = np.append(weights, np.zeros(len(added))) if weights.any() else np.ones(k)
    return np.append(picks, added), weights


@dataclass(eq=False)
class Images:
    """A training set as DeepCore reads one: standardised images [n, C, H, W], targets [n] and names of classes."""

    images: "Tensor"
    targets: "Tensor"
    classes: list[str]
    transform: Callable[["Tensor"], "Tensor"] = lambda image: image

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, i: int) -> "tuple[Tensor, int]":
        return self.transform(self.images[i]), int(self.targets[i])


def arguments(shown: Images, network: str, device: str) -> SimpleNamespace:
    """All that DeepCore's methods read of its command's arguments, with the command's defaults."""
    return SimpleNamespace(
        device=device,
        gpu=None,
        model=network,
        channel=shown.images.shape[1],
        im_size=tuple(shown.images.shape[2:]),
        num_classes=len(shown.classes),
        class_names=shown.classes,
        lr=0.1,
        workers=0,
        print_freq=20,
        selection_batch=256,
        selection_optimizer="SGD",
        selection_lr=0.1,
        selection_momentum=0.9,
        selection_weight_decay=5e-4,
        selection_nesterov=True,
        selection_test_interval=0,
        selection_test_fraction=1.0,
    )


@contextmanager
def own_randomness(seed: int) -> Iterator[None]:
    """Seeds the global generators of Python, NumPy and torch for a while, and puts back what they were."""
    import torch

    python, numpy = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)


def numpy_of_its_time() -> AbstractContextManager[Any]:
    """Lends NumPy a name that it has dropped and DeepCore calls."""
    from unittest.mock import patch  # here, as it takes a tenth of the time in which methods are listed

    return patch.object(np, "in1d", np.isin, create=True)


register_all()
