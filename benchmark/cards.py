"""A method's card: what it keeps and why, what it reads and costs, and what its paper leaves open."""

import inspect
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from benchmark.charges import proxy_run
from benchmark.plan import read_until
from benchmark.spec import Recipe, Training
from benchmark.wording import counted, listed, percent
from methods import policies, registry
from methods.api import HELD_OUT, MethodInfo
from methods.errors import UsageError
from methods.signals import Signal, get_signal, read_share

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

KINDS = {
    "score": "a score: one number a sample, which a policy turns into a set",
    "set": "a set method: it chooses the picks itself, one after another",
    "dynamic": "dynamic: it chooses anew while the model trains, on a track of its own",
}
KEEPS = {
    "easy": "easy samples",
    "hard": "hard samples",
    "middle": "the middle between easy and hard",
    "cover": "samples that cover feature space",
    "any": "no end of easy to hard",
}
WIDEST = 100  # columns of running text
SCHEDULE = 100  # epochs of the proxy by which a card counts
COST, LEFT_OPEN = "Cost:", "Left open"  # paragraphs of a docstring that have a place of their own on the card


def card(method: Any, rows: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """What is to be said of a method beyond its line in the list. `rows` are its rows in each suite that has any."""
    info, (about, cost, left_open) = method.info, _prose(method)
    return {
        "policies": _policies(info),
        "suites": {suite: list(found) for suite, found in rows.items()},
        "nested": info.nested,
        "stochastic": info.stochastic,
        "per_class": info.per_class,
        "weighted": info.weighted,
        "proxy": _proxy(info),
        "passes": _passes(info),
        "alone": _alone(info),
        "cost": cost,
        "about": about,
        "left_open": left_open,
    }


def printed(found: Mapping[str, Any]) -> "Group":
    """The line and the card together, for people."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in facts(found):
        table.add_row(label, Text(text))
    base, _, policy = found["name"].partition("@")
    what = f"The score of {base}, kept by the policy {found['policy']}" if policy else found["keeps"]
    parts: list[RenderableType] = [Text.assemble((found["name"], "bold"), f"  {what}."), "", table]
    sections = [("Definition", paragraph) for paragraph in found["about"]]
    for paragraph in found["left_open"]:
        heading, _, rest = paragraph.partition(": ")
        sections.append((heading, rest[:1].upper() + rest[1:]))
    before = ""
    for heading, paragraph in sections:
        parts += [""] if heading == before else ["", Text(heading, style="bold")]
        parts.append(Padding(Text(paragraph), (0, 0, 0, 2), expand=False))
        before = heading
    return Group(*parts)


def facts(found: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """What is known of the method as (term, text); an empty term goes on with the one before."""
    yield "kind", KINDS[found["kind"]]
    yield "keeps", KEEPS[found["direction"]] + (f", by the policy {found['policy']}" if found["policy"] else "")
    if found["policies"]:
        yield "policies", ", ".join(f"@{policy}" for policy in found["policies"]) + "; joined by + with balanced"
    if found["parameters"]:
        yield "parameters", ", ".join(found["parameters"])
    for label, need in zip(["reads", *[""] * len(found["needs"])], found["needs"], strict=False):
        yield label, described(need, found["kind"] == "dynamic")
    yield "proxy", found["proxy"]
    if found["passes"]:
        yield "passes", "; ".join(found["passes"])
    if found["alone"]:
        yield "alone", f"proxies and signals take {found['alone']:.2f} trainings of a standard proxy on the whole pool"
    for text in found["cost"]:
        yield "cost", text.rstrip(".")
    if found["kind"] != "dynamic":
        nested = "nested: a smaller coreset is the beginning of a larger one"
        yield "budgets", nested if found["nested"] else "not nested"
    yield "classes", "each apart" if found["per_class"] else "all in one"
    yield "draws", "at random" if found["stochastic"] else "none but to break ties"
    yield "weights", "one a pick" if found["weighted"] else "none"
    same: dict[str, list[str]] = {}
    for suite, rows in found["suites"].items():
        same.setdefault(", ".join(rows), []).append(suite)
    for label, (rows, suites) in zip(["rows", *[""] * len(same)], same.items(), strict=False):
        yield label, f"{rows} in {listed(suites)}"
    if found.get("repeats"):
        yield "repeats", f"a known fault on purpose; the method as it should be is {found['repeats']}"
    yield "paper", found["paper"]


def described(need: str, in_training: bool) -> str:
    """A need as text: the signal, when it is recorded, and what it is."""
    signal = get_signal(need.removeprefix(HELD_OUT))
    part = " of the held-out part of train" if need.startswith(HELD_OUT) else ""
    return f"{signal.name}{part} ({_when(signal, in_training)}): {signal.summary.rstrip('.')}"


def _when(signal: Signal, in_training: bool) -> str:
    if in_training:
        return signal.view if signal.view == "training" else f"{signal.view}, of the model in training"
    if signal.every_epoch:
        return f"{signal.view}, every epoch"
    when = "after the last epoch" if signal.at == 1 else f"at {percent(signal.at)} of the schedule"
    return f"{signal.view}, {when}"


def _policies(info: MethodInfo) -> list[str]:
    """Those that the score takes."""
    if info.keep is None:
        return []
    return [policy for policy in policies.NAMES if _taken(f"{info.name}@{policy}")]


def _taken(name: str) -> bool:
    try:
        registry.get(name)
    except UsageError:
        return False
    return True


def _proxy(info: MethodInfo) -> str:
    """Whose training is read, and how much of it."""
    if info.kind == "dynamic":
        return "none: it reads the model in training"
    if not info.needs:
        return "none"
    count, share = int(info.params.get("proxies", 1)), read_share(info.needs, info.params)
    return counted(count, "proxy") + (f", read up to {percent(share)} of the schedule" if share < 1 else "")


def _passes(info: MethodInfo) -> list[str]:
    """What recording its signals takes beside the training that it reads, for each image. Methods share it."""
    signals = [get_signal(need.removeprefix(HELD_OUT)) for need in info.needs]
    snapshots = [signal for signal in signals if signal.view == "snapshot"]
    found = []
    for group, when in (
        ([s for s in snapshots if s.every_epoch], "whenever it selects" if info.kind == "dynamic" else "every epoch"),
        ([s for s in snapshots if not s.every_epoch], "whenever it selects" if info.kind == "dynamic" else "once"),
    ):
        if group:
            backward = " and 1 backward" if any("input_grad" in s.inputs for s in group) else ""
            own = [f"{s.passes[0]} forward and {s.passes[1]} backward for {s.name}" for s in group if any(s.passes)]
            more = f", and {listed(own)}" if own else ""
            found.append(f"1 forward{backward} an image {when}{more}")
    if signals and not snapshots:
        found.append("none beside the training itself")
    return found


def _alone(info: MethodInfo) -> float:
    """Proxies and signals, as if there were no other row, in trainings of a proxy; a held-out part comes on top."""
    if info.kind == "dynamic" or not info.needs:
        return 0.0
    training = Training(model="any", recipe=Recipe(epochs=SCHEDULE))
    run = proxy_run(training, read_until(info.needs, info.params, training), info.needs)
    return int(info.params.get("proxies", 1)) * run.pool / (SCHEDULE * training.recipe.work)


def _prose(method: Any) -> tuple[list[str], list[str], list[str]]:
    """The paragraphs of the file's docstring and the method's own without its summary: about it, cost, left open."""
    target = getattr(method, "function", type(method))
    own = _paragraphs(inspect.getdoc(target) or "")
    own[:1] = [rest for rest in [own[0].partition("\n")[2].strip()] if rest] if own else []
    module = sys.modules.get(target.__module__)
    found: dict[str, list[str]] = {"": [], COST: [], LEFT_OPEN: []}
    for paragraph in [*_paragraphs(inspect.getdoc(module) or "" if module else ""), *own]:
        place = next((start for start in (COST, LEFT_OPEN) if paragraph.startswith(start)), "")
        found[place].append(_flowing(paragraph.removeprefix(COST).strip() if place == COST else paragraph))
    return found[""], found[COST], found[LEFT_OPEN]


def _paragraphs(text: str) -> list[str]:
    return [part.strip("\n") for part in text.split("\n\n") if part.strip()]


def _flowing(paragraph: str) -> str:
    """Sentences and items of a list on one line each, to be broken where the terminal ends; formulas as they are."""
    if paragraph.startswith(" "):
        return paragraph
    return re.sub(r"\s*\n(?!- )\s*", " ", paragraph)
