"""One trained and attacked model: its stages, and what it may spend."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmark.charges import Charge, affordable, allowance, presentations
from benchmark.plan.selection import Reselection, Selection
from benchmark.plan.stage import Data, Stage
from benchmark.randomness import derive_seed
from benchmark.records import Seeds
from benchmark.spec import CALIBRATE, Attacks, MarginPGD, Regime, Suite
from benchmark.store import Store

OF_NULLS = ("clean", "pgd", "margin")  # what random draws meet: enough to hold a row's robust accuracy against them


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


def make_cell(
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
    regime = regime.at(fraction)
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
    evaluations = _evaluations(suite.attacks, regime, seeds.attack, (name, fraction, replicate, regime_name))
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
    recipe = regime.at(suite.middle).recipe
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
    attacks: Attacks, regime: Regime, seed: int, cell: tuple[str, float, int, str]
) -> dict[str, dict[str, Any]]:
    """What each evaluation of a cell (row, fraction, replicate, regime) is: its outcome stages' specs, by attack."""
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
