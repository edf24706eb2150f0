"""From records to rates: one line of a DataFrame for each cell that ran. Nothing here averages over cells.

Rates are shares in [0, 1], epsilons are in units of pixels in [0, 1], costs are those that the records hold.
"""

import binascii
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmark.leaderboard.names import AUTOATTACK
from benchmark.records import Calibration, Factors, Radii, Record, Results, unpack_levels
from benchmark.spec import FULL, Recipe
from methods.errors import CoresetBenchError

# Factors that say what a whole run holds.
DECLARED = ("suite_fractions", "suite_replicates", "suite_cells", "suite_nulls", "suite_family", "suite_proxy_seeds")

Value = TypeVar("Value")


@dataclass(frozen=True)
class Setting:
    """What all cells of one regime have in common.

    `attacks` are those that every cell ran at the primary epsilon on the first `images` test images, the most that
    they have in common: robust accuracy is the worst case over these, so that no cell is measured against a stronger
    attacker than its neighbour, and no image either.

    `recipe` is that of most fractions, `tuned` what others have in its place. `primary` is None where measuring it
    failed, and every cell with it. `specs` are the settings of each of the attacks as JSON, but for seeds: two of one
    name may differ in restarts.
    """

    regime: str
    model: str
    recipe: Recipe
    tuned: tuple[tuple[float, Recipe], ...]  # in ascending order of fractions
    threat: str
    epsilons: tuple[float, ...]
    primary: float | None
    calibration: Calibration | None
    attacks: tuple[str, ...]
    images: int
    specs: tuple[str, ...] = ()


def of_rows(records: Iterable[Record]) -> list[Record]:
    """The records without the random draws that rows are held against: what tables and figures of rows are made of."""
    return [record for record in records if not record.factors.null]


def check(records: Sequence[Record]) -> None:
    """Refuses what cannot stand in one table.

    Raises:
        CoresetBenchError: no records, several suites, suite versions or data sets, a cell that occurs twice, or one
            that the suite does not declare, or replicates that are none.
    """
    if not records:
        raise CoresetBenchError("There are no records to show; run the suite first (coreset-bench run SUITE).")
    single("suites", [record.suite for record in records])
    single("suite versions", [record.suite_version for record in records])
    for name in ("dataset", "dataset_spec", "checksum", "pool", "num_classes", *DECLARED):
        single(f"values of '{name}'", [getattr(record.factors, name) for record in records])
    cell, count = Counter(map(_identity, records)).most_common(1)[0]
    if count > 1:
        row, fraction, regime, replicate = cell
        raise CoresetBenchError(
            f"The cell {row}, {fraction:g}, {regime}, replicate {replicate} occurs {count} times in these records; "
            "write the file again with `coreset-bench run`."
        )
    declared = records[0].factors
    for factors in (record.factors for record in records if not record.factors.null):
        fractions = (1.0,) if factors.row == FULL or factors.own_budget else declared.suite_fractions
        if factors.fraction not in fractions or factors.replicate >= declared.suite_replicates:
            raise CoresetBenchError(
                f"The cell {factors.row}, {factors.fraction:g}, {factors.regime}, replicate {factors.replicate} is not "
                "one that its suite declares; write the file again with `coreset-bench run`."
            )
    _check_seeds(records)


def _check_seeds(records: Sequence[Record]) -> None:
    """Each replicate has one training seed, which all rows share, and no other has it: or nothing would be paired."""
    pairs = {(r.factors.replicate, r.factors.seeds.training) for r in records if not r.factors.null}
    for place, what in ((0, "training seeds in replicate"), (1, "replicates of the training seed")):
        for value, count in Counter(pair[place] for pair in pairs).items():
            if count > 1:
                raise CoresetBenchError(
                    f"These records hold {count} {what} {value}, and so no replicates to compare; write the file again "
                    "with `coreset-bench run`."
                )


def _identity(record: Record) -> tuple[str, float, str, int]:
    factors = record.factors
    return factors.row, factors.fraction, factors.regime, factors.replicate


def single(what: str, values: Iterable[Value]) -> Value:
    """The one value that all of them are.

    Raises:
        CoresetBenchError: there is more than one.
    """
    found = list(values)
    for value in found[1:]:
        if value != found[0]:
            raise CoresetBenchError(
                f"These records hold several {what} ({found[0]} and {value}); keep the records of one run in one file."
            )
    return found[0]


