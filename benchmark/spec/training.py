"""Data, recipes, and what a recipe trains."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from benchmark.provenance import processor
from benchmark.spec.base import Pixels, Positive, Spec

Clock = Literal["epochs", "steps", "cost"]


def _resolved(value: object) -> object:
    """The precision that "auto" stands for on this machine, so that what is keyed and recorded says what was used."""
    if value != "auto":
        return value
    return "bfloat16" if any(unit in processor() for unit in ("AVX512-BF16", "AMX")) else "float32"


Precision = Annotated[Literal["float32", "tf32", "bfloat16"], BeforeValidator(_resolved)]


class DatasetSpec(Spec):
    """A registered data set and how much of it is used.

    `train` and `test` limit the pool and the test images to a class-stratified part; None is all of them.
    `tune` and `select` are the sizes of the two parts held out of train (None: the registry's own).
    `size` is the side in pixels to which images of a folder are resized (None: the registry's own).
    """

    name: str
    train: Positive | None = None
    test: Positive | None = None
    tune: Positive | None = None
    select: Positive | None = None
    size: Positive | None = None


class Augment(Spec):
    """Whole-batch augmentation: zero-pad and crop, mirror, or (streamed images) random resized crop."""

    pad: Annotated[int, Field(ge=0)] = 0
    flip: bool = False
    resized_crop: bool = False


class Recipe(Spec):
    """How a model is trained. `epsilon` and what follows it are read by TRADES alone.

    `clock` states the budget: "epochs" gives every coreset the same number of passes over itself; "steps"
    gives it as many optimiser steps as that number of passes over the full pool would take; "cost" gives it what the
    row's own proxies and signals leave of a budget that is the same for all rows (`Suite.allowance`).

    `precision` may be "auto": bfloat16 where this machine's processor has units for it, float32 elsewhere. `compile` is
    torch's, of the network below its last layer.
    """

    objective: Literal["standard", "trades"] = "standard"
    epochs: Positive
    clock: Clock = "epochs"
    batch_size: Positive = 128
    lr: Annotated[float, Field(gt=0)] = 0.1
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    augment: Augment = Augment()
    channels_last: bool = False
    precision: Precision = "float32"
    compile: bool = False
    epsilon: Pixels = 8 / 255
    inner_steps: Positive = 10
    inner_step_size: Pixels = 2 / 255
    beta: Annotated[float, Field(ge=0)] = 6.0

    @property
    def passes(self) -> tuple[int, int]:
        """How often one presentation of a sample goes forward, and backward, through the network."""
        return (self.inner_steps + 4, self.inner_steps + 2) if self.objective == "trades" else (1, 1)

    @property
    def work(self) -> int:
        """The same in forward-equivalents: a backward pass counts as two."""
        forward, backward = self.passes
        return forward + 2 * backward


class Training(Spec):
    """A network and the recipe that trains it."""

    model: str
    recipe: Recipe
