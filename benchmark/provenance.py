"""Where a number came from: code, versions, processor. Recorded beside results, never part of a key."""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("coreset-bench", "torch", "torchvision", "numpy", "pyautoattack")


@cache
def provenance(device: str) -> dict[str, Any]:
    """Commit, versions, processor and thread count of this process. Imports torch."""
    import torch

    return {
        "commit": _commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "device": device if device == "cpu" else torch.cuda.get_device_name(device),
        "processor": processor(),
        "threads": torch.get_num_threads(),
    }


def processor() -> str:
    """The processor's name and number of cores, with the matrix units that decide how fast it trains."""
    name, flags = platform.processor() or platform.machine(), ""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() == "flags":
                flags = value
                break
    except OSError:
        pass  # not Linux: the platform's own word stands
    units = [unit for unit, flag in (("AVX512-BF16", "avx512_bf16"), ("AMX", "amx_tile")) if flag in flags.split()]
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count()
    return f"{name}, {cores} core{'s' * (cores != 1)}" + (f" ({', '.join(units)})" if units else "")


def peak_bytes() -> int:
    """The largest resident size of this process so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    """The commit of the clone that this code runs from, with "+" where files differ from it.

    Git answers for any folder inside a repository: a copy installed or pasted into someone else's is not theirs.
    """
    clone = Path(__file__).resolve().parents[1]
    top = _git(clone, "rev-parse", "--show-toplevel")
    if not top or Path(top).resolve() != clone:
        return "not a clone"
    return _git(clone, "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+") or "not a clone"


def _git(folder: Path, *arguments: str) -> str:
    """What git prints, in one line; empty where it fails or is not there."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
