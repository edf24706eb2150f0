"""What a suite comes to: its cells in order, and the stages of each with their content addresses.

    data --> proxy --> signal --> coreset --> model --> outcome

Nothing is computed here and torch is not imported: planning is what `plan`, a second `run` and `explain` do.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmark.charges import Charge, affordable, allowance, presentations, proxy_run
from benchmark.data import fingerprint
from benchmark.models import model_names
from benchmark.randomness import derive_seed
from benchmark.records import Seeds
from benchmark.spec import (
    CALIBRATE,
    FULL,
    NULL,
    UNIFORM,
    Attacks,
    DatasetSpec,
    MarginPGD,
    Regime,
    Row,
    Suite,
    Training,
)
from benchmark.store import Store, content_key
from methods.api import HELD_OUT, Method, Scalar, check_params, epoch_index
from methods.dynamics import described
from methods.errors import UsageError, unknown
from methods.registry import get, source_hash
from methods.signals import get_signal, read_share

# Raise a stage's version when its code changes what it computes; a test pins each to its sources.
VERSIONS = {"data": 2, "proxy": 3, "signal": 2, "coreset": 2, "model": 3, "dynamic": 1, "outcome": 3, "calibration": 1}

OF_NULLS = ("clean", "pgd", "margin")  # what random draws meet: enough to hold a row's robust accuracy against them


@dataclass(frozen=True)
class Stage:
    """One stage: its spec, and the keys of what it is made from."""

    kind: str
    spec: Mapping[str, Any]
    parents: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        return content_key(self.kind, VERSIONS[self.kind], self.spec, self.parents)

    @property
    def described(self) -> dict[str, Any]:
        """What the store writes beside the result."""
        return {"kind": self.kind, "version": VERSIONS[self.kind], "spec": self.spec, "parents": self.parents}

    def done(self, store: Store) -> bool:
        return store.has(self.kind, self.key)


@dataclass(frozen=True)
class Data:
    """The data set as a part of keys."""

    spec: DatasetSpec
    fingerprint: str

    def canonical(self) -> dict[str, Any]:
        """In the key of every stage that loads the data; the version is the data stage's."""
        return {"dataset": self.spec.canonical(), "fingerprint": self.fingerprint, "version": VERSIONS["data"]}

    @property
    def stage(self) -> Stage:
        """What is known of the data once they have been loaded."""
        return Stage("data", self.canonical())


@dataclass(frozen=True)
class Trace:
    """One proxy run of `until` epochs, and the signals that are read from it ("select." marks the held-out part)."""

    proxy: Stage
    training: Training
    seed: int
    until: int
    signals: Mapping[str, Stage]

    def done(self, store: Store) -> bool:
        return all(stage.done(store) for stage in self.signals.values())


def make_trace(data: Data, training: Training, seed: int, until: int, needs: tuple[str, ...]) -> Trace:
    spec = {**data.canonical(), **training.canonical(), "seed": seed, "until": until}
    proxy = Stage("proxy", spec)
    signals = {}
    for need in needs:
        held_out = need.startswith(HELD_OUT)
        signal = get_signal(need.removeprefix(HELD_OUT))
        if signal.view == "training":
            raise UsageError(f"The signal '{need}' is of a model in training; dynamic methods alone may need it.")
        if held_out and signal.view == "online":
            raise UsageError(f"The signal '{need}' is recorded while training; the held-out part has snapshots only.")
        signal_spec = {"signal": signal.name, "source": signal.source_hash, "part": "select" if held_out else "train"}
        signals[need] = Stage("signal", signal_spec, {"proxy": proxy.key})
    return Trace(proxy, training, seed, until, signals)


