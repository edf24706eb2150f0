"""Which network an artifact is of: outcomes and signals carry the digest of the weights that they were measured on.

Training again on another machine or torch may give another network under the same key; what was measured on the first
is then no part of a record of the second. Artifacts of early stores carry no digest and are taken for each other's.
"""

import hashlib
from collections.abc import Iterable

import numpy as np

from benchmark.store import Arrays, Artifact


def digest(weights: Arrays) -> str:
    """The same for the same weights, bit for bit."""
    found = hashlib.blake2b(digest_size=16)
    for name in sorted(weights):
        found.update(f"{name} {weights[name].dtype} {weights[name].shape}".encode())
        found.update(np.ascontiguousarray(weights[name]).tobytes())
    return found.hexdigest()


def marked(artifact: Artifact, network: str | None) -> Artifact:
    """The artifact with the digest of its network; as it is where there is none."""
    return Artifact(artifact.arrays, {**artifact.meta, "weights": network}) if network else artifact


def network_of(artifact: Artifact) -> str | None:
    found: str | None = artifact.meta.get("weights")
    return found


def of_one_network(model: Artifact | None, outcomes: Iterable[Artifact | None]) -> bool:
    """Whether a model and all its outcomes are there, and the outcomes are of the weights that the model has."""
    return model is not None and all(
        outcome is not None and network_of(outcome) == network_of(model) for outcome in outcomes
    )
