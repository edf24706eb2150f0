"""Which recipe to take: the search, over trials that somebody else runs or has run."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmark.spec import Recipe, Suite, Tuned, Tuning
from benchmark.tuning.trials import Request, Trial
from methods.errors import UsageError

Ask = Callable[[str, Sequence[Request]], Mapping[Request, Trial]]  # told which hyperparameter they are about
EPOCHS, LR, OPTIMISER, WEIGHT_DECAY = "epochs", "lr", "optimiser", "weight_decay"


@dataclass(frozen=True)
class Place:
    """Where a recipe may have values of its own."""

    regime: str
    fraction: float


@dataclass(frozen=True)
class Found:
    """A recipe that was taken, its accuracy on `tune`, and by how much that is above the recipe as written.

    accuracy  mean share of right images over random coresets
    gain      mean paired difference; 0 where nothing was changed, NaN where the recipe as written failed
    error     standard error of that difference
    """

    place: Place
    recipe: Recipe
    accuracy: float
    gain: float
    error: float

    def told(self) -> str:
        """The gain in percentage points, in words."""
        if np.isnan(self.gain):
            return "that one fails"
        return f"{100 * self.gain:+.1f} ± {100 * self.error:.1f}" if self.gain else "unchanged"

    def tuned(self, base: Recipe) -> Tuned | None:
        """What differs from the recipe as written; None where nothing does."""
        changed = {what: getattr(self.recipe, what) for what in (EPOCHS, OPTIMISER, LR, WEIGHT_DECAY)}
        changed = {what: value for what, value in changed.items() if value != getattr(base, what)}
        return Tuned(fraction=self.place.fraction, clock=base.clock, **changed) if changed else None


def places(suite: Suite) -> list[Place]:
    """The places that the suite's tuning covers.

    Raises:
        UsageError: the suite declares no tuning.
    """
    fractions = _tuning(suite).fractions or (*suite.fractions, *((1.0,) if suite.full else ()))
    return [Place(regime, fraction) for regime in suite.on_clocks() for fraction in fractions]


def search(suite: Suite, ask: Ask) -> list[Found]:
    """The recipe of each place.

    Raises:
        UsageError: the suite declares no tuning, or the recipe as written fails on every random coreset.
    """
    regimes, numbers = suite.on_clocks(), range(_tuning(suite).replicates)
    written = {place: regimes[place.regime].recipe for place in places(suite)}
    taken, known = dict(written), dict[Request, Trial]()

    def requests(place: Place, recipes: Iterable[Recipe]) -> list[Request]:
        return [Request(place.regime, place.fraction, recipe, number) for recipe in recipes for number in numbers]

    for what in (EPOCHS, LR, OPTIMISER, WEIGHT_DECAY):
        tried = {place: [recipe, *_others(suite, place, recipe, what)] for place, recipe in taken.items()}
        wanted = [r for place, recipes in tried.items() if len(recipes) > 1 for r in requests(place, recipes)]
        known |= ask(what, [request for request in wanted if request not in known])
        for place, recipes in tried.items():
            shares = [_shares(known, requests(place, [recipe])) for recipe in recipes if len(recipes) > 1]
            taken[place] = recipes[_best(shares)] if shares else recipes[0]
    found = []
    for place, recipe in taken.items():
        own, base = (_shares(known, requests(place, [r])) for r in (recipe, written[place]))
        if requests(place, [recipe])[0] not in known:
            continue  # there was nothing to try
        if np.isnan(own).all():
            raise UsageError(
                f"No recipe for '{place.regime}' at {place.fraction:g} came to an end; lower the learning rate in the "
                "suite file."
            )
        found.append(Found(place, recipe, float(np.nanmean(own)), *_difference(own, base)))
    return found


def written(suite: Suite, found: Iterable[Found]) -> str:
    """What was found as TOML, a list `tuned` for each regime of the suite file."""
    lists: dict[str, list[str]] = {name: [] for name in suite.regimes}
    for one in found:
        if tuned := one.tuned(suite.on_clocks()[one.place.regime].recipe):
            values = tuned.model_dump(exclude_none=True)
            inside = ", ".join(f"{what} = {json.dumps(value)}" for what, value in values.items())
            lists[one.place.regime.partition("@")[0]].append(f"  {{ {inside} }},\n")
    return "\n".join(f"[regimes.{name}]\ntuned = [\n{''.join(lines)}]" for name, lines in lists.items())


def _tuning(suite: Suite) -> Tuning:
    if suite.tuning is None:
        raise UsageError(f"Suite '{suite.name}' does not say what to try; add [tuning] with values of lr, for example.")
    return suite.tuning


def _others(suite: Suite, place: Place, recipe: Recipe, what: str) -> list[Recipe]:
    """The recipe with each other value that may be tried there."""
    tuning = _tuning(suite)
    if what == OPTIMISER:
        if tuning.adamw is None or recipe.optimiser == "adamw":
            return []
        decay, *_ = tuning.adamw.weight_decay
        return [recipe.model_copy(update={OPTIMISER: "adamw", LR: lr, WEIGHT_DECAY: decay}) for lr in tuning.adamw.lr]
    values: Iterable[float] = getattr(tuning, what)
    if what == WEIGHT_DECAY and tuning.adamw and recipe.optimiser == "adamw":
        values = tuning.adamw.weight_decay
    if what == EPOCHS:
        most = max(suite.fractions) * recipe.epochs
        free = recipe.clock == "epochs"
        values = [n for n in values if free and recipe.epochs < n and n * place.fraction <= most * (1 + 1e-9)]
    own = getattr(recipe, what)
    return [recipe.model_copy(update={what: value}) for value in values if value != own]


def _shares(known: Mapping[Request, Trial], wanted: Iterable[Request]) -> np.ndarray:
    """The share of right images in each trial, float64; NaN where it failed."""
    trials = [known[request] for request in wanted if request in known]
    return np.array([np.nan if trial.failure else trial.right / trial.images for trial in trials] or [np.nan])


def _best(shares: Sequence[np.ndarray]) -> int:
    """The first, unless others are better by more than a standard error: then the one of the highest mean.

    A recipe that failed on any coreset is not taken, unless the first did too.
    """
    means = [np.mean(share) for share in shares]
    if np.isnan(means[0]):
        return int(np.nanargmax(means)) if not np.isnan(means).all() else 0
    better = [0]
    for number, share in enumerate(shares[1:], start=1):
        gain, error = _difference(share, shares[0])
        if gain > error:
            better.append(number)
    return max(better, key=lambda number: float(means[number]))


def _difference(one: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The mean of paired differences and its standard error; NaN where one of them failed."""
    differences = one - other
    return float(differences.mean()), float(differences.std(ddof=1) / np.sqrt(len(differences)))
