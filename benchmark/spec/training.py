"""Data, recipes, and what a recipe trains."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer

from benchmark.provenance import processor
from benchmark.spec.base import Pixels, Positive, Share, Spec

Clock = Literal["epochs", "steps", "cost"]
Optimiser = Literal["sgd", "adamw"]


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

    `optimiser` is SGD with momentum, or AdamW (Loshchilov and Hutter 2019), whose weight decay is decoupled from the
    gradient and whose first average forgets as `momentum` says.

    `max_norm` is the length to which a longer gradient is cut (Pascanu et al. 2013); None leaves every one as it is.

    `precision` may be "auto": bfloat16 where this machine's processor has units for it, float32 elsewhere. `compile` is
    torch's, of the network below its last layer.
    """

    objective: Literal["standard", "trades"] = "standard"
    epochs: Positive
    clock: Clock = "epochs"
    batch_size: Positive = 128
    optimiser: Optimiser = "sgd"
    lr: Annotated[float, Field(gt=0)] = 0.1
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = True
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4
    max_norm: Annotated[float | None, Field(gt=0)] = None
    schedule: Literal["one-cycle", "cosine", "constant"] = "one-cycle"
    augment: Augment = Augment()
    channels_last: bool = False
    precision: Precision = "float32"
    compile: bool = False
    epsilon: Pixels = 8 / 255
    inner_steps: Positive = 10
    inner_step_size: Pixels = 2 / 255
    beta: Annotated[float, Field(ge=0)] = 6.0

    @model_serializer(mode="wrap")
    def _without_the_unset(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Recipes that cut no gradient, and those of SGD, keep the keys that they had before there were others."""
        values: dict[str, Any] = dump(self)
        unset = {"max_norm": None, "optimiser": "sgd"}
        return {name: value for name, value in values.items() if name not in unset or value != unset[name]}

    @property
    def passes(self) -> tuple[int, int]:
        """How often one presentation of a sample goes forward, and backward, through the network."""
        return (self.inner_steps + 4, self.inner_steps + 2) if self.objective == "trades" else (1, 1)

    @property
    def work(self) -> int:
        """The same in forward-equivalents: a backward pass counts as two."""
        forward, backward = self.passes
        return forward + 2 * backward


class Tuned(Spec):
    """What a regime's recipe has instead at one fraction (1 is the full pool) on one clock; None leaves it as it is.

    `coreset-bench tune` finds these on random coresets, and all rows share them.
    """

    fraction: Share
    clock: Clock = "epochs"
    epochs: Positive | None = None
    optimiser: Optimiser | None = None
    lr: Annotated[float | None, Field(gt=0)] = None
    weight_decay: Annotated[float | None, Field(ge=0)] = None

    def of(self, recipe: Recipe) -> Recipe:
        """The recipe with these in it."""
        changes = self.model_dump(include={"epochs", "optimiser", "lr", "weight_decay"}, exclude_none=True)
        return recipe.model_copy(update=changes)


class Rates(Spec):
    """Learning rates, and weight decays, of an optimiser."""

    lr: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]
    weight_decay: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)]


class Tuning(Spec):
    """What `coreset-bench tune` tries: values of one hyperparameter after the other, in this order.

    `lr` and `weight_decay` are those of the recipe's own optimiser. AdamW is tried at each of its rates with the first
    of its decays, and where it is taken, with the others. Each recipe is trained on `replicates` random coresets at
    each of `fractions` (None: all, and the full pool) and judged on images of `tune`. More epochs are tried only where
    that presents no more samples than the suite's largest coreset does by the recipe as written.
    """

    replicates: Annotated[int, Field(ge=2)] = 5
    fractions: tuple[Share, ...] | None = None
    epochs: tuple[Positive, ...] = ()
    lr: tuple[Annotated[float, Field(gt=0)], ...] = ()
    adamw: Rates | None = None
    weight_decay: tuple[Annotated[float, Field(ge=0)], ...] = ()


class Training(Spec):
    """A network and the recipe that trains it."""

    model: str
    recipe: Recipe
