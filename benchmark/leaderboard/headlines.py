"""What a regime's standings say in words; every sentence is derived from the numbers."""

from collections.abc import Sequence

from benchmark import wording
from benchmark.leaderboard.names import AUTOATTACK, BASELINE
from benchmark.leaderboard.standings import RegimeStandings, Standing
from benchmark.leaderboard.tables import autoattack_scope
from benchmark.records import BUDGET
from benchmark.spec import FULL
from benchmark.stats import MIN_REPLICATES, Estimate
from benchmark.stats.power import MOST_REPLICATES

SPOTLIGHT = "easycore"  # the method whose paper this benchmark puts to the test

Failures = dict[str, dict[tuple[float, int], str]]  # for each row, why the cell of a fraction and replicate failed


def headline(regime: RegimeStandings) -> list[str]:
    """Who has the highest mean, by how much over the baseline, who may be as good, and where EasyCore stands.

    Then what would separate the first two and who is surely above or below the baseline; last, whether AutoAttack says
    otherwise where it ran.
    """
    order = regime.order
    complete = [standing for standing in order if standing.robust and standing.row not in regime.masked]
    if not complete:
        none = "is left to be ranked" if regime.masked else "has every cell that the suite declares"
        return [f"No row {none}, so nothing is summarised or ranked."]
    best = complete[0]
    sentences = [_best(best, complete)]
    if not regime.has_intervals:
        count = len(regime.replicates)
        sentences.append(
            f"With {wording.counted(count, 'replicate')} there are values only: "
            f"an interval, and so a rank, needs {MIN_REPLICATES}."
        )
    elif len(complete) > 1:
        if not regime.beside_baseline:
            sentences += [_near(complete), *_power(regime, complete[0], complete[1])]
        sentences += _beside_baseline(regime, complete)
    spotlight = next((standing for standing in order if standing.row == SPOTLIGHT), None)
    if spotlight and spotlight is not best:
        sentences.append(_place(spotlight, regime, complete))
    if spotlight and spotlight.side == "undecided":
        sentences += _power(regime, spotlight, next(s for s in order if s.row == BASELINE))  # a side is of that row
    return sentences + _masked(regime) + _under_autoattack(regime)


def _masked(regime: RegimeStandings) -> list[str]:
    """Rows that would be ranked if they could be believed; the reasons stand under the table."""
    rows = [wording.plain(row) for row in regime.rows if row in regime.masked]
    return [f"Not ranked, as gradients may mislead the attacks: {wording.listed(rows)}."] if rows else []


def _best(best: Standing, complete: list[Standing]) -> str:
    names = [standing.row for standing in _leaders(complete)]
    verb = "share" if len(names) > 1 else "has"
    who = wording.listed(list(map(wording.plain, names)))
    return f"{who} {verb} the highest mean robust accuracy: {wording.share(best.robust)} %{_gain(best)}."


def _leaders(complete: list[Standing]) -> list[Standing]:
    """The first row, and those that share its mean."""
    return [s for s in complete if s.robust and complete[0].robust and _equal(s.robust, complete[0].robust)]


def _equal(first: Estimate, second: Estimate) -> bool:
    """But for rounding: equal counts may have been added up in another order."""
    return round(first.mean, 9) == round(second.mean, 9)


def _near(complete: list[Standing]) -> str:
    near = [wording.plain(standing.row) for standing in complete if standing.may_be_best]
    if len(near) == 1:
        return "Every other ranked row is distinguishable from it."
    if len(near) == len(complete):
        return "No row is distinguishable from the best."
    return f"Not distinguishable from the best: {wording.listed(near)}."


def _power(regime: RegimeStandings, first: Standing, second: Standing) -> list[str]:
    """What it would take to separate two rows; nothing where they are separated, or equal."""
    if not first.robust or not second.robust:
        return []
    if (first.row, second.row) in regime.surely_better() or _equal(first.robust, second.robust):
        return []
    more = regime.more_replicates(first.row, second.row)
    names = f"{wording.plain(first.row)} from {wording.plain(second.row)}"
    if more is None:
        return [f"Not even {MOST_REPLICATES:,} replicates would separate {names}."]
    count = wording.counted(more, "more replicate")
    return [f"About {count} would separate {names} (80 % power), were difference and spread as they look."]


