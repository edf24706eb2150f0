"""What a fault changes on digits: two coresets from the same proxy, and two models from the same training seed.

The suite is the digits suite with the ledger's rows: its data, proxies, recipes and attacks, AutoAttack left out. It
runs through the harness, so a run that was stopped goes on where it was, and shares with a run of digits what is the
same in both.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from benchmark.ledger.entries import ENTRIES, Pair
from benchmark.ledger.lines import Compared, Counts, Setting, Trained
from benchmark.outcomes import settings
from benchmark.plan import Plan, Selection, make_plan
from benchmark.records import Record, Results
from benchmark.run import Settings, run_suite
from benchmark.spec import AutoAttack, Suite, load_suite, validated_suite
from benchmark.store import Store
from methods.api import Integers
from methods.errors import CoresetBenchError

if TYPE_CHECKING:
    from rich.console import Console

FRACTIONS = (0.1, 0.3)
REPLICATES = 8


def pairs() -> list[Pair]:
    """Every comparison of the ledger, in its order."""
    return [pair for entry in ENTRIES for pair in entry.pairs]


def ledger_suite() -> Suite:
    """The rows of every comparison, each once, in the digits suite."""
    base = load_suite("digits")
    rows = {row.name: row.canonical() for pair in pairs() for row in (pair.right, pair.faulty)}
    changes = {
        "name": "ledger",
        "rows": list(rows.values()),
        "fractions": FRACTIONS,
        "replicates": REPLICATES,
        "full": False,
        "attacks": {**base.attacks.canonical(), "autoattack": AutoAttack(fractions=()).canonical()},
    }
    return validated_suite({**base.canonical(), **changes}, "The ledger's suite")


def measure(run: Settings, console: "Console") -> list[Setting | Compared]:
    """Runs what the store lacks; the setting, and a line for each comparison, fraction and replicate.

    Raises:
        CoresetBenchError: a coreset could not be selected, or no model could be trained.
    """
    suite = ledger_suite()
    plan, store = make_plan(suite, run.data), Store(run.store)
    summary = run_suite(suite, run, console)
    lost = [record for record in summary.failed if record.failure and record.failure.stage != "train"]
    if lost and lost[0].failure:
        raise CoresetBenchError(f"The cell {lost[0].cell} failed: {lost[0].failure.message}")
    setting = _setting(suite, summary.records)
    return [setting, *_compared(plan, store, summary.records, setting)]


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
    results = {(r.factors.row, r.factors.fraction, r.factors.replicate, r.factors.regime): r.results for r in records}

    def counts(pair: Pair, fraction: float, replicate: int, regime: str) -> Counts | None:
        both = [results[row.name, fraction, replicate, regime] for row in (pair.faulty, pair.right)]
        found = [_right(each, setting.regimes[regime]) for each in both if each]
        return Counts(clean=(found[0][0], found[1][0]), robust=(found[0][1], found[1][1])) if len(found) == 2 else None

    for pair, fraction, replicate in product(pairs(), plan.suite.fractions, plan.replicates):
        chosen = [selections[row.name, fraction, replicate] for row in (pair.faulty, pair.right)]
        faulty, right = (_picks(store, selection) for selection in chosen)
        found = {regime: counts(pair, fraction, replicate, regime) for regime in setting.regimes}
        yield Compared(
            faulty=pair.faulty.name,
            right=pair.right.name,
            fraction=fraction,
            replicate=replicate,
            k=len(right),
            shared=len(np.intersect1d(faulty, right)),
            regimes={regime: made for regime, made in found.items() if made},
            keys=(chosen[0].coreset.key, chosen[1].coreset.key),
        )


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
