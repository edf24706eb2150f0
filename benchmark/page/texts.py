"""JSON that is safe inside HTML, and values that many records share, written once."""

import json
from typing import Any

# What could end the element, open a comment, or end a line of JavaScript.
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def embedded(value: Any) -> str:
    """The value as JSON in which no HTML parser finds markup: none of its characters means anything there."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_UNSAFE).encode("utf-8", "replace").decode()


class Pool:
    """Values by number, each kept once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: Any) -> int:
        """Where the value stands in `values`."""
        spelled = json.dumps(value)
        if spelled not in self._numbers:
            self._numbers[spelled] = len(self.values)
            self.values.append(value)
        return self._numbers[spelled]
