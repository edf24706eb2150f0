"""Importing the statistics is light, as every start of the command line does it."""

import subprocess
import sys


def test_neither_scipy_nor_torch_is_imported_before_it_is_needed() -> None:
    code = "import sys, benchmark.stats; print(sorted({'scipy', 'torch', 'pandas', 'methods'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
