"""The published timings, as a finding states them: ratios to plain implementations, of `results/perf`."""

import json
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmark.findings.statements import Refuse
from methods.errors import CoresetBenchError


@dataclass(frozen=True)
class Speed:
    """The files of timings in a folder."""

    folder: Path
    refuse: Refuse

    def ratios(self, size: str, target: float) -> str:
        """The least and the largest ratio among those of one target: "11 to 143"; refused where one falls short of it.

        A ratio is the baseline's median seconds over ours. `size` is the name of a file: "full" or "small".

        Raises:
            CoresetBenchError: there is no such file, or nothing in it that has this target.
        """
        path = self.folder / f"{size}.json"
        if not path.is_file():
            raise CoresetBenchError(f"There are no timings at {path}; take them with `make perf` or `make perf-full`.")
        groups = json.loads(path.read_bytes())["groups"]
        found = {
            name: median(group["contestants"]["baseline"]["seconds"]) / median(group["contestants"]["ours"]["seconds"])
            for name, group in groups.items()
            if group.get("target") == target and {"ours", "baseline"} <= set(group["contestants"])
        }
        if not found:
            raise CoresetBenchError(f"Nothing in {path} was timed with the target {target:g}.")
        slowest = min(found, key=lambda name: found[name])
        if found[slowest] < target:
            self.refuse(f"{slowest} reaches {found[slowest]:.1f} in {path}, and not {target:g}")
        return f"{found[slowest]:.0f} to {max(found.values()):.0f}"