@dataclass(frozen=True)
class Selection:
    """One method's choice at one fraction in one replicate; with `like`, random picks of that choice's class counts."""

    row: Row
    method: Method
    params: Mapping[str, Scalar]
    fraction: float
    seed: int
    traces: tuple[Trace, ...]
    coreset: Stage
    like: "Selection | None" = None

    @property
    def proxy_epochs(self) -> int:
        """The proxy epochs that this row would need alone."""
        needs = self.method.info.needs
        return sum(read_until(needs, self.params, trace.training) for trace in self.traces)

    @property
    def charges(self) -> list[Charge]:
        """What this row would need alone of each of its proxies, and of what is recorded on it."""
        needs = self.method.info.needs
        lengths = (read_until(needs, self.params, trace.training) for trace in self.traces)
        return [proxy_run(t.training, until, t.signals) for t, until in zip(self.traces, lengths, strict=True)]


def read_until(needs: Iterable[str], params: Mapping[str, Scalar], training: Training) -> int:
    """The epochs of a proxy that a method reads: up to the share `at` of its schedule, its own or its signals'."""
    return epoch_index(read_share(needs, params), training.recipe.epochs) + 1


def make_selection(
    data: Data, suite: Suite, row: Row, fraction: float, replicate: int, seed: int | None = None
) -> Selection:
    """`seed` is the replicate's own unless given.

    Raises UsageError for an unknown method, policy, parameter or signal.
    """
    method = get(row.spelled, row.params)
    params = check_params(method.info.name, row.params, method.info.params)
    needs = method.info.needs
    traces: list[Trace] = []
    if needs:
        if row.proxy not in suite.proxies:
            raise UsageError(f"Row '{row.name}' reads proxy '{row.proxy}', which [proxies] does not declare.")
        training = suite.proxies[row.proxy]
        count, read = int(params.get("proxies", 1)), read_until(needs, params, training)
        if count < 1:
            raise UsageError(f"Row '{row.name}' averages {count} proxies; it takes one at least.")
        for index in range(count):
            drawn = derive_seed("proxy", row.proxy, replicate, index)
            # The first proxy serves every method and runs to its end; further ones stop where they are read.
            until = read if index else training.recipe.epochs
            traces.append(make_trace(data, training, drawn, until, needs))
    seed = derive_seed("selection", replicate) if seed is None else seed
    spec = {
        "data": data.canonical(),
        "method": method.info.name,
        "version": method.info.version,
        "policy": getattr(method, "rule", None),  # in full, so that one coreset has one key however it is spelled
        "params": dict(params),
        "source": source_hash(method),
        "fraction": fraction,
        "seed": seed,
    }
    parents = {f"{name}/{i}": stage.key for i, trace in enumerate(traces) for name, stage in trace.signals.items()}
    return Selection(row, method, params, fraction, seed, tuple(traces), Stage("coreset", spec, parents))


def make_match(data: Data, like: Selection, seed: int) -> Selection:
    """Picks at random, of each class as many as `like` has."""
    row = Row(method="random", label=f"{NULL}{like.row.name}")
    spec = {"data": data.canonical(), "random": "class counts of the parent", "fraction": like.fraction, "seed": seed}
    coreset = Stage("coreset", spec, {"like": like.coreset.key})
    return Selection(row, get("random"), {}, like.fraction, seed, (), coreset, like)


@dataclass(frozen=True)
class Reselection:
    """A dynamic method that chooses anew in every epoch of one training; `spec` is its part of that model's key."""

    row: Row
    method: Any
    params: Mapping[str, Scalar]
    fraction: float
    seed: int
    spec: Mapping[str, Any]


def make_reselection(row: Row, fraction: float, replicate: int) -> Reselection:
    """Raises UsageError for an unknown method, policy, parameter or signal."""
    method = get(row.spelled, row.params)
    params = check_params(method.info.name, row.params, method.info.params)
    signals = {}
    for need in method.info.needs:
        signal = get_signal(need)
        if signal.view == "online":
            raise UsageError(f"'{row.method}' needs '{need}', which a proxy shows; a dynamic method reads snapshots.")
        signals[need] = signal.source_hash
    seed = derive_seed("selection", replicate)
    spec = {
        "method": method.info.name,
        "version": method.info.version,
        "params": dict(params),
        "source": source_hash(method),
        "signals": signals,
        "fraction": fraction,
        "selection_seed": seed,
        "weights": row.weights,
    }
    return Reselection(row, method, params, fraction, seed, spec)


