"""Names of files and labels, made of what records say: plain characters, and no two that a file system confuses."""

import re
from dataclasses import dataclass, field

_LONGEST = 120


@dataclass
class Names:
    """Gives names out; one that was given already, whatever its case, gets a number."""

    given: set[str] = field(default_factory=set)

    def fresh(self, text: str) -> str:
        """Letters, digits and "@+.-" of the text, all else an underscore; no dot in front."""
        plain = re.sub(r"[^A-Za-z0-9@+.-]+", "_", text)[:_LONGEST].strip("._") or "_"
        name, number = plain, 1
        while name.casefold() in self.given:
            number += 1
            name = f"{plain}-{number}"
        self.given.add(name.casefold())
        return name
