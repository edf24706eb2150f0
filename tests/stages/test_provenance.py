"""A record names the commit of our own clone, never that of a repository that it happens to lie in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NAMED = "from benchmark.provenance import _commit; print(_commit())"


def git(folder: Path, *arguments: str) -> str:
    author = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(folder), *author, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit_seen(place: Path) -> str:
    """What a copy of the package at `place` says of itself."""
    environment = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", NAMED], cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def copied(place: Path) -> None:
    for name in ("benchmark", "methods"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "mine.txt").write_text("someone else's")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "mine.txt")
    git(tmp_path, "commit", "--quiet", "-m", "One")
    return tmp_path


def test_a_clone_names_its_commit_and_whether_files_differ(repository: Path) -> None:
    copied(repository)
    git(repository, "add", "benchmark", "methods")
    git(repository, "commit", "--quiet", "-m", "Two")
    head = git(repository, "rev-parse", "--short=12", "HEAD")
    assert commit_seen(repository) == head
    (repository / "mine.txt").write_text("edited")
    assert commit_seen(repository) == f"{head}+"


def test_a_copy_inside_another_repository_names_no_commit(repository: Path) -> None:
    copied(repository / "environment" / "site-packages")
    assert commit_seen(repository / "environment" / "site-packages") == "not a clone"


def test_a_copy_in_no_repository_names_no_commit(tmp_path: Path) -> None:
    copied(tmp_path)
    assert commit_seen(tmp_path) == "not a clone"