@dataclass(frozen=True)
class Cell:
    """One trained and attacked model, on a coreset (`selection`), by a dynamic method (`reselection`) or on the pool.

    `null` marks a random draw that rows are held against, and `replicate` is then its number (see `Nulls`).
    `calibration` finds the regime's primary epsilon, where the suite leaves it to a measurement. On the clock "cost",
    `spare` is what the row's proxies and signals leave of the allowance, and `unaffordable` says why there is nothing
    to train where they leave too little.
    """

    suite: str
    name: str
    fraction: float
    regime_name: str
    regime: Regime
    replicate: int
    seeds: Seeds
    selection: Selection | None
    model: Stage
    outcomes: Mapping[str, Stage]
    calibration: Stage | None = None
    reselection: Reselection | None = None
    null: str = ""
    spare: Charge | None = None
    unaffordable: str = ""

    @property
    def id(self) -> str:
        return f"{self.suite}/{self.name}/{self.fraction:g}/{self.regime_name}/{self.replicate}"

    def stages(self) -> Iterator[Stage]:
        """Every stage that the cell's record is made from, upstream first."""
        if self.selection:
            for trace in self.selection.traces:
                yield from trace.signals.values()
            yield self.selection.coreset
        yield self.model
        if self.calibration:
            yield self.calibration
        yield from self.outcomes.values()

    def inputs(self) -> list[Stage]:
        """What must be there before it can be trained and attacked."""
        coreset = self.selection.coreset if self.selection else None
        return [stage for stage in (coreset, self.calibration) if stage]

    def done(self, store: Store) -> bool:
        if self.unaffordable:
            return True
        return all(stage.done(store) for stage in (*self.inputs(), self.model, *self.outcomes.values()))

    def presentations(self, k: int, pool: int, held_out: int) -> int | None:
        """How many samples the clock "cost" lets its training present; None on the other clocks."""
        return presentations(self.regime.recipe, k, self.spare, pool, held_out) if self.spare else None


@dataclass(frozen=True)
class Plan:
    """The cells of a suite in the replicates that were asked for."""

    suite: Suite
    data: Data
    cells: tuple[Cell, ...]
    replicates: tuple[int, ...]

    def traces(self) -> list[Trace]:
        """Each proxy run once, with all the signals that any cell reads from it."""
        joined: dict[str, Trace] = {}
        for selection in self.selections():
            for trace in selection.traces:
                known = joined.get(trace.proxy.key, trace)
                signals = {**known.signals, **trace.signals}
                joined[trace.proxy.key] = Trace(trace.proxy, trace.training, trace.seed, trace.until, signals)
        return list(joined.values())

    def selections(self) -> list[Selection]:
        """Each coreset once, those first whose class counts others take."""
        chosen = [cell.selection for cell in self.cells if cell.selection]
        return list({s.coreset.key: s for s in (*(s.like for s in chosen if s.like), *chosen)}.values())

    @cached_property
    def shared(self) -> dict[str, tuple[float, float]]:
        """What each coreset costs where all share their proxies, for each image of the pool and of the held-out part.

        A proxy run, with all that is recorded on it, is divided among the coresets that read it, in proportion to what
        each would need of it alone.
        """
        chosen, runs = self.selections(), {trace.proxy.key: trace for trace in self.traces()}
        shares = [
            (selection.coreset.key, trace.proxy.key, alone)
            for selection in chosen
            for trace, alone in zip(selection.traces, selection.charges, strict=True)
        ]
        alone = {key: sum((c for _, run, c in shares if run == key), Charge()) for key in runs}
        found = {selection.coreset.key: (0.0, 0.0) for selection in chosen}
        for coreset, key, own in shares:
            run = proxy_run(runs[key].training, runs[key].until, runs[key].signals)
            pool, held_out = found[coreset]
            pool += run.pool * own.pool / alone[key].pool
            held_out += run.held_out * own.held_out / (alone[key].held_out or 1)
            found[coreset] = pool, held_out
        return found

    def calibrations(self) -> list[Stage]:
        """Each calibration of a primary epsilon once."""
        return list({cell.calibration.key: cell.calibration for cell in self.cells if cell.calibration}.values())

    def only(self, cells: Iterable[Cell]) -> "Plan":
        """The same plan with some of its cells."""
        return replace(self, cells=tuple(cells))

    @cached_property
    def by_id(self) -> dict[str, Cell]:
        return {cell.id: cell for cell in self.cells}

    def find(self, cell_id: str) -> Cell:
        """The cell of that id.

        Raises:
            UsageError: no such cell, with the nearest name.
        """
        if cell_id not in self.by_id:
            raise unknown(f"cell of suite '{self.suite.name}'", cell_id, self.by_id)
        return self.by_id[cell_id]


