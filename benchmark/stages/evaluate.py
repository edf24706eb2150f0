"""Test images against one model: clean accuracy and each attack, as a verdict for every image.

An evaluation is a function of (model, x, y, ids, spec, number of classes); its spec is that of its outcome stage.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmark.attacks import CountedModel, autoattack, correct, guard, margin_pgd, pgd, smallest_epsilon
from benchmark.data import Batch, Dataset
from benchmark.models.classifier import Classifier
from benchmark.models.folded import folded
from benchmark.provenance import peak_bytes, provenance
from benchmark.spec import PGD, AutoAttack, MarginPGD, SmallestEpsilon
from benchmark.stages.stopwatch import stopwatch
from benchmark.store import Artifact

BATCH = 512
IMAGE_BYTES = 2**30  # test images in memory at once, as float32

Spec = Mapping[str, Any]
Notes = dict[str, Any]
Made = tuple[dict[str, Tensor], Notes]


def evaluate(spec: Spec, model: Classifier, data: Dataset) -> Artifact:
    """The attack that `spec` names, on the test images that it names.

    Arrays have the test images on their last axis; `notes` are shares of images, averaged over parts, or lists.
    """
    attack = spec["attack"]
    seconds = stopwatch(next(model.parameters()).device.type)
    counted = CountedModel(folded(model) if spec["folded"] else model)
    parts: list[tuple[dict[str, Tensor], Notes, int]] = []
    for x, y, ids in _test_batches(data, spec.get("images")):
        parts.append((*EVALUATIONS[attack](counted, x, y, ids, spec, data.num_classes), len(y)))
    names = parts[0][0]
    arrays = {name: np.concatenate([made[name].cpu().numpy() for made, *_ in parts], axis=-1) for name in names}
    meta: dict[str, Any] = {
        "seconds": seconds(),
        "forward": counted.forwards,
        "backward": counted.backwards,
        "peak_bytes": peak_bytes(),
        "provenance": provenance(str(x.device)),
        "notes": _joined([(notes, count) for _, notes, count in parts]),
    }
    if attack == "clean":
        right = data.test.labels.numpy()[arrays["bits"]]
        meta["clean_by_class"] = np.bincount(right, minlength=data.num_classes).tolist()
    return Artifact(arrays, meta)


def _test_batches(data: Dataset, count: int | None) -> Iterator[Batch]:
    """The first `count` test images: all at once where they fit, since AutoAttack's verdicts depend on batches."""
    ids = torch.arange(min(count or len(data.test), len(data.test)))
    fit = IMAGE_BYTES // (4 * int(np.prod(data.shape)))
    return data.test.batches(ids, max(BATCH, fit // BATCH * BATCH))


def _joined(parts: list[tuple[Notes, int]]) -> Notes:
    """Shares averaged over all images; lists, which are the same in every part, as they are."""
    images = sum(count for _, count in parts)
    return {
        name: value if isinstance(value, list) else sum(notes[name] * count for notes, count in parts) / images
        for name, value in parts[0][0].items()
    }


def _clean(model: CountedModel, x: Tensor, y: Tensor, ids: Tensor, spec: Spec, classes: int) -> Made:
    return {"bits": correct(model, x, y, BATCH)}, {}


def _pgd(model: CountedModel, x: Tensor, y: Tensor, ids: Tensor, spec: Spec, classes: int) -> Made:
    attack = PGD.model_validate({name: spec[name] for name in PGD.model_fields})
    return {"bits": pgd(model, x, y, spec["epsilons"], attack, spec["seed"], ids)}, {}


def _margin(model: CountedModel, x: Tensor, y: Tensor, ids: Tensor, spec: Spec, classes: int) -> Made:
    attack = MarginPGD.model_validate({name: spec[name] for name in MarginPGD.model_fields})
    return {"bits": margin_pgd(model, x, y, spec["epsilons"], attack, spec["seed"], ids)}, {}


def _radii(model: CountedModel, x: Tensor, y: Tensor, ids: Tensor, spec: Spec, classes: int) -> Made:
    attack = SmallestEpsilon.model_validate({name: spec[name] for name in SmallestEpsilon.model_fields})
    bound = attack.bound * spec["largest"]
    return {"levels": smallest_epsilon(model, x, y, bound, attack, spec["seed"], ids, BATCH)}, {}


def _autoattack(model: CountedModel, x: Tensor, y: Tensor, ids: Tensor, spec: Spec, classes: int) -> Made:
    attack = AutoAttack(batch_size=spec["batch_size"])
    result = autoattack(model, x, y, spec["epsilon"], attack, spec["seed"], classes)
    return dict(result.stages), {
        **asdict(result.signs),
        "square_gain": result.square_gain,
        "omitted": list(result.omitted),
    }


def _guard(model: CountedModel, x: Tensor, y: Tensor, ids: Tensor, spec: Spec, classes: int) -> Made:
    descent, climb = PGD.model_validate(spec["pgd"]), MarginPGD.model_validate(spec["margin"])
    stages, signs = guard(model, x, y, spec["epsilon"], descent, climb, spec["factor"], spec["seed"], ids)
    return stages, asdict(signs)


EVALUATIONS: dict[str, Callable[[CountedModel, Tensor, Tensor, Tensor, Spec, int], Made]] = {
    "clean": _clean,
    "pgd": _pgd,
    "margin": _margin,
    "radii": _radii,
    "autoattack": _autoattack,
    "guard": _guard,
}
