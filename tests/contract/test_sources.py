"""A formula's key moves with its file and with every file that it builds on."""

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
        file.write("# edited\n")
    assert (sources.source_hash(package / "own.py") != before) == moves


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
