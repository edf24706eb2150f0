"""What a regime's standings say in words; every sentence is derived from the numbers."""

from benchmark import wording
from benchmark.outcomes import AUTOATTACK
from benchmark.spec import FULL
from benchmark.standings import BASELINE, RegimeStandings, Standing
from benchmark.stats import MIN_REPLICATES, Estimate
from benchmark.tables import autoattack_scope

SPOTLIGHT = "easycore"  # the method whose paper this benchmark puts to the test

Failures = dict[str, dict[tuple[float, int], str]]  # for each row, why the cell of a fraction and replicate failed


def headline(regime: RegimeStandings) -> list[str]:
    """Who has the highest mean, by how much over the baseline, who may be as good, and where EasyCore stands.

    Last, whether AutoAttack says otherwise where it ran.
    """
    order = regime.order
    complete = [standing for standing in order if standing.robust]
    if not complete:
        return ["No row has every cell that the suite declares, so nothing is summarised or ranked."]
    best = complete[0]
    sentences = [_best(best, complete)]
    if not regime.has_intervals:
        count = len(regime.replicates)
        sentences.append(
            f"With {wording.counted(count, 'replicate')} there are values only: "
            f"an interval, and so a rank, needs {MIN_REPLICATES}."
        )
    elif near := [standing.row for standing in complete if standing.rank != best.rank and standing.may_be_best]:
        sentences.append(f"Not distinguishable from it: {wording.listed(list(map(wording.plain, near)))}.")
    elif len(complete) > 1:
        sentences.append("Every other ranked row is distinguishable from it.")
    spotlight = next((standing for standing in order if standing.row == SPOTLIGHT), None)
    if spotlight and spotlight is not best:
        sentences.append(_place(spotlight, complete))
    return sentences + _under_autoattack(regime)


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


def _under_autoattack(regime: RegimeStandings) -> list[str]:
    """One sentence where AutoAttack, on the cells that it met, puts another row first or turns EasyCore's gain round.

    Both orders are those of the same images of the same cells.
    """
    if AUTOATTACK in regime.setting.attacks:
        return []
    usual, strong = (
        {r: regime.under_autoattack(m, r) for r in regime.rows} for m in ("without_autoattack", AUTOATTACK)
    )
    before = {row: round(found.mean, 9) for row, found in usual.items() if found and strong[row]}
    after = {row: round(found.mean, 9) for row, found in strong.items() if found and row in before}
    parts = []
    if before and not set(_first(before)) & set(_first(after)):
        parts.append(f"first is {_named(after)}, without it {_named(before)}")
    if SPOTLIGHT in before and BASELINE in before:
        was, now = (means[SPOTLIGHT] - means[BASELINE] for means in (before, after))
        if was * now < 0:
            parts.append(f"{SPOTLIGHT} minus {BASELINE} is {_points(now)} points, without it {_points(was)}")
    if not parts:
        return []
    attacks = wording.attacks(regime.setting.attacks)
    return [f"AutoAttack disagrees with {attacks} where it ran ({autoattack_scope(regime)}): {'; '.join(parts)}."]


def _first(means: dict[str, float]) -> list[str]:
    return [row for row in means if means[row] == max(means.values())]


def _named(means: dict[str, float]) -> str:
    """The first rows and what they reach: "aum@high (47.2 %)"."""
    names = wording.listed([wording.plain(row) for row in _first(means)])
    return f"{names} ({wording.fixed(100 * max(means.values()))} %)"


def _points(difference: float) -> str:
    return wording.points(Estimate(difference, None, 1))


def twins(regime: RegimeStandings) -> list[str]:
    """One sentence for each group of rows that agree on every image of every cell."""
    return [
        f"{wording.listed([wording.plain(row) for row in rows], limit=20)} agree on every image in every cell: "
        "their coresets gave identical models."
        for rows in regime.twins
    ]


def gaps(regime: RegimeStandings, failures: Failures) -> list[str]:
    """One sentence for each row that lacks cells, and for each reason."""
    sentences = []
    for row in (*regime.rows, FULL):
        fractions = regime.fractions_of(row)
        wanted = [(fraction, replicate) for fraction in fractions for replicate in regime.replicates]
        ran = regime.cells[regime.cells["row"] == row] if len(regime.cells) else regime.cells
        present = set(zip(ran["fraction"], ran["replicate"], strict=True)) if len(ran) else set()
        reasons = list(failures.get(row, {}).values())
        for reason in dict.fromkeys(reasons):
            count = reasons.count(reason)
            sentences.append(f"{wording.plain(row)}: {count} of {len(wanted)} cells failed: {wording.plain(reason)}")
        absent = [cell for cell in wanted if cell not in present and cell not in failures.get(row, {})]
        if absent and (row != FULL or present or reasons):
            verb = "is" if len(absent) == 1 else "are"
            sentences.append(
                f"{wording.plain(row)}: {len(absent)} of {len(wanted)} cells {verb} not in these records "
                f"({_spelled(absent)})."
            )
    return sentences


def _spelled(cells: list[tuple[float, int]]) -> str:
    """ "10 %: replicates 0 and 2; 30 %: replicate 1"."""
    found: dict[float, list[int]] = {}
    for fraction, replicate in cells:
        found.setdefault(fraction, []).append(replicate)
    return "; ".join(f"{wording.percent(f)}: {wording.replicates(numbers)}" for f, numbers in found.items())