def make_plan(
    suite: Suite, root: Path | None = None, known: str | None = None, replicates: Iterable[int] | None = None
) -> Plan:
    """The cells of a suite in plan order: full data first, then rows x fractions x regimes x replicates.

    `known` is the data's fingerprint where the caller has it already. `replicates`, which may lie beyond the suite's
    own number, are those to plan (None: the suite's). Random draws, which belong to no replicate, come last; other
    replicates than the suite's are planned without them.

    Raises:
        UsageError: an unknown method, data set, model, signal or parameter, data that is not there, or rows of both
            tracks.
    """
    require_one_track(suite)
    for training in (*suite.proxies.values(), *suite.regimes.values()):
        if training.model not in model_names():
            raise unknown("model", training.model, model_names())
    data = Data(suite.dataset, known or fingerprint(suite.dataset, root))
    chosen = tuple(range(suite.replicates) if replicates is None else replicates)
    cells = []
    for name, row, fractions in _rows(suite):
        for fraction in fractions:
            choices = {r: _choice(data, suite, row, fraction, r) if row else None for r in chosen}
            for regime_name, regime in suite.on_clocks().items():
                for replicate, choice in choices.items():
                    cells.append(_cell(suite, data, name, fraction, regime_name, regime, replicate, choice))
    if chosen == tuple(range(suite.replicates)):
        cells += _null_cells(suite, data)
    return Plan(suite, data, tuple(cells), chosen)


def _rows(suite: Suite) -> Iterator[tuple[str, Row | None, tuple[float, ...]]]:
    if suite.full:
        yield FULL, None, (1.0,)
    for row in suite.rows:
        own_budget = is_dynamic(row) and described(get(row.spelled, row.params)).own_budget
        yield row.name, row, (1.0,) if own_budget else suite.fractions


def contestants(suite: Suite) -> int:
    """Rows times their fractions, the full pool included: the cells of one regime in one replicate."""
    return sum(len(fractions) for _, _, fractions in _rows(suite))


def _null_cells(suite: Suite, data: Data) -> Iterator[Cell]:
    """The random draws that the suite declares.

    Draw d has seeds of its own, for its training too: one draw varies as one replicate of a row does. One that takes
    a row's class counts takes those of replicate d modulo the suite's number.
    """
    if suite.nulls is None:
        return
    named = {row.name: row for row in suite.rows}
    for name, fractions in _nulls(suite):
        for fraction in fractions:
            draws = list(_draws(suite, data, named.get(name), fraction))
            for regime_name, regime in suite.regimes.items():
                for number, draw in enumerate(draws):
                    yield _cell(suite, data, f"{NULL}{name}", fraction, regime_name, regime, number, draw, null=name)


