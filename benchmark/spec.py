"""What an experiment is: frozen, validated specifications, read from the TOML files in `benchmark/suites`.

Everything that changes a number by design is a field here, and so part of the content address of the stages
that it touches. Lengths in image space (epsilon, step sizes) are in units of pixels in [0, 1] and may be
written as fractions ("8/255").
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator

from benchmark.provenance import processor
from methods.errors import UsageError, unknown

SUITES = Path(__file__).parent / "suites"
FULL = "full"  # the row of the full pool
CALIBRATE = "calibrate"  # a primary epsilon that a run measures for itself
UNIFORM = "uniform"  # the null of picks from the whole pool
NULL = "null:"  # how the names of nulls begin, which are no rows


def _ratio(value: object) -> object:
    """ "8/255" as a number; what is no ratio is left for pydantic to judge."""
    if not isinstance(value, str) or "/" not in value:
        return value
    numerator, denominator = map(float, value.split("/", 1))
    if denominator == 0:
        raise ValueError("the denominator is 0")
    return numerator / denominator


Pixels = Annotated[float, BeforeValidator(_ratio), Field(ge=0)]


def _primary(value: object) -> float | str:
    if value == CALIBRATE:
        return CALIBRATE
    ratio = _ratio(value)
    if isinstance(ratio, bool) or not isinstance(ratio, int | float):
        raise ValueError(f'write one of epsilons, or "{CALIBRATE}"')
    return float(ratio)


Primary = Annotated[float | Literal["calibrate"], PlainValidator(_primary)]
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[int, Field(gt=0)]
Scalar = int | float | str | bool
Clock = Literal["epochs", "steps", "cost"]


def _resolved(value: object) -> object:
    """The precision that "auto" stands for on this machine, so that what is keyed and recorded says what was used."""
    if value != "auto":
        return value
    return "bfloat16" if any(unit in processor() for unit in ("AVX512-BF16", "AMX")) else "float32"


Precision = Annotated[Literal["float32", "tf32", "bfloat16"], BeforeValidator(_resolved)]


class Spec(BaseModel):
    """A frozen value with no unknown keys; `canonical()` is what content addresses are made of."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def canonical(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


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


class PGD(Spec):
    """Projected gradient descent in the L-infinity ball; the step is `step_ratio` times epsilon."""

    steps: Positive = 20
    step_ratio: Annotated[float, Field(gt=0)] = 0.1
    restarts: Positive = 1
    batch_size: Positive = 512


class MarginPGD(Spec):
    """PGD on the margin between a wrong class and the label, once for each of the `targets` nearest wrong classes.

    Cross-entropy is a poor guide on a TRADES model whose probabilities are flat: there PGD on it was seen to read up to
    15 points too robust and to reverse the order of methods. On digits (a TRADES MLP, epsilon 0.2) PGD left 47.6 % of
    500 images robust, this 32.0 % with 3 targets and 31.8 % with 9; AutoAttack was a point below it.
    """

    steps: Positive = 20
    step_ratio: Annotated[float, Field(gt=0)] = 0.1
    targets: Positive = 3
    batch_size: Positive = 512


class Where(Spec):
    """The cells on which a costly attack is run: where fraction, replicate and row match.

    An empty list means none, None every one.
    """

    fractions: tuple[Share, ...] | None = None
    replicates: tuple[int, ...] | None = None
    rows: tuple[str, ...] | None = None

    def covers(self, row: str, fraction: float, replicate: int) -> bool:
        """Whether the cell is one of them. Full data counts as a row at every fraction asked for."""
        return (
            (self.fractions is None or fraction in self.fractions or (row == FULL and bool(self.fractions)))
            and (self.replicates is None or replicate in self.replicates)
            and (self.rows is None or row in self.rows)
        )


class AutoAttack(Where):
    """AutoAttack *standard* at the primary epsilon, on the first `test` test images (None: all of them).

    Its result depends on seed and batch size, so both are keyed.
    """

    test: Positive | None = None
    batch_size: Positive = 512


class Guard(Where):
    """Both of the suite's PGDs at the primary epsilon with `factor` times the steps and restarts, on few test images.

    What they find beyond the suite's own shows how far its robust accuracies can be trusted; `benchmark.masking` says
    how much is too much. On the first `images` test images; the margin is climbed `factor` times for each class.
    """

    images: Positive = 100
    factor: Positive = 10


class SmallestEpsilon(Spec):
    """Bounded bisection, image by image, for the smallest epsilon at which PGD on the margin succeeds.

    The grid is `levels` equal steps up to `bound` times the regime's largest epsilon.
    """

    bound: Annotated[float, Field(gt=0)] = 2.0
    levels: Annotated[int, Field(gt=0, lt=255)] = 127
    steps: Positive = 10
    step_ratio: Annotated[float, Field(gt=0)] = 0.2


