"""What a fault changes on digits: two coresets from the same proxy, and two models from the same training seed.

The suites are digits and digits-dynamic with the ledger's rows: their data, proxies, recipes and attacks, AutoAttack
left out. They run through the harness, so a run that was stopped goes on where it was, and shares with a run of digits
what is the same in both.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from benchmark.execution.run import Settings, run_suite
from benchmark.leaderboard.outcomes import settings
from benchmark.ledger.entries import ENTRIES, Pair
from benchmark.ledger.lines import Compared, Counts, Setting, Trained
from benchmark.plan import Plan, Selection, make_plan
from benchmark.records import Record, Results
from benchmark.spec import AutoAttack, Suite, load_suite, validated_suite
from benchmark.store import Store
from methods.api import Integers
from methods.errors import CoresetBenchError
from methods.registry import get

if TYPE_CHECKING:
    from rich.console import Console

Cells: TypeAlias = dict[tuple[str, float, int, str], Results | None]  # by row, fraction, replicate and regime

FRACTIONS = (0.1, 0.3)
REPLICATES = 8


def pairs() -> list[Pair]:
    """Every comparison of the ledger, in its order."""
    return [pair for entry in ENTRIES for pair in entry.pairs]


def pairs_of(base: str) -> list[Pair]:
    """Those of the digits suite, or of digits-dynamic."""
    dynamic = base == "digits-dynamic"
    return [pair for pair in pairs() if (get(pair.right.spelled).info.kind == "dynamic") == dynamic]


def ledger_suite(name: str = "digits") -> Suite:
    """The rows of every comparison, each once, in the suite of that name."""
    base = load_suite(name)
    rows = {row.name: row.canonical() for pair in pairs_of(name) for row in (pair.right, pair.faulty)}
    changes = {
        "name": name.replace("digits", "ledger"),
        "rows": list(rows.values()),
        "fractions": FRACTIONS,
        "replicates": REPLICATES,
        "full": False,
        "attacks": {**base.attacks.canonical(), "autoattack": AutoAttack(fractions=()).canonical(), "guard": None},
    }
    return validated_suite({**base.canonical(), **changes}, "The ledger's suite")


def measure(run: Settings, console: "Console") -> list[Setting | Compared]:
    """Runs what the store lacks; the setting, and a line for each comparison, fraction and replicate.

    Raises:
        CoresetBenchError: a coreset could not be selected, or no model could be trained.
    """
    suite, store = ledger_suite(), Store(run.store)
    records = _ran(suite, run, console)
    setting = _setting(suite, records)
    lines: list[Setting | Compared] = [setting, *_compared(make_plan(suite, run.data), store, records, setting)]
    return lines + measure_dynamic(setting, run, console)


def measure_dynamic(setting: Setting, run: Settings, console: "Console") -> list[Setting | Compared]:
    """A line for each comparison of methods that re-select, at that fraction of a full training's presentations."""
    if not pairs_of("digits-dynamic"):
        return []
    suite = ledger_suite("digits-dynamic")
    records = _ran(suite, run, console)
    trained = _setting(suite, records).regimes
    if trained != setting.regimes:
        raise CoresetBenchError("digits and digits-dynamic train or attack differently; make their suites agree.")
    ks = {(r.factors.fraction, r.factors.replicate): r.factors.k for r in records}
    results = _results(records)
    return [
        Compared(
            faulty=pair.faulty.name,
            right=pair.right.name,
            fraction=fraction,
            replicate=replicate,
            k=ks[fraction, replicate],
            regimes=_counts(pair, fraction, replicate, results, setting),
        )
        for pair, fraction, replicate in product(pairs_of("digits-dynamic"), suite.fractions, range(suite.replicates))
    ]


def _ran(suite: Suite, run: Settings, console: "Console") -> Sequence[Record]:
    summary = run_suite(suite, run, console)
    lost = [record for record in summary.failed if record.failure and record.failure.stage != "train"]
    if lost and lost[0].failure:
        raise CoresetBenchError(f"The cell {lost[0].cell} failed: {lost[0].failure.message}")
    return summary.records


def _setting(suite: Suite, records: Sequence[Record]) -> Setting:
    factors = records[0].factors
    return Setting(
        dataset=factors.dataset,
        checksum=factors.checksum,
        pool=factors.pool,
        num_classes=factors.num_classes,
        images=max(record.results.images for record in records if record.results),
        fractions=suite.fractions,
        replicates=suite.replicates,
        regimes={
            name: Trained(
                model=found.model,
                recipe=found.recipe,
                primary=found.primary or 0.0,
                attacks=found.attacks,
                images=found.images,
            )
            for name, found in settings(records).items()
        },
    )


def _compared(plan: Plan, store: Store, records: Sequence[Record], setting: Setting) -> Iterator[Compared]:
    selections = {(c.name, c.fraction, c.replicate): c.selection for c in plan.cells if c.selection}
    results = _results(records)
    for pair, fraction, replicate in product(pairs_of("digits"), plan.suite.fractions, plan.replicates):
        chosen = [selections[row.name, fraction, replicate] for row in (pair.faulty, pair.right)]
        faulty, right = (_picks(store, selection) for selection in chosen)
        yield Compared(
            faulty=pair.faulty.name,
            right=pair.right.name,
            fraction=fraction,
            replicate=replicate,
            k=len(right),
            shared=len(np.intersect1d(faulty, right)),
            regimes=_counts(pair, fraction, replicate, results, setting),
            keys=(chosen[0].coreset.key, chosen[1].coreset.key),
        )


def _results(records: Sequence[Record]) -> Cells:
    return {(r.factors.row, r.factors.fraction, r.factors.replicate, r.factors.regime): r.results for r in records}


def _counts(pair: Pair, fraction: float, replicate: int, results: Cells, setting: Setting) -> dict[str, Counts]:
    """What both models get right, in each regime in which both were trained."""
    counts = {}
    for regime, trained in setting.regimes.items():
        both = [results[row.name, fraction, replicate, regime] for row in (pair.faulty, pair.right)]
        found = [_right(each, trained) for each in both if each]
        if len(found) == 2:
            counts[regime] = Counts(clean=(found[0][0], found[1][0]), robust=(found[0][1], found[1][1]))
    return counts


def _right(results: Results, trained: Trained) -> tuple[int, int]:
    """Test images that stay right: clean, and in the worst case over the regime's attacks."""
    robust = results.robust_bits(trained.primary, trained.attacks, trained.images)
    assert robust is not None  # these attacks were found in every cell of the regime
    return int(results.clean_bits().sum()), int(robust.sum())


def _picks(store: Store, selection: Selection) -> Integers:
    coreset = store.read(selection.coreset.kind, selection.coreset.key)
    if coreset is None:
        raise CoresetBenchError(f"The coreset of '{selection.row.name}' vanished from the store; run it again.")
    return coreset.arrays["indices"]