def _beside_baseline(regime: RegimeStandings, complete: list[Standing]) -> list[str]:
    """The rows that are surely above and surely below the baseline."""
    rows, better = [standing.row for standing in complete], regime.surely_better()
    if BASELINE not in rows:
        return []
    above = [wording.plain(row) for row in rows if (row, BASELINE) in better]
    below = [wording.plain(row) for row in rows if (BASELINE, row) in better]
    if not above and not below:
        family = wording.counted(regime.family.comparisons, "comparison")
        return [f"In the family of {family} no row is distinguishable from {BASELINE}{_by_themselves(complete)}."]
    alone = f" The family compares rows with {BASELINE} alone." if regime.beside_baseline else ""
    return [
        f"Distinguishable from {BASELINE}: above it {wording.listed(above) or 'none'}, "
        f"below it {wording.listed(below) or 'none'}.{alone}"
    ]


def _by_themselves(complete: list[Standing]) -> str:
    """What single intervals say that the family does not bear out."""
    gains = [standing.gain for standing in complete if standing.gain and not standing.gain.may_be(0.0)]
    above = sum(gain.mean > 0 for gain in gains)
    if not gains:
        return ""
    rows = [
        f"{wording.counted(count, 'row')} {place}"
        for count, place in ((above, "above"), (len(gains) - above, "below"))
        if count
    ]
    return f", though the single intervals put {wording.listed(rows)} it"


def _place(standing: Standing, regime: RegimeStandings, complete: list[Standing]) -> str:
    if standing.robust is None:
        return f"{standing.row} lacks cells, so it has no mean and no rank."
    if standing.row in regime.masked:
        return f"{standing.row}, which is not ranked, has {wording.share(standing.robust)} %{_gain(standing)}."
    if standing.rank is None:
        family = ", which the family leaves undecided" if standing.side == "undecided" else ""
        return f"{standing.row} has {wording.share(standing.robust)} %{_gain(standing)}{family}."
    ranks = wording.ranks(standing.rank).replace("–", " to ")
    place = f"may rank {ranks}" if " " in ranks else f"ranks {ranks}"
    return f"{standing.row} {place} of {len(complete)}: {wording.share(standing.robust)} %{_gain(standing)}."


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
    """One sentence for each row that lacks cells, and for each reason; one for all rows that have no record."""
    sentences, nowhere = [], []
    for row in (*regime.rows, FULL):
        wanted = [(fraction, replicate) for fraction in regime.fractions_of(row) for replicate in regime.replicates]
        failed = failures.get(row, {})
        for reason in dict.fromkeys(failed.values()):
            count, (stage, _, message) = list(failed.values()).count(reason), reason.partition(": ")
            if stage == BUDGET:
                lost = f"{'is' if count == 1 else 'are'} {message[:1].lower()}{message[1:]}"
            else:
                lost = f"failed: {reason}"
            sentences.append(f"{wording.plain(row)}: {count} of {len(wanted)} cells {wording.plain(lost)}")
        absent = [cell for cell in wanted if (row, *cell) not in regime.results and cell not in failed]
        if len(absent) == len(wanted):
            nowhere += [] if row == FULL else [wording.plain(row)]
        elif absent:
            verb = "is" if len(absent) == 1 else "are"
            sentences.append(
                f"{wording.plain(row)}: {len(absent)} of {len(wanted)} cells {verb} not in these records "
                f"({_spelled(absent, regime.replicates)})."
            )
    return sentences + ([f"Without a record here: {wording.listed(nowhere)}."] if nowhere else [])


def _spelled(cells: list[tuple[float, int]], replicates: Sequence[int]) -> str:
    """ "10 % and 30 %: replicates 0 and 2; 50 %: every replicate"."""
    found: dict[float, list[int]] = {}
    for fraction, replicate in cells:
        found.setdefault(fraction, []).append(replicate)
    lacking: dict[tuple[int, ...], list[str]] = {}
    for fraction, numbers in found.items():
        lacking.setdefault(tuple(numbers), []).append(wording.percent(fraction))
    return "; ".join(
        f"{wording.listed(at, limit=20)}: "
        + ("every replicate" if len(numbers) == len(replicates) else wording.replicates(numbers))
        for numbers, at in lacking.items()
    )
