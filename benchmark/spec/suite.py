"""What one run covers: regimes, rows, random draws, and the suite that holds them."""

from typing import Annotated, Literal

from pydantic import Field, PlainValidator, model_validator

from benchmark.spec.attacks import Attacks
from benchmark.spec.base import FULL, Pixels, Positive, Scalar, Share, Spec, ratio
from benchmark.spec.training import Clock, DatasetSpec, Training, Tuned, Tuning
from methods.errors import unknown

CALIBRATE = "calibrate"  # a primary epsilon that a run measures for itself
UNIFORM = "uniform"  # the null of picks from the whole pool
NULL = "null:"  # how the names of nulls begin, which are no rows


def _primary(value: object) -> float | str:
    if value == CALIBRATE:
        return CALIBRATE
    number = ratio(value)
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise ValueError(f'write one of epsilons, or "{CALIBRATE}"')
    return float(number)


Primary = Annotated[float | Literal["calibrate"], PlainValidator(_primary)]


class Regime(Training):
    """One way of training the targets, and the radii at which they are attacked.

    `primary` is the one that rows are compared at: where `random` at the middle fraction keeps about half of its clean
    accuracy on `tune`. "calibrate" leaves the choice among `epsilons` to a measurement, the first stage of a run.
    """

    epsilons: Annotated[tuple[Pixels, ...], Field(min_length=1)]
    primary: Primary
    tuned: tuple[Tuned, ...] = ()

    def at(self, fraction: float) -> "Regime":
        """The regime with the recipe that was tuned for that fraction on its clock, if any was."""
        for tuned in self.tuned:
            if (tuned.fraction, tuned.clock) == (fraction, self.recipe.clock):
                return self.model_copy(update={"recipe": tuned.of(self.recipe)})
        return self

    @model_validator(mode="after")
    def _check(self) -> "Regime":
        places = [(tuned.fraction, tuned.clock) for tuned in self.tuned]
        for fraction, clock in places:
            if places.count((fraction, clock)) > 1:
                raise ValueError(f"tuned names the fraction {fraction:g} on the clock '{clock}' twice")
        for tuned in self.tuned:
            if tuned.epochs and (tuned.clock != "epochs" or tuned.epochs < self.recipe.epochs):
                raise ValueError(
                    f"tuned has {tuned.epochs} epochs at {tuned.fraction:g}: there may be more than the recipe has, "
                    "which budgets are counted in, and on the clock 'epochs' alone"
                )
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
    `proxy_seeds` is for suites too dear for a proxy run in each replicate: how many runs there are of a proxy.
    Replicate r reads run r modulo that number, and the leaderboard says "conditional on the proxy".
    `first` are patterns of ROW/FRACTION/REGIME/REPLICATE, the most informative cells first: a run with a limit of time
    takes cells in the order of the first pattern that they match.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+:-]*$")]
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
    tuning: Tuning | None = None
    allowance: Annotated[float, Field(ge=0)] = 2.0
    proxy_seeds: dict[str, Positive] = {}
    first: tuple[str, ...] = ()

    def proxy_run(self, proxy: str, replicate: int) -> int:
        """Which run of a proxy a replicate reads: its own, or one that it shares with others."""
        return replicate % self.proxy_seeds.get(proxy, replicate + 1)

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
        for name in self.proxy_seeds:
            if name not in self.proxies:
                raise ValueError(str(unknown("proxy in proxy_seeds", name, self.proxies)))
        for attack, where in (("autoattack", self.attacks.autoattack), ("guard", self.attacks.guard)):
            for name in (where and where.rows) or ():
                if name not in (*names, FULL):
                    raise ValueError(str(unknown(f"row in attacks.{attack}.rows", name, names)))
            for name in (where and where.regimes) or ():
                if name not in self.on_clocks():
                    raise ValueError(str(unknown(f"regime in attacks.{attack}.regimes", name, self.on_clocks())))
            for fraction in (where and where.fractions) or ():
                if fraction not in self.fractions:
                    raise ValueError(f"attacks.{attack} names the fraction {fraction:g}, which the suite does not have")
            for replicate in (where and where.replicates) or ():
                if replicate >= self.replicates:
                    raise ValueError(f"attacks.{attack} names replicate {replicate} of 0 to {self.replicates - 1}")
        for name in names:
            if name.startswith(NULL):
                raise ValueError(f"row '{name}': names that begin with '{NULL}' are those of random draws; label it")
        for name in self.nulls.rows if self.nulls else ():
            if name not in names:
                raise ValueError(str(unknown("row in nulls.rows", name, names)))
        for fraction in (self.nulls.fractions if self.nulls else None) or ():
            if fraction not in self.fractions:
                raise ValueError(f"nulls names the fraction {fraction:g}, which the suite does not have")
        for fraction in [t.fraction for r in self.regimes.values() for t in r.tuned] + list(
            (self.tuning.fractions if self.tuning else None) or ()
        ):
            if fraction not in (*self.fractions, 1):
                raise ValueError(f"tuning names the fraction {fraction:g}, which the suite does not have")
        if not self.fractions or not self.regimes or not self.rows:
            raise ValueError("a suite needs at least one row, one fraction and one regime")
        if list(self.fractions) != sorted(set(self.fractions)):
            raise ValueError("fractions must be in ascending order, each once")
        if len({f"{fraction:g}" for fraction in self.fractions}) < len(self.fractions):
            raise ValueError("fractions must differ in their first six digits, by which cells are named")
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
