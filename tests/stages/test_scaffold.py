"""`new-method`: what it writes works at once, in a clone and elsewhere."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from benchmark.scaffold import new_method
from methods.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """As much of a clone as methods and their tests need."""
    shutil.copytree(ROOT / "methods", tmp_path / "methods", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("oracles", "contract"):
        shutil.copytree(ROOT / "tests" / folder, tmp_path / "tests" / folder)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def python(*args: str, cwd: Path, path: str = "") -> str:
    """What Python prints, with a module path of its own."""
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *args], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_in_a_clone_the_method_and_its_test_work_with_no_other_edit(clone: Path) -> None:
    written = new_method("mean-loss", clone)
    assert written == [clone / "methods" / "mean_loss.py", clone / "tests" / "oracles" / "test_mean_loss.py"]
    listing = "import methods.registry as r; print(r.__file__, 'mean-loss' in r.method_names())"
    assert python("-c", listing, cwd=clone, path=str(clone)).split() == [str(clone / "methods" / "registry.py"), "True"]
    selected = ["tests/oracles/test_mean_loss.py", "tests/contract/test_contract.py", "-k", "mean_loss or mean-loss"]
    out = python("-m", "pytest", "-q", "-p", "no:cacheprovider", *selected, cwd=clone, path=str(clone))
    # the oracle and the contract in its file; over the registry: the contract, the oracle's presence, and two flips
    assert "6 passed" in out


def test_the_oracle_notices_a_changed_formula(clone: Path) -> None:
    method, _ = new_method("mean-loss", clone)
    method.write_text(method.read_text().replace('mean(axis=0, dtype="float64")', "max(axis=0)"))
    test = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/oracles/test_mean_loss.py"]
    with pytest.raises(AssertionError, match="test_agrees_with_the_oracle"):
        python(*test, cwd=clone, path=str(clone))


def test_elsewhere_it_is_a_package_that_installs_and_registers(tmp_path: Path) -> None:
    written = new_method("mean-loss", tmp_path)
    folder = tmp_path / "coreset-bench-mean-loss"
    assert {path.relative_to(folder).as_posix() for path in written} == {
        "pyproject.toml",
        "README.md",
        "coreset_bench_mean_loss/__init__.py",
        "tests/test_mean_loss.py",
    }
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["coreset_bench.methods"] == {"mean-loss": "coreset_bench_mean_loss:mean_loss"}
    target = tmp_path / "site"
    make = (
        "import sys; from setuptools import setup; "
        "sys.argv[1:] = ['-q', 'install_lib', '-d', sys.argv[1], 'install_egg_info', '-d', sys.argv[1]]; setup()"
    )
    python("-c", make, str(target), cwd=folder)
    path = os.pathsep.join([str(target), str(ROOT)])
    listing = "import methods.registry as r; print(r.get('mean-loss').function.__module__, r.unavailable())"
    assert python("-c", listing, cwd=tmp_path, path=path).split() == ["coreset_bench_mean_loss", "[]"]
    assert "2 passed" in python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder, path=path)


def test_the_command_says_what_comes_next(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    make = ["-m", "benchmark", "new-method", "mean-loss"]
    elsewhere = tmp_path_factory.mktemp("else where")
    said = python(*make, "--in", str(clone), cwd=elsewhere, path=str(ROOT))
    assert "Next: edit it, then coreset-bench check mean-loss" in said
    said = python(*make, "--in", str(elsewhere), cwd=elsewhere, path=str(ROOT))
    install = f"Next: python -m pip install --editable '{elsewhere / 'coreset-bench-mean-loss'}', edit it, then"
    assert install in said


@pytest.mark.parametrize("name", ["", "Mine", "my_method", "9lives", "a--b", "-a", "../up", "a b", "méthode"])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no name for a method"):
        new_method(name, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["class", "lambda", "match"])
def test_a_word_of_python_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a word of Python"):
        new_method(name, tmp_path)


@pytest.mark.parametrize("name", ["easycore", "least-confidence"])
def test_a_name_that_is_taken_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="exists already"):
        new_method(name, tmp_path)


@pytest.mark.parametrize("name", ["registry", "api", "contract", "signals"])
def test_the_package_s_own_modules_are_never_overwritten(name: str, clone: Path) -> None:
    before = sorted(clone.rglob("*.py"))
    with pytest.raises(UsageError, match="exists already"):
        new_method(name, clone)
    assert sorted(clone.rglob("*.py")) == before


def test_existing_files_stay_and_nothing_is_half_written(tmp_path: Path) -> None:
    new_method("mine", tmp_path)
    readme = tmp_path / "coreset-bench-mine" / "README.md"
    readme.write_text("my notes")
    (tmp_path / "coreset-bench-mine" / "pyproject.toml").unlink()
    with pytest.raises(UsageError, match="exists already"):
        new_method("mine", tmp_path)
    assert readme.read_text() == "my notes"
    assert not (tmp_path / "coreset-bench-mine" / "pyproject.toml").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "coreset-bench-mine").write_text("a file where the folder should be")
    with pytest.raises(UsageError, match="Cannot write in"):
        new_method("mine", tmp_path)


def test_the_method_is_at_most_ten_lines_of_own_code(tmp_path: Path) -> None:
    written = new_method("mine", tmp_path)
    tree = ast.parse(next(p for p in written if p.name == "__init__.py").read_text())
    lines = {
        n.lineno
        for n in ast.walk(tree)
        if isinstance(n, ast.stmt | ast.expr | ast.arg) and not isinstance(n, ast.Constant)
    }
    assert len(lines) <= 10
