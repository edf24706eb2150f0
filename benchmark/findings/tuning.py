"""The published trials of a suite's recipes, as a finding states them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmark import wording
from benchmark.claims.evidence import Published
from benchmark.findings.statements import Refuse
from benchmark.spec import Recipe
from benchmark.tuning import Trial

Place = tuple[str, float]  # a regime and a fraction


@dataclass(frozen=True, eq=False)
class Tried:
    """What was tried on random coresets, and what the published models were trained by."""

    published: Published
    trials: Sequence[Trial]
    refuse: Refuse

    @property
    def trainings(self) -> str:
        """Of the suite's own regimes: other clocks may have been tried as well."""
        return f"{len(self._of_places):,}"

    def stays(self, optimiser: str, beside: str) -> str:
        """ "SGD"; refused unless, at every place that was tuned, both were tried and this one was taken."""
        for (regime, fraction), recipe in self._taken.items():
            at = f"in {regime} at {wording.percent(fraction)} of {self.published.name}"
            here = [t.recipe.optimiser for t in self._of_places if (t.regime, t.fraction) == (regime, fraction)]
            for name in (optimiser, beside):
                if name not in here:
                    self.refuse(f"{wording.OPTIMISERS[name]} was not tried {at}")
            if recipe.optimiser != optimiser:
                self.refuse(f"{wording.OPTIMISERS[recipe.optimiser]} was taken {at}")
        return wording.OPTIMISERS[optimiser]

    def longer(self, at: float) -> str:
        """ "30 %"; refused unless models there are trained for more epochs than those of any other tuned fraction."""
        for regime, fraction in self._taken:
            others = [r.epochs for (name, f), r in self._taken.items() if name == regime and f != at]
            if fraction == at and self._taken[regime, at].epochs <= max(others, default=0):
                self.refuse(f"no more epochs were taken at {wording.percent(at)} of {self.published.name} in {regime}")
        return wording.percent(at)

    def untuned(self, row: str) -> str:
        """The row's name; refused where anything was tried at its fraction."""
        fractions = {record.factors.fraction for record in self.published.records if record.factors.row == row}
        for regime, fraction in sorted({(t.regime, t.fraction) for t in self._of_places}):
            if fraction in fractions:
                self.refuse(f"recipes were tuned for {row} in {regime} of {self.published.name}")
        return row

    @cached_property
    def _of_places(self) -> list[Trial]:
        regimes = {regime.setting.regime for regime in self.published.regimes}
        return [trial for trial in self.trials if trial.regime in regimes]

    @cached_property
    def _taken(self) -> dict[Place, Recipe]:
        """The recipe of the published models at each place that was tuned."""
        used = {(r.factors.regime, r.factors.fraction): r.factors.recipe for r in self.published.records}
        places = {(trial.regime, trial.fraction) for trial in self._of_places}
        return {place: used[place] for place in sorted(places & used.keys())}
