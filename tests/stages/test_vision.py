"""torchvision imports cleanly whatever torch it meets, and what the project uses of it works."""

import re
import subprocess
import sys
from pathlib import Path

import benchmark


def test_import_is_silent_and_models_and_data_sets_work() -> None:
    script = (
        "from benchmark.vision import torchvision as t; import torch;"
        "assert t.models.resnet18 and t.datasets.CIFAR10 and t.datasets.utils.check_integrity"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_nothing_else_imports_torchvision() -> None:
    package = Path(benchmark.__file__).parent
    direct = re.compile(r"^\s*(import|from) torchvision", re.MULTILINE)
    files = [*package.rglob("*.py"), *package.with_name("methods").rglob("*.py")]
    assert len(files) > 10
    assert [file for file in files if direct.search(file.read_text(encoding="utf-8"))] == []


def test_data_and_models_import_nothing_heavy() -> None:
    script = (
        "import sys, benchmark.data as d, benchmark.models as m; d.describe(); m.model_names(); d.dataset_names();"
        "heavy = {'torch', 'torchvision', 'sklearn', 'pandas', 'scipy', 'PIL'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