def _draws(suite: Suite, data: Data, like: Row | None, fraction: float) -> Iterator[Selection]:
    """Random coresets: with the class counts of `like`, or of the whole pool's picks."""
    assert suite.nulls
    likes = [make_selection(data, suite, like, fraction, r) for r in range(suite.replicates)] if like else []
    uniform = Row(method="random", label=f"{NULL}{UNIFORM}")
    for draw in range(suite.nulls.draws):
        seed = derive_seed("null", "selection", draw)
        if likes:
            yield make_match(data, likes[draw % len(likes)], seed)
        else:
            yield make_selection(data, suite, uniform, fraction, draw, seed)


def _nulls(suite: Suite) -> Iterator[tuple[str, tuple[float, ...]]]:
    if suite.nulls:
        yield UNIFORM, suite.fractions
        for name in suite.nulls.rows:
            yield name, suite.nulls.fractions or suite.fractions


def count_nulls(suite: Suite) -> int:
    """The random draws that the suite declares."""
    kinds = sum(len(fractions) for _, fractions in _nulls(suite))
    return kinds * suite.nulls.draws * len(suite.regimes) if suite.nulls else 0


def is_dynamic(row: Row) -> bool:
    """Whether the row's method re-selects while a model trains."""
    return get(row.spelled, row.params).info.kind == "dynamic"


def require_one_track(suite: Suite) -> None:
    """Raises UsageError where static rows or nulls stand beside dynamic ones, or these train on another clock."""
    dynamic = [row for row in suite.rows if is_dynamic(row)]
    static = [row for row in suite.rows if row not in dynamic]
    if dynamic and static:
        raise UsageError(
            f"Suite '{suite.name}' has the dynamic row '{dynamic[0].name}' beside the static '{static[0].name}', which "
            "no table compares; put dynamic rows in a suite of their own, such as digits-dynamic."
        )
    if dynamic and any(regime.recipe.clock != "epochs" for regime in suite.on_clocks().values()):
        raise UsageError(f"The dynamic rows of suite '{suite.name}' spend presentations; set clock = \"epochs\".")
    if dynamic and suite.nulls:
        raise UsageError(f"Nulls are coresets, and the rows of suite '{suite.name}' re-select; drop [nulls].")


def _choice(data: Data, suite: Suite, row: Row, fraction: float, replicate: int) -> Selection | Reselection:
    if is_dynamic(row):
        return make_reselection(row, fraction, replicate)
    return make_selection(data, suite, row, fraction, replicate)


def _cell(
    suite: Suite,
    data: Data,
    name: str,
    fraction: float,
    regime_name: str,
    regime: Regime,
    replicate: int,
    chosen: Selection | Reselection | None,
    null: str = "",
) -> Cell:
    selection = chosen if isinstance(chosen, Selection) else None
    reselection = chosen if isinstance(chosen, Reselection) else None

    def seed(purpose: str) -> int:
        return derive_seed("null", purpose, replicate) if null else derive_seed(purpose, replicate)

    seeds = Seeds(
        proxies=tuple(trace.seed for trace in selection.traces) if selection else (),
        selection=seed("selection"),
        training=seed("training"),
        attack=seed("attack"),
    )
    spec = {**data.canonical(), "model": regime.model, "recipe": regime.recipe.canonical(), "seed": seeds.training}
    if selection and not selection.row.weights:
        spec["weights"] = False
    spare, unaffordable = _purse(suite, regime, fraction, selection)
    if spare:
        spec["spare"] = asdict(spare)
    model = Stage("model", spec, {"coreset": selection.coreset.key} if selection else {})
    if reselection:
        model = Stage("dynamic", {**spec, **reselection.spec})
    calibration = None
    if regime.primary == CALIBRATE:  # one for all clocks, or their rows would meet attacks of different strength
        calibration = make_calibration(suite, data, suite.regimes[regime_name.partition("@")[0]])
    outcomes = {}
    evaluations = _evaluations(suite.attacks, regime, seeds.attack, (name, fraction, replicate))
    if null:
        evaluations = {attack: spec for attack, spec in evaluations.items() if attack in OF_NULLS}
    for attack, spec in evaluations.items():
        parents = {"model": model.key}
        if spec.get("epsilon") == CALIBRATE and calibration:
            parents["calibration"] = calibration.key
        outcomes[attack] = Stage("outcome", {"attack": attack, **spec}, parents)
    return Cell(
        suite.name,
        name,
        fraction,
        regime_name,
        regime,
        replicate,
        seeds,
        selection,
        model,
        outcomes,
        calibration,
        reselection,
        null,
        spare,
        unaffordable,
    )


