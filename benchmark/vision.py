"""torchvision, made importable: the one place of the project that imports it.

PyPI's torchvision is built against a CUDA torch. Beside a CPU build of torch its compiled operators do not load, and
the import fails because the shape rules that it registers name operators nobody declared ("operator torchvision::nms
does not exist"). Declaring the schemas of those operators is enough: data sets, models and transforms are plain
Python. What stays missing there are the operators themselves and the image decoders of `torchvision.io`, so images
are read by Pillow everywhere.

Use it as `from benchmark.vision import torchvision`.
"""

import sys
from importlib import import_module
from types import ModuleType

from torch.library import Library

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[Library] = []  # a library's declarations end when it is collected, so it stays referenced


def _import() -> ModuleType:
    try:
        return import_module("torchvision")
    except RuntimeError as error:
        if "torchvision::" not in str(error):
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # half imported
    library = Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    _declared.append(library)
    return import_module("torchvision")


torchvision = _import()
