"""Memory that is freed stays with the process."""

import subprocess
import sys
from pathlib import Path

import pytest

FAULTS = """
import resource
from benchmark.execution.allocator import keep_freed_memory
{call}
def once():
    return [bytearray(b"1") * (8 * 2**20) for _ in range(9)]
for _ in range(3):
    once()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    once()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(call: str) -> int:
    """Pages that the system hands out anew while nine blocks of 8 MB are taken and given back ten times."""
    script = FAULTS.format(call=call)
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not Path("/lib/x86_64-linux-gnu/libc.so.6").exists(), reason="a setting of glibc")
def test_the_next_block_finds_the_memory_of_the_last() -> None:
    assert faults("") > 1000
    assert faults("keep_freed_memory()") < 100