def settings(records: Sequence[Record]) -> dict[str, Setting]:
    """The setting of each regime, in the order in which the records name them; random draws have no say in it.

    Raises:
        CoresetBenchError: cells of one regime differ in what they must share, or no attack is common to them.
    """
    regimes: dict[str, list[Record]] = {}
    for record in of_rows(records) or records:
        regimes.setdefault(record.factors.regime, []).append(record)
    return {regime: _setting(regime, members) for regime, members in regimes.items()}


def _setting(regime: str, records: Sequence[Record]) -> Setting:
    common: dict[str, Any] = {
        name: single(f"values of '{name}' in regime '{regime}'", [getattr(r.factors, name) for r in records])
        for name in ("model", "threat", "epsilons", "primary", "calibration")
    }
    recipe, tuned = _recipes(regime, records)
    runs = [_at(record.results, common["primary"]) for record in records if record.results]
    shared = [run for run in runs[0] if all(run in other for other in runs)] if runs else []
    if runs and not shared:
        raise CoresetBenchError(
            f"No attack at the primary epsilon was run on every cell of regime '{regime}'; run the suite again."
        )
    images = max((count for _, count in shared), default=0)
    attacks = tuple(attack for attack, count in shared if count == images)
    specs = tuple(_spec(regime, records, attack) for attack in attacks)
    return Setting(regime=regime, recipe=recipe, tuned=tuned, attacks=attacks, images=images, specs=specs, **common)


def _spec(regime: str, records: Sequence[Record], attack: str) -> str:
    """What decides an attack's verdicts in all of these cells, but for seeds; empty where records do not hold it."""
    verdicts = [v for record in records if record.results for v in record.results.attacks if v.attack == attack]
    kept = [{name: v for name, v in each.spec.items() if name not in ("seed", "batch_size")} for each in verdicts]
    known = [json.dumps(spec, sort_keys=True) for spec in kept if spec]
    return single(f"settings of {attack} in regime '{regime}'", known) if known else ""


def _recipes(regime: str, records: Iterable[Record]) -> tuple[Recipe, tuple[tuple[float, Recipe], ...]]:
    """The recipe of most fractions (of the larger ones where as many have another), and those of the others."""
    sizes: dict[float, list[Recipe]] = {}
    for factors in (record.factors for record in records):
        sizes.setdefault(factors.fraction, []).append(factors.recipe)
    found = {
        fraction: single(f"recipes at {fraction:g} in regime '{regime}'", recipes)
        for fraction, recipes in sorted(sizes.items())
    }
    common = Counter(reversed(found.values())).most_common(1)[0][0]
    return common, tuple((fraction, recipe) for fraction, recipe in found.items() if recipe != common)


def _at(results: Results, epsilon: float) -> list[tuple[str, int]]:
    """Attack and number of attacked images, for each attack run at this epsilon."""
    return [(verdict.attack, verdict.images) for verdict in results.attacks if verdict.epsilon == epsilon]


def frame(records: Sequence[Record]) -> pd.DataFrame:
    """One line for each cell of a row that ran; failed cells have none, nor have random draws.

    row, method, fraction, regime, replicate, k: the cell. proxy_epochs: what the row needs alone.
    presented: samples shown in training, as a share of what training on the whole pool shows (0: not recorded).
    clean: accuracy on all test images. worst_class: the lowest clean accuracy of a class.
    robust: accuracy at the primary epsilon, worst case sample by sample over the regime's common attacks.
    robust_among_right: the same among the attacked images that are right when clean.
    robust@E: the same as robust at each epsilon E of the regime (NaN in other regimes).
    median_epsilon: median over the cleanly right images of the smallest epsilon that flips them, inf where the median
    image was never flipped up to `epsilon_bound`.
    autoattack: worst case over AutoAttack and the regime's common attacks at the primary epsilon, on the
    `autoattack_images` images that both saw (autoattack_omitted: what it left out); without_autoattack: worst case
    over the common attacks but AutoAttack on those same images (NaN: not run).
    seconds:STAGE: seconds of a CPU's cores, or of an accelerator, when the stage was first computed, as recorded.

    Raises:
        CoresetBenchError: see `check` and `settings`; or the outcomes of a cell cannot be decoded.
    """
    check(records)
    common = settings(records)
    return pd.DataFrame(
        [
            _line(record, record.results, common[record.factors.regime])
            for record in of_rows(records)
            if record.results is not None
        ]
    )