def _purse(suite: Suite, regime: Regime, fraction: float, selection: Selection | None) -> tuple[Charge | None, str]:
    """On the clock "cost": what is left of the allowance, and a sentence where that leaves nothing to train."""
    recipe = regime.recipe
    if recipe.clock != "cost":
        return None, ""
    charge = sum(selection.charges if selection else (), Charge())
    spare = allowance(suite) - charge
    if selection and selection.method.info.trains:
        return spare, "Not affordable: it trains a network of its own while it selects, which nothing counts."
    if affordable(recipe, fraction, spare):
        return spare, ""
    proxy = suite.proxies["standard"].recipe
    needed = (charge.pool + charge.held_out) / (proxy.work * proxy.epochs)
    return spare, (
        f"Not affordable: its proxies and signals alone take {needed:.2g} trainings of the standard proxy. Of the "
        f"allowance of {suite.allowance:g} and {recipe.epochs} epochs of the coreset, not one epoch is left."
    )


def make_calibration(suite: Suite, data: Data, regime: Regime, replicate: int = 0) -> Stage:
    """A random coreset at the middle fraction, trained by the regime's recipe and attacked on `tune`.

    Its seed is of its own, so that no model of the suite itself is judged. No row pays for it: on the clock "cost" it
    is trained for equal epochs.
    """
    recipe = regime.recipe
    if recipe.clock == "cost":
        recipe = recipe.model_copy(update={"clock": "epochs"})
    spec = {
        **data.canonical(),
        "model": regime.model,
        "recipe": recipe.canonical(),
        "fraction": suite.middle,
        "epsilons": list(regime.epsilons),
        "pgd": suite.attacks.pgd.canonical(),
        "margin": suite.attacks.margin.canonical() if suite.attacks.margin else None,
        "seed": derive_seed("calibrate", replicate),
    }
    return Stage("calibration", spec)


def _evaluations(
    attacks: Attacks, regime: Regime, seed: int, cell: tuple[str, float, int]
) -> dict[str, dict[str, Any]]:
    """What each evaluation of a cell (row, fraction, replicate) is: the specs of its outcome stages, by attack."""
    each = {"images": attacks.test, "seed": seed, "folded": attacks.folded}
    specs: dict[str, dict[str, Any]] = {
        "clean": {"folded": attacks.folded},
        "pgd": {**each, **attacks.pgd.canonical(), "epsilons": list(regime.epsilons)},
    }
    if attacks.margin:
        specs["margin"] = {**each, **attacks.margin.canonical(), "epsilons": list(regime.epsilons)}
    specs["radii"] = {**each, **attacks.smallest_epsilon.canonical(), "largest": max(regime.epsilons)}
    if attacks.autoattack.covers(*cell):
        auto = attacks.autoattack
        images = _fewest(auto.test, attacks.test)
        specs["autoattack"] = {**each, "images": images, "epsilon": regime.primary, "batch_size": auto.batch_size}
    if attacks.guard and attacks.guard.covers(*cell):
        specs["guard"] = {
            **each,
            "images": _fewest(attacks.guard.images, attacks.test),
            "epsilon": regime.primary,
            "factor": attacks.guard.factor,
            "pgd": attacks.pgd.canonical(),
            "margin": (attacks.margin or MarginPGD()).canonical(),
        }
    return specs


def _fewest(*counts: int | None) -> int | None:
    return min((count for count in counts if count), default=None)