class Attacks(Spec):
    """What every model meets. `folded`: with batch norm folded into its convolutions, channels last."""

    pgd: PGD = PGD()
    margin: MarginPGD | None = MarginPGD()
    autoattack: AutoAttack = AutoAttack(fractions=())
    guard: Guard | None = None
    smallest_epsilon: SmallestEpsilon = SmallestEpsilon()
    folded: bool = True
    test: Positive | None = None  # attack only the first `test` test images; None: all of them


class Training(Spec):
    """A network and the recipe that trains it."""

    model: str
    recipe: Recipe


class Regime(Training):
    """One way of training the targets, and the radii at which they are attacked.

    `primary` is the one that rows are compared at: where `random` at the middle fraction keeps about half of its clean
    accuracy on `tune`. "calibrate" leaves the choice among `epsilons` to a measurement, the first stage of a run.
    """

    epsilons: tuple[Pixels, ...]
    primary: Primary

    @model_validator(mode="after")
    def _check(self) -> "Regime":
        if self.primary != CALIBRATE and self.primary not in self.epsilons:
            raise ValueError(f"primary epsilon {self.primary} is not one of epsilons {self.epsilons}")
        return self


class Row(Spec):
    """A row of the table: a method, perhaps under another policy or with other parameters.

    `proxy` names the proxy (a key of the suite's `proxies`) whose trace the method reads. `weights = false` trains on
    the picks of a method that weighs them as if all counted alike.
    """

    method: str
    policy: str | None = None
    params: dict[str, Scalar] = {}
    proxy: str = "standard"
    weights: bool = True
    label: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """A row may be written as its method alone, and a method as METHOD@POLICY."""
        row = {"method": value} if isinstance(value, str) else value
        if isinstance(row, dict) and "@" in str(row.get("method", "")):
            method, _, policy = row["method"].partition("@")
            if row.get("policy") not in (None, policy):
                raise ValueError(f"the row '{row['method']}' names another policy, {row['policy']}")
            return {**row, "method": method, "policy": policy}
        return row

    @property
    def spelled(self) -> str:
        """`method` or `method@policy`, as the registry reads it."""
        return f"{self.method}@{self.policy}" if self.policy else self.method

    @property
    def name(self) -> str:
        """The label that the tables print: unique in a suite."""
        if self.label:
            return self.label
        notes = [f"{key}={value}" for key, value in self.params.items()]
        if self.proxy != "standard":
            notes.append(f"{self.proxy} proxy")
        if not self.weights:
            notes.append("unweighted")
        return f"{self.spelled} ({', '.join(notes)})" if notes else self.spelled


# The comparisons that Holm adjusts as one family over all regimes of a suite, each on means over its fractions: every
# pair of rows, which rank intervals speak of; or every row with `random`, fewer, which say less of ranks.
Family = Literal["pairs", "baseline"]


class Nulls(Spec):
    """Random coresets, each trained once, that rows are held against: what chance alone would give.

    `draws` from the whole pool at every fraction of the suite and in every regime that it declares (not again for each
    clock); and for each of `rows` as many with the class counts of its own coresets, at `fractions` (None: all).
    """

    draws: Annotated[int, Field(ge=2)] = 100
    rows: Annotated[tuple[str, ...], Field(max_length=6)] = ()
    fractions: tuple[Share, ...] | None = None


