"""How numbers and names are spelled in tables: the same bytes on every machine, and safe in Markdown."""

import math
import re
from collections.abc import Iterable, Sequence

from benchmark.records import Calibration
from benchmark.spec import Recipe
from benchmark.stats import Estimate

ABSENT = "–"
_MARKDOWN = re.compile(r"([\\`*_\[\]|~#>$])")
_ATTACKS = {"autoattack": "AutoAttack"}
_STAGES = {"pgd": "PGD", "margin": "margin PGD", "radii": "smallest ε", "autoattack": "AutoAttack"}
_CLOCKS = {"epochs": "equal epochs", "steps": "equal steps", "cost": "equal total cost"}
OPTIMISERS = {"sgd": "SGD", "adamw": "AdamW"}
_OBJECTIVES = {"standard": "Standard training", "trades": "TRADES training"}


def plain(text: str) -> str:
    """One line of printable characters: what a record or plugin says must not move the cursor or end a row."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def markdown(text: str) -> str:
    """The text with everything escaped that Markdown or HTML would read as markup."""
    return _MARKDOWN.sub(r"\\\1", plain(text)).replace("&", "&amp;").replace("<", "&lt;")


def fixed(value: float, digits: int = 1) -> str:
    """A decimal. Rounded first: sums that differ in their last bits between machines must print the same."""
    return f"{round(value, 9) + 0.0:.{digits}f}".replace("-", "−")


def share(found: Estimate | None) -> str:
    """A share in percent: "54.2 ± 1.3", without the second part where there is no interval."""
    return ABSENT if found is None else fixed(100 * found.mean) + _interval(found)


def points(found: Estimate | None) -> str:
    """A difference of shares in percentage points, with its sign: "+3.1 ± 1.2"."""
    if found is None:
        return ABSENT
    text = fixed(100 * found.mean)
    unsigned = text.lstrip("−")
    sign = "" if float(unsigned) == 0 else "−" if text != unsigned else "+"
    return sign + unsigned + _interval(found)


def _interval(found: Estimate) -> str:
    return "" if found.half_width is None else f" ± {fixed(100 * found.half_width)}"


def signed(value: float) -> str:
    """A number with its sign: "+1.9"; an infinite one as a symbol."""
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    text = fixed(value)
    return text if text.startswith("−") or float(text) == 0 else f"+{text}"


def ranks(found: tuple[int, int]) -> str:
    """The ranks that a row may have: "3", or "1–4"."""
    lowest, highest = found
    return f"{lowest}" if lowest == highest else f"{lowest}–{highest}"


def freedom(found: Estimate | None) -> str:
    """Degrees of freedom, which need not be whole."""
    return ABSENT if found is None or found.df is None else fixed(found.df)


def percent(fraction: float) -> str:
    """A fraction of the pool: "30 %"."""
    return f"{round(100 * fraction, 6):g} %"


def radius(epsilon: float | None) -> str:
    """An epsilon as people write it: "0.1", or "8/255" and "0.5/255" where that is what it is; None was not found."""
    if epsilon is None:
        return "not calibrated"
    text, quarters = f"{epsilon:.4g}", 4 * 255 * epsilon
    return text if float(text) == epsilon or abs(quarters - round(quarters)) > 1e-9 else f"{round(quarters) / 4:g}/255"


def kept(calibration: Calibration, epsilons: Sequence[float], primary: float, fraction: float) -> str:
    """What a measured primary epsilon was chosen by."""
    right = calibration.robust[list(epsilons).index(primary)]
    return (
        f"chosen on {calibration.images} images of tune, where random at {percent(fraction)} keeps "
        f"{percent(round(right / calibration.clean, 2))} of its clean accuracy"
    )


def measured_radius(epsilon: float, like: float | None) -> str:
    """A measured epsilon, in the manner in which `like` is written."""
    return f"{fixed(255 * epsilon)}/255" if "/" in radius(like) else fixed(epsilon, 3)


def seconds(value: float) -> str:
    """Seconds with about three figures; the absence of a value is NaN."""
    if math.isnan(value):
        return ABSENT
    return f"{value:,.0f}" if value >= 100 else fixed(value, 1 if value >= 10 else 2)


def attack(name: str) -> str:
    """An attack as it is written: "PGD-20", "margin PGD-20", "AutoAttack"."""
    return _ATTACKS.get(name, plain(name).replace("margin-", "margin ").replace("pgd", "PGD"))


def attacks(names: Iterable[str]) -> str:
    """Attacks joined: "PGD-20 and AutoAttack"."""
    return listed([attack(name) for name in names]) or "no attack"


def stage(name: str) -> str:
    """A stage of a cell's cost as a column is called."""
    return _STAGES.get(name, plain(name))


