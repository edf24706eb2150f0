"""A stage and its content address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from benchmark.spec import DatasetSpec
from benchmark.store import Store, content_key

# Raise a stage's version when its code changes what it computes; a test pins each to its sources.
VERSIONS = {
    "data": 2,
    "proxy": 3,
    "signal": 2,
    "coreset": 2,
    "model": 3,
    "dynamic": 1,
    "outcome": 3,
    "calibration": 1,
    "trial": 1,
}


@dataclass(frozen=True)
class Stage:
    """One stage: its spec, and the keys of what it is made from."""

    kind: str
    spec: Mapping[str, Any]
    parents: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        return content_key(self.kind, VERSIONS[self.kind], self.spec, self.parents)

    @property
    def described(self) -> dict[str, Any]:
        """What the store writes beside the result."""
        return {"kind": self.kind, "version": VERSIONS[self.kind], "spec": self.spec, "parents": self.parents}

    def done(self, store: Store) -> bool:
        return store.has(self.kind, self.key)


@dataclass(frozen=True)
class Data:
    """The data set as a part of keys."""

    spec: DatasetSpec
    fingerprint: str

    def canonical(self) -> dict[str, Any]:
        """In the key of every stage that loads the data; the version is the data stage's."""
        return {"dataset": self.spec.canonical(), "fingerprint": self.fingerprint, "version": VERSIONS["data"]}

    @property
    def stage(self) -> Stage:
        """What is known of the data once they have been loaded."""
        return Stage("data", self.canonical())
