"""What models would look like under fewer attacks: the same records, read as if the others had not been run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from benchmark import wording
from benchmark.leaderboard.family import Adjusted
from benchmark.leaderboard.standings import Key, RegimeStandings
from benchmark.stats import Estimate, estimate


@dataclass(frozen=True)
class Excess:
    """By how much robust accuracies under some attacks exceed those under more, in points, over so many models."""

    mean: str
    most: str
    models: int

    @classmethod
    def between(cls, cells: pd.DataFrame, fewer: "pd.Series[float]", more: "pd.Series[float]") -> "Excess":
        """Of two rates of the same cells, lines of `benchmark.leaderboard.outcomes.frame`."""
        differences = fewer - more
        mean = estimate(differences.groupby(cells["replicate"]).mean().to_numpy())
        most = Estimate(float(differences.max()), None, 1)
        return cls(f"{wording.share(mean)} points", f"{wording.share(most)} points", len(cells))


def under(standings: RegimeStandings, attacks: Sequence[str]) -> RegimeStandings:
    """The standings by the worst case over these of the regime's common attacks; no family compares rows under them."""
    setting = standings.setting
    assert setting.primary is not None  # cells ran
    columns = (standings.cells[name] for name in ("row", "fraction", "replicate"))
    cells = [standings.results[place] for place in zip(*columns, strict=True)]
    met = [cell.robust_bits(setting.primary, attacks, setting.images) for cell in cells]
    rates = [float(found.mean()) for found in met if found is not None]
    none: Adjusted[Key] = Adjusted(0, {})
    return replace(
        standings,
        setting=replace(setting, attacks=tuple(attacks)),
        cells=standings.cells.assign(robust=rates),
        twins=(),
        family=none,
    )
