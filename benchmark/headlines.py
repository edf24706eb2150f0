"""What a regime's standings say in words; every sentence is derived from the numbers."""

from benchmark import wording
from benchmark.outcomes import FULL
from benchmark.standings import BASELINE, RegimeStandings, Standing
from benchmark.stats import MIN_REPLICATES

SPOTLIGHT = "easycore"  # the method whose paper this benchmark puts to the test


def headline(regime: RegimeStandings) -> list[str]:
    """Who has the highest mean, by how much over the baseline, who may be as good, and where EasyCore stands."""
    order = regime.order
    complete = [standing for standing in order if standing.robust]
    if not complete:
        return ["No row has every cell, so nothing is summarised or ranked."]
    best = complete[0]
    sentences = [_best(best, complete)]
    if not regime.has_intervals:
        count = len(regime.replicates)
        sentences.append(
            f"With {count} replicate{'s' if count > 1 else ''} there are values only: "
            f"an interval, and so a rank, needs {MIN_REPLICATES}."
        )
    elif near := [standing.row for standing in complete if standing is not best and standing.may_be_best]:
        sentences.append(f"Not distinguishable from it: {wording.listed(list(map(wording.plain, near)))}.")
    elif len(complete) > 1:
        sentences.append("Every other ranked row is distinguishable from it.")
    spotlight = next((standing for standing in order if standing.row == SPOTLIGHT), None)
    if spotlight and spotlight is not best:
        sentences.append(_place(spotlight, complete))
    return sentences


def _best(best: Standing, complete: list[Standing]) -> str:
    names = [s.row for s in complete if s.rank == best.rank] if best.rank else [best.row]
    verb = "share" if len(names) > 1 else "has"
    who = wording.listed(list(map(wording.plain, names)))
    return f"{who} {verb} the highest mean robust accuracy: {wording.share(best.robust)} %{_gain(best)}."


def _place(standing: Standing, complete: list[Standing]) -> str:
    if standing.robust is None:
        return f"{standing.row} lacks cells, so it has no mean and no rank."
    place = f"{standing.row} ranks {standing.rank} of {len(complete)}" if standing.rank else f"{standing.row} has"
    joint = ": " if standing.rank else " "
    return f"{place}{joint}{wording.share(standing.robust)} %{_gain(standing)}."


def _gain(standing: Standing) -> str:
    return f", a paired difference of {wording.points(standing.gain)} points to {BASELINE}" if standing.gain else ""


def gaps(regime: RegimeStandings, failures: dict[str, list[str]]) -> list[str]:
    """One sentence for each row that lacks cells. `failures`: for each row, the reason of each failed cell."""
    sentences = []
    for row in (*regime.rows, FULL):
        wanted = len(regime.replicates) * (1 if row == FULL else len(regime.fractions))
        present = int((regime.cells["row"] == row).sum()) if len(regime.cells) else 0
        reasons = failures.get(row, [])
        for reason in dict.fromkeys(reasons):
            count = reasons.count(reason)
            sentences.append(f"{wording.plain(row)}: {count} of {wanted} cells failed: {wording.plain(reason)}")
        absent = wanted - present - len(reasons)
        if absent and (row != FULL or present or reasons):
            sentences.append(f"{wording.plain(row)}: {absent} of {wanted} cells are not in these records.")
    return sentences
