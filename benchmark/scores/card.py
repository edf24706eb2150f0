"""The data card of released scores, `results/scores/README.md`: a function of the files beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmark import markdown
from benchmark.scores.release import Entry, Release, ReleasedRow, read_release
from benchmark.store import write_atomically
from benchmark.wording import ABSENT, counted, listed, percent, recipe
from methods.errors import UsageError
from methods.policies import combine

FOLDER, CARD, SUFFIX = "scores", "README.md", ".parquet"
SHOWN = "digits"  # the suite of the examples, where it is released: the one whose data are in every installation
LICENCES = {
    "digits": "UCI's Optical Recognition of Handwritten Digits (Alpaydin and Kaynak 1998), under CC BY 4.0 there, as "
    "distributed with scikit-learn.",
    "cifar10": "CIFAR-10 (Krizhevsky 2009) comes without a licence; its authors ask to be cited.",
    "cifar100": "CIFAR-100 (Krizhevsky 2009) comes without a licence; its authors ask to be cited.",
    "imagenette": "Imagenette (fast.ai) is a part of ImageNet, whose terms of access hold for its images.",
    "imagenet": "ImageNet's terms of access hold for its images.",
}
OTHER = "Ask whoever holds the images of '{name}'."


@dataclass(frozen=True)
class Section:
    """One file as it is printed."""

    suite: str
    facts: list[tuple[str, str]]
    table: str
    rows: str
    missing: list[str]


def path_of(results: Path, suite: str) -> Path:
    """Where a suite's scores are released."""
    return results / FOLDER / f"{suite}{SUFFIX}"


def outdated(results: Path) -> dict[Path, bytes]:
    """The card with its content, where it is not what the files give.

    Raises:
        UsageError: nothing is released.
        CoresetBenchError: a file is damaged.
    """
    card, content = results / FOLDER / CARD, rendered(results)
    return {} if card.is_file() and card.read_bytes() == content else {card: content}


def write_card(results: Path) -> list[Path]:
    """Writes the card where it is not what the files give; the files written."""
    changed = outdated(results)
    for path, content in changed.items():
        write_atomically(path, content)
    return list(changed)


def rendered(results: Path) -> bytes:
    """The card. Raises as `outdated`."""
    paths = sorted((results / FOLDER).glob(f"*{SUFFIX}"))
    if not paths:
        raise UsageError(f"No scores are released under {results}; write some first: coreset-bench scores digits")
    releases = [(path, read_release(path)) for path in paths]
    suites = [release.about.suite for _, release in releases]
    names = dict.fromkeys(release.about.dataset.name for _, release in releases)
    text = markdown.template("scores.md.j2").render(
        overview=_overview(releases),
        sections=[_section(path, release) for path, release in releases],
        shown=SHOWN if SHOWN in suites else suites[0],
        licences=[(name, LICENCES.get(name, OTHER.format(name=name))) for name in names],
    )
    return text.encode()


def _overview(releases: list[tuple[Path, Release]]) -> str:
    rows = []
    for path, release in releases:
        about = release.about
        rows.append(
            [
                f"[{path.name}]({path.name})",
                about.dataset.name,
                f"{about.pool:,}",
                str(about.num_classes),
                str(len(about.entries)),
                str(len(about.rows)),
                str(len(about.seeds)),
                _size(path),
            ]
        )
    columns = ["file", "data set", "images", "classes", "methods", "rows of the suite", "replicates", "kB"]
    return markdown.table(columns, rows, left=2)


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1000:,.0f}"


def _section(path: Path, release: Release) -> Section:
    about = release.about
    entries = {entry.name: entry for entry in about.entries}
    columns = ["columns", "what it keeps by default", "unit", "hard samples", "reads"]
    return Section(
        about.suite,
        _facts(path, release),
        markdown.table(columns, [_line(entry) for entry in about.entries], left=len(columns)),
        ", ".join(_row(row, entries[row.entry]) for row in about.rows),
        [f"`{column}`: {markdown.wording.markdown(reason)}" for column, reason in about.missing.items()],
    )


def _facts(path: Path, release: Release) -> list[tuple[str, str]]:
    about = release.about
    limits = [f"{name} = {value:,}" for name, value in about.dataset.canonical().items() if isinstance(value, int)]
    facts = [
        ("Suite", f"{about.suite}, version {about.version}: {about.description}"),
        (
            "Data",
            f"{about.dataset.name}{f' ({listed(limits)})' if limits else ''}, a pool of {about.pool:,} images in "
            f"{about.num_classes} classes, checksum {about.checksum}",
        ),
    ]
    for name, training in about.proxies.items():
        count = sum(run.proxy == name for run in about.runs)
        epochs = sorted({run.epochs for run in about.runs if run.proxy == name})
        until = f", trained for {listed([str(number) for number in epochs])} of them" if len(epochs) > 1 else ""
        words = f"{training.model}; {recipe(training.recipe)}; {counted(count, 'training')}{until}"
        facts.append((f"Proxy '{name}'", words))
    fractions = listed([percent(fraction) for fraction in about.fractions], limit=20)
    facts.append(("Fractions of the suite", f"{fractions} of the pool"))
    facts.append(("Scores computed by", _origin(about.provenance["scores"])))
    trained = list(dict.fromkeys(_origin(origin) for origin in about.provenance["proxies"]))
    if trained != [_origin(about.provenance["scores"])]:
        facts += [("Proxies trained by", origin) for origin in trained]
    facts.append(("Checksum of the content", release.checksum))
    return facts


def _origin(origin: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in origin["packages"].items())
    return f"commit {origin['commit']}, Python {origin['python']}, {versions}; {origin['processor']}"


def _line(entry: Entry) -> list[str]:
    """A method's line: the pattern of its columns, and what they mean."""
    escaped = markdown.wording.markdown
    parts = [entry.name, *(["FRACTION"] if entry.fractions else []), "REPLICATE"]
    columns = f"`{'/'.join(parts)}`"
    if entry.weighted:
        columns += ", `…/weight`"
    if entry.seen is not None:
        columns += ", `…/label_probability`"
    what = escaped(entry.summary.rstrip("."))
    if entry.keep is None:
        unit = f"order of picks at {listed([percent(fraction) for fraction in entry.fractions], limit=20)}"
        unit += ", whose beginnings are smaller coresets" if entry.nested else ""
        return [columns, what, unit, ABSENT, _reads(entry)]
    return [columns, f"{what} ({entry.keep})", escaped(entry.unit) or ABSENT, entry.hard or ABSENT, _reads(entry)]


def _reads(entry: Entry) -> str:
    names = [text.partition(":")[0] for text in entry.reads]
    return markdown.wording.markdown("; ".join(names)) or ABSENT


def _row(row: ReleasedRow, entry: Entry) -> str:
    rule = combine(entry.keep, row.policy, entry.direction, entry.name) if entry.keep else "its own picks"
    return f"`{row.name}` ({rule})"
