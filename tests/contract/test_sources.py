"""A formula's key moves with its file and with every file that it builds on."""

import hashlib
from pathlib import Path

import pytest

from methods import registry, signals, sources


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`own` builds on `helper` (within a function), which builds on `deep.low`, which builds on `own` again."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "own.py").write_text("import numpy\n\n\ndef f():\n    from methods.helper import g\n    return g()\n")
    (tmp_path / "helper.py").write_text("import methods.deep.low\nfrom methods.api import Floats\ng = 1\n")
    (tmp_path / "deep" / "low.py").write_text("from methods.own import f\n")
    (tmp_path / "api.py").write_text("Floats = 1\n")
    (tmp_path / "other.py").write_text("x = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("edited", "moves"),
    [("own.py", True), ("helper.py", True), ("deep/low.py", True), ("api.py", False), ("other.py", False)],
)
def test_an_edit_moves_what_builds_on_it(package: Path, edited: str, moves: bool) -> None:
    before = sources.source_hash(package / "own.py")
    with (package / edited).open("a") as file:
        file.write("edited = 1\n")
    assert (sources.source_hash(package / "own.py") != before) == moves


def test_words_and_layout_move_nothing(package: Path) -> None:
    before = sources.source_hash(package / "own.py")
    for name in ("own.py", "helper.py"):
        file = package / name
        file.write_text(f'"""Explained anew."""\n\n{file.read_text()}\n# and annotated\n')
    assert sources.source_hash(package / "own.py") == before


def test_a_citation_moves_nothing_and_a_promise_does() -> None:
    cited = '@score("mine", needs="loss", keep="low", paper="none")\ndef f(signals):\n    return signals.loss[-1]\n'
    assert sources.code(cited) == sources.code(cited.replace("none", "arXiv:1906.11829"))
    assert sources.code(cited) == sources.code(cited.replace(', paper="none"', ""))
    assert sources.code(cited) != sources.code(cited.replace('keep="low"', 'keep="high"'))
    called = 'g(paper="none")\n'
    assert sources.code(called) != sources.code(called.replace("none", "one"))


def test_a_plugin_is_hashed_with_its_helpers(tmp_path: Path) -> None:
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    for name, text in {
        "__init__.py": "",
        "method.py": (
            "import numpy, mine.listed\nfrom .helper import f\nfrom . import bare\nfrom mine import named\n"
            "from .deep import h\nfrom mine.deep.low import g\nfrom yours.thing import i\n"
        ),
        "listed.py": "x = 1\n",
        "helper.py": "f = 1\n",
        "bare.py": "x = 1\n",
        "named.py": "x = 1\n",
        "other.py": "x = 1\n",
        "deep/__init__.py": "",
        "deep/low.py": "from ..far import g\n",
        "far.py": "g = 1\n",
    }.items():
        (tmp_path / "mine" / name).write_text(text)
    for edited, moves in (
        *((name, True) for name in ("listed.py", "helper.py", "bare.py", "named.py", "deep/__init__.py")),
        ("deep/low.py", True),
        ("far.py", True),
        ("other.py", False),
    ):
        before = sources.source_hash(tmp_path / "mine" / "method.py")
        with (tmp_path / "mine" / edited).open("a") as file:
            file.write("edited = 1\n")
        assert (sources.source_hash(tmp_path / "mine" / "method.py") != before) == moves, edited


def test_results_that_were_published_keep_their_keys() -> None:
    """Of formulas whose code has not changed since: their records name the hashes of whole files."""
    published = {registry.source_hash(registry.get(name)) for name in registry.method_names()}
    published |= {signals.get_signal(name).source_hash for name in signals.signal_names()}
    kept = published & set(sources.EARLY.values())
    assert len(kept) > len(published) / 2  # the others are new, or have changed since


def test_the_syntax_is_the_same_text_in_every_python() -> None:
    source = 'def f(x, *, a: int = 1) -> str:\n    """Words."""\n    return f"{x!r:>{a}} {a + 1}"\n'
    assert hashlib.blake2b(sources.code(source).encode(), digest_size=8).hexdigest() == "ab4cb8f2735e9515"


def test_methods_and_signals_are_hashed_so(monkeypatch: pytest.MonkeyPatch) -> None:
    method, signal = registry.get("ccs"), signals.get_signal("adversarial_margin")  # loading hashes the others
    hashed: list[str] = []
    true = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: hashed.append(path.name) or true(path))  # type: ignore[func-returns-value]
    registry.source_hash(method)
    assert hashed == ["ccs.py", "aum.py"]
    hashed.clear()
    assert signal.source_hash
    assert hashed == ["adversarial.py", "online.py"]