class Suite(Spec):
    """What one run covers. Cells are rows x fractions x regimes x replicates, plus full data.

    `family` names the comparisons that are adjusted for their number. `nulls` adds random draws to hold rows against.
    `clocks` adds to each regime one more for each clock that is not its own, named REGIME@CLOCK: see `on_clocks`.
    `allowance` is read by the clock "cost": what every row may spend beside equal epochs of its coreset, in trainings
    of the standard proxy on the whole pool. What a row's proxies and signals leave of it goes into its training. Two
    are a proxy, and a forward and a backward pass over the pool after each of its epochs: what EasyCore spends.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]*$")]
    version: Positive
    description: str
    dataset: DatasetSpec
    proxies: dict[str, Training] = {}
    regimes: dict[str, Regime]
    fractions: tuple[Share, ...]
    replicates: Positive
    rows: tuple[Row, ...]
    full: bool = True
    attacks: Attacks = Attacks()
    nulls: Nulls | None = None
    family: Family = "pairs"
    clocks: tuple[Clock, ...] = ()
    allowance: Annotated[float, Field(ge=0)] = 2.0

    def on_clocks(self) -> "dict[str, Regime]":
        """Every regime that is trained: the declared ones on their own clock, then each of them on the further clocks.

        A further one is declared by its name, "standard@cost": `name.partition("@")` gives the regime and the clock.
        """
        found = dict(self.regimes)
        for clock in self.clocks:
            for name, regime in self.regimes.items():
                if regime.recipe.clock != clock:
                    recipe = regime.recipe.model_copy(update={"clock": clock})
                    found[f"{name}@{clock}"] = regime.model_copy(update={"recipe": recipe})
        return found

    @property
    def middle(self) -> float:
        """The middle fraction, at which primary epsilons are calibrated."""
        return self.fractions[len(self.fractions) // 2]

    @model_validator(mode="after")
    def _check(self) -> "Suite":
        names = [row.name for row in self.rows]
        if FULL in names:
            raise ValueError(f"'{FULL}' is the row of the full pool; give the row another label")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two rows are called '{name}'; give one of them a label")
        for row in self.rows:
            if row.proxy not in self.proxies and (self.proxies or row.proxy != "standard"):
                raise ValueError(f"row '{row.name}' reads proxy '{row.proxy}', which [proxies] does not declare")
        for attack, where in (("autoattack", self.attacks.autoattack), ("guard", self.attacks.guard)):
            for name in (where and where.rows) or ():
                if name not in (*names, FULL):
                    raise ValueError(str(unknown(f"row in attacks.{attack}.rows", name, names)))
            for fraction in (where and where.fractions) or ():
                if fraction not in self.fractions:
                    raise ValueError(f"attacks.{attack} names the fraction {fraction:g}, which the suite does not have")
        for name in names:
            if name.startswith(NULL):
                raise ValueError(f"row '{name}': names that begin with '{NULL}' are those of random draws; label it")
        for name in self.nulls.rows if self.nulls else ():
            if name not in names:
                raise ValueError(str(unknown("row in nulls.rows", name, names)))
        for fraction in (self.nulls.fractions if self.nulls else None) or ():
            if fraction not in self.fractions:
                raise ValueError(f"nulls names the fraction {fraction:g}, which the suite does not have")
        if not self.fractions or not self.regimes or not self.rows:
            raise ValueError("a suite needs at least one row, one fraction and one regime")
        if list(self.fractions) != sorted(set(self.fractions)):
            raise ValueError("fractions must be in ascending order, each once")
        self._check_clocks()
        return self

    def _check_clocks(self) -> None:
        for name in self.regimes:
            if "@" in name:
                raise ValueError(f"the regime '{name}' reads as one on a clock of its own; drop the '@' from its name")
        if len(set(self.clocks)) < len(self.clocks):
            raise ValueError("clocks must be named once each")
        charged = [regime for regime in self.on_clocks().values() if regime.recipe.clock == "cost"]
        if not charged:
            return
        if "standard" not in self.proxies:
            raise ValueError("the clock 'cost' shares out what a standard proxy costs; declare [proxies.standard]")
        for training in self.proxies.values():
            if other := next((regime.model for regime in charged if regime.model != training.model), None):
                raise ValueError(
                    f"the clock 'cost' counts passes through one network, and this suite has proxies of "
                    f"'{training.model}' beside models of '{other}'; drop that clock"
                )


def suite_names() -> list[str]:
    """The suites that ship with the package."""
    return sorted(path.stem for path in SUITES.glob("*.toml"))


def load_suite(name: str) -> Suite:
    """The suite of that name, or the one in the TOML file of that path.

    Raises:
        UsageError: no such suite, unreadable TOML, or a key or value that the specification does not allow.
    """
    path = Path(name) if name.endswith(".toml") else SUITES / f"{name}.toml"
    if not path.is_file():
        if name.endswith(".toml"):
            raise UsageError(f"There is no suite file '{name}'; name an existing file or one of {suite_names()}.")
        raise unknown("suite", name, suite_names())
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from None
    return validated_suite(values, str(path))


def validated_suite(values: Mapping[str, Any], where: str) -> Suite:
    """The suite of these values, which come from `where`.

    Raises:
        UsageError: the first fault, in one sentence.
    """
    try:
        return Suite.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{where}: {explain(error, Suite)}") from None


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault of a pydantic error as one sentence, with the nearest key for an unknown one."""
    faults = error.errors()
    # A misspelt key is the cause where the right one is missing too.
    fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        parent: Any = model
        for part in fault["loc"][:-1]:
            parent = _inner(parent, part)
        known = parent.model_fields if isinstance(parent, type) and issubclass(parent, BaseModel) else {}
        return str(unknown("key", str(fault["loc"][-1]), known)) + f" (at '{where}')"
    if fault["type"] == "missing":
        return f"the key '{where}' is missing; add it."
    message = fault["msg"].removeprefix("Value error, ")
    if message.endswith(("?", ".")) or isinstance(fault["input"], dict):
        return f"'{where}': {message}" if where else f"{message.rstrip('.')}."
    return f"'{where}': {message} (got {fault['input']!r})."


def _inner(model: Any, part: int | str) -> Any:
    """The model that validates one step further down a location."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        field = model.model_fields.get(str(part))
        annotation: Any = field.annotation if field else None
        if not isinstance(annotation, UnionType):
            return annotation
        return next((a for a in annotation.__args__ if a is not type(None)), None)
    arguments = getattr(model, "__args__", ())
    return next((a for a in reversed(arguments) if isinstance(a, type) and issubclass(a, BaseModel)), None)