def _line(record: Record, results: Results, setting: Setting) -> dict[str, Any]:
    factors = record.factors
    cell = {name: getattr(factors, name) for name in ("row", "method", "fraction", "regime", "replicate", "k")}
    costs = {f"seconds:{stage}": seconds for stage, seconds in record.cost.seconds.items()}
    spent = {"proxy_epochs": factors.proxy_epochs, "optimiser_steps": factors.optimiser_steps}
    return cell | rates(record, results, setting) | spent | {"presented": presented(factors, setting)} | costs


def presented(factors: Factors, setting: Setting) -> float:
    """Samples shown in training, as a share of what training on the whole pool shows; 0 where it is not recorded.

    The latter by the recipe of most fractions: more epochs may be tuned for others.
    """
    return factors.presentations / (setting.recipe.epochs * factors.pool)


def rates(record: Record, results: Results, setting: Setting) -> dict[str, Any]:
    """The rates of a cell under a setting, by the names that `frame` gives them.

    Raises:
        CoresetBenchError: the outcomes cannot be decoded.
    """
    try:
        return _rates(results, setting)
    except (ValueError, binascii.Error, zlib.error) as error:
        raise CoresetBenchError(
            f"The outcomes of cell {record.cell} ({record.factors.row}, {setting.regime}) cannot be decoded ({error}); "
            "write the file again with `coreset-bench run`."
        ) from None


def _rates(results: Results, setting: Setting) -> dict[str, Any]:
    assert setting.primary is not None  # a cell without one has failed, and has no results
    clean = results.clean_bits()
    robust = results.robust_bits(setting.primary, setting.attacks, setting.images)
    if robust is None:  # a random draw that met none of these attacks: `settings` found them in every cell of a row
        robust = np.zeros(0, dtype=np.bool_)
    right = clean[: len(robust)].sum()
    found: dict[str, Any] = {
        "clean": _share(clean),
        "worst_class": min(
            correct / count
            for correct, count in zip(results.clean_by_class, results.class_counts, strict=True)
            if count
        ),
        "robust": _share(robust),
        "robust_among_right": float(robust.sum() / right) if right else np.nan,
        "median_epsilon": median_epsilon(results.radii),
        "epsilon_bound": results.radii.step * results.radii.levels,
    }
    for epsilon in setting.epsilons:
        bits = results.robust_bits(epsilon, setting.attacks, setting.images)
        found[f"robust@{epsilon}"] = np.nan if bits is None else _share(bits)
    strong = next((v for v in results.attacks if v.attack == AUTOATTACK and v.epsilon == setting.primary), None)
    if strong is not None:
        images, others = min(strong.images, setting.images), set(setting.attacks) - {AUTOATTACK}
        worst = results.robust_bits(setting.primary, {*others, AUTOATTACK}, images)
        usual = results.robust_bits(setting.primary, others, images)
        assert worst is not None  # AutoAttack's verdicts at least
        found["autoattack"] = _share(worst)
        found["without_autoattack"] = np.nan if usual is None else _share(usual)
        found["autoattack_images"] = images
        found["autoattack_omitted"] = "; ".join(strong.omitted)
    return found


def _share(right: NDArray[np.bool_]) -> float:
    return int(np.count_nonzero(right)) / right.size if right.size else np.nan


def median_epsilon(radii: Radii) -> float:
    """Median smallest epsilon of the cleanly right images: inf beyond the search's bound, NaN if none is right."""
    codes = unpack_levels(radii.codes)
    right = np.sort(codes[codes > 0])
    if not right.size:
        return np.nan
    middle = right[(right.size - 1) // 2], right[right.size // 2]  # the same image twice where their number is odd
    lower, upper = (np.inf if level > radii.levels else float(level) * radii.step for level in middle)
    return (lower + upper) / 2
