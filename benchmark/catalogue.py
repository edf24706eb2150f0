"""Every method and signal on one Markdown page, to be read without installing anything: `docs/methods.md`."""

import re

from benchmark import markdown
from benchmark.roster import HEADINGS, line
from methods import registry
from methods.signals import get_signal, signal_names

INTRODUCTION = """\
<!-- Made by `coreset-bench methods --markdown > docs/methods.md` from the registry. -->
# Methods and signals

What is registered here. `coreset-bench methods NAME` prints all about one: its formula, parameters, price, and what
its paper leaves open; [the page of results](../results/site/index.html), opened from disk, has the same cards. Under
another policy a score is another row: `el2n@low`, `easycore@balanced`, `aum@stratified`."""
SIGNALS = """\
What a run of the proxy records; methods read nothing else of it. `[T, N]` is recorded at each of T epochs, `[N, …]`
once. A *snapshot* is of evaluation mode and plain images after an epoch, *online* is the training step's own,
*training* what dynamic methods see of the model that they train."""
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{5})")


def catalogue() -> str:
    """The page."""
    infos = [line(registry.get(name)) for name in registry.method_names()]
    parts = [INTRODUCTION]
    for kind, heading in HEADINGS.items():
        columns = ("method", *(["policy"] if kind == "score" else []), "keeps", "reads", "source")
        rows = [
            [
                f"`{info['name']}`",
                *([f"`@{info['policy']}`" if info["needs"] else ""] if kind == "score" else []),
                _cell(info["keeps"]),
                markdown.code(info["needs"], 20) if info["needs"] else "nothing",
                _linked(info["paper"]),
            ]
            for info in infos
            if info["kind"] == kind
        ]
        parts += [f"## {heading}", markdown.table(columns, rows, left=len(columns))]
    signals = [get_signal(name) for name in signal_names()]
    columns = ("signal", "view", "shape", "what it is")
    rows = [[f"`{s.name}`", s.view, f"`{s.shape}`", _cell(s.summary)] for s in signals]
    parts += ["## Signals", SIGNALS, markdown.table(columns, rows, left=len(columns))]
    return "\n\n".join(parts) + "\n"


def _cell(text: str) -> str:
    """Our own prose, in which names are set as code already."""
    return text.replace("|", r"\|")


def _linked(paper: str) -> str:
    return _ARXIV.sub(r"[\g<0>](https://arxiv.org/abs/\1)", _cell(paper)) if paper != "none" else ""
