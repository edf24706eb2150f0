"""The wheel holds all that the command needs, and nothing of tests or results."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.end_to_end.test_cli import SMALL

CLONE = Path(__file__).parents[2]
SUITE = SMALL.replace('rows = ["random", "easycore"]\nfull = false', 'rows = ["easycore"]').replace(
    '"small"', '"two-cells"'
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy of what git tracks, so that nothing that lies about in the clone can slip in."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    files = subprocess.run(["git", "ls-files", "-z"], cwd=CLONE, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, map(os.fsdecode, files)):
        if (CLONE / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((CLONE / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`coreset-bench` in an environment that has our wheel and, to save a download of torch, this one's libraries."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel], check=True)
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    # A path file in a folder that a path file names is not read: the editable install of the clone stays out.
    (Path(site) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "coreset-bench"


def run(command: Path, *arguments: str, cwd: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "CORESET_BENCH_DATA")}
    done = subprocess.run([command, *arguments], cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_holds_both_packages_their_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"benchmark", "methods", "coreset_bench.py"}
    tracked = {
        path.relative_to(CLONE).as_posix()
        for path in (CLONE / "benchmark").rglob("*")
        if path.suffix in (".toml", ".j2")
    }
    assert tracked
    assert tracked <= set(names)


def test_lists_the_methods_from_an_empty_folder(command: Path, tmp_path: Path) -> None:
    listed = json.loads(run(command, "methods", "--json", cwd=tmp_path))
    assert {"easycore", "random", "k-center"} <= {row["name"] for row in listed}
    assert not list(tmp_path.iterdir())


def test_runs_a_suite_of_two_cells_from_an_empty_folder(command: Path, tmp_path: Path) -> None:
    (tmp_path / "two.toml").write_text(SUITE)
    printed = run(command, "run", "two.toml", "--jobs", "1", "--device", "cpu", cwd=tmp_path)
    assert "easycore" in printed
    records = (tmp_path / "results/local/two-cells/records.jsonl").read_text().splitlines()
    assert [json.loads(line)["status"] for line in records] == ["ok", "ok"]
    assert str(CLONE) not in json.loads(records[0])["provenance"]["commit"]


def test_works_as_a_module_too(command: Path, tmp_path: Path) -> None:
    module = [str(command.with_name("python")), "-m", "benchmark", "--help"]
    shown = subprocess.run(module, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "new-method" in shown


def test_names_another_package_that_stands_in_the_place_of_ours(command: Path, tmp_path: Path) -> None:
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "benchmark" / "__init__.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([command, "methods"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "'benchmark'" in done.stderr
    assert str(tmp_path / "benchmark") in done.stderr
    assert "Traceback" not in done.stderr
