"""The text that a formula is made of: a part of the key of everything that it computes."""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parent
IMPORTED = re.compile(r"^\s*(?:from|import) methods\.([\w.]+)", re.MULTILINE)
# What all of them build on, whose changes are changes of a stage's version, or no formula at all.
COMMON = {"api", "dynamics", "errors", "functions", "policies", "registry", "signals", "signals.recorder"}


def source_hash(path: Path) -> str:
    """A hash of a file, and of those of this package that it builds on (`gradients.py`), and so on.

    So that an edited formula never meets what its former self computed.
    """
    found, digest = [path], hashlib.blake2b(digest_size=8)
    for file in found:
        text = file.read_bytes()
        digest.update(text)
        for name in IMPORTED.findall(text.decode()):
            other = ROOT.joinpath(*name.split(".")).with_suffix(".py")
            if name not in COMMON and other not in found and other.is_file():
                found.append(other)
    return digest.hexdigest()