def replicates(numbers: Sequence[int]) -> str:
    """ "replicate 0", "replicates 0 and 2"."""
    return f"replicate{'s' if len(numbers) > 1 else ''} {listed([str(number) for number in numbers])}"


def counted(count: int, what: str) -> str:
    """ "1 epoch", "20 epochs", "30 proxies"."""
    if count == 1:
        return f"{count} {what}"
    if what.endswith("y"):
        return f"{count:,} {what[:-1]}ies"
    return f"{count:,} {what}{'es' if what.endswith('s') else 's'}"


def regime(name: str) -> str:
    """A regime's heading: "Standard training", or "Standard training at equal steps" on a clock of its own."""
    base, at, clock = name.partition("@")
    return _OBJECTIVES.get(base, plain(base)) + (f" at {_CLOCKS.get(clock, plain(clock))}" if at else "")


def listed(names: list[str], limit: int = 6) -> str:
    """ "a, b and c"; the rest is counted where there are more than `limit`."""
    if len(names) > limit:
        return f"{', '.join(names[: limit - 1])} and {len(names) - limit + 1} more"
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def clock(spec: Recipe) -> str:
    """What is equal between rows: "equal epochs", "equal steps" or "equal total cost"."""
    return _CLOCKS[spec.clock]


def recipe(spec: Recipe) -> str:
    """The training recipe in words."""
    parts = [
        f"{counted(spec.epochs, 'epoch')} of {OPTIMISERS[spec.optimiser]} at batch {spec.batch_size}",
        f"{_momentum(spec)}, weight decay {spec.weight_decay:g}",
        f"{spec.schedule} learning rate{'' if spec.schedule == 'constant' else ' up to'} {spec.lr:g}",
        _augmentation(spec),
    ]
    if spec.max_norm is not None:
        parts.insert(2, f"gradients cut to length {spec.max_norm:g}")
    if spec.precision != "float32":
        parts.append(f"in {spec.precision}")
    if spec.objective == "trades":
        step = radius(spec.inner_step_size)
        inner = f"{counted(spec.inner_steps, 'step')} of {step}"
        parts.insert(0, f"TRADES with β = {spec.beta:g}, ε = {radius(spec.epsilon)} in {inner}")
    return ", ".join(parts)


def _momentum(spec: Recipe) -> str:
    if spec.optimiser == "adamw":
        return f"β₁ {spec.momentum:g}"
    return f"{'Nesterov ' if spec.nesterov else ''}momentum {spec.momentum:g}"


def tuned(spec: Recipe, others: Iterable[tuple[float, Recipe]]) -> str:
    """What recipes of other fractions have instead: "; at 10 %: 40 epochs, learning rate 0.2"."""
    found = []
    for fraction, other in others:
        parts = [counted(other.epochs, "epoch")] if other.epochs != spec.epochs else []
        parts += [OPTIMISERS[other.optimiser]] if other.optimiser != spec.optimiser else []
        parts += [f"learning rate {other.lr:g}"] if other.lr != spec.lr else []
        parts += [f"weight decay {other.weight_decay:g}"] if other.weight_decay != spec.weight_decay else []
        found.append(f"; at {percent(fraction)}: {', '.join(parts) or 'another recipe'}")
    return "".join(found)


def budget(spec: Recipe, others: Iterable[tuple[float, Recipe]] = ()) -> str:
    """What the clock holds equal; `others` as for `tuned`."""
    tuned = any(other.epochs != spec.epochs for _, other in others)
    passes = "as many passes as the recipe of its fraction has" if tuned else counted(spec.epochs, "pass")
    if spec.clock == "epochs" and tuned:
        return f"equal epochs: {passes} over each coreset, the same for all rows"
    if spec.clock == "epochs":
        return f"equal epochs: {passes} over each coreset, so a smaller one gets fewer optimiser steps"
    if spec.clock == "cost":
        return (
            f"equal total cost: {passes} over each coreset, and with them what the row's own proxies and signals leave "
            "of an allowance that is the same for all rows"
        )
    verb = "takes" if spec.epochs == 1 and not tuned else "take"
    return f"equal steps: as many optimiser steps for each coreset as {passes} over the whole pool {verb}"


def _augmentation(spec: Recipe) -> str:
    augment = spec.augment
    parts = [f"crops after padding by {augment.pad}"] if augment.pad else []
    parts += ["random resized crops"] if augment.resized_crop else []
    parts += ["mirroring"] if augment.flip else []
    return " and ".join(parts) or "no augmentation"
