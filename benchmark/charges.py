"""What a row needs before its coreset can be trained on, counted and not timed.

The unit is the forward-equivalent: one sample sent forward through the network; a backward pass counts as two. Every
row is charged what it would need alone: its own proxies up to the epoch that it reads, and what its own signals record
on them. Selection sends nothing through a network and is not charged: its seconds, which depend on the machine, are
recorded. A method that trains networks of its own while it selects cannot be charged, and is not affordable.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from benchmark.spec import Recipe, Suite, Training
from methods.api import HELD_OUT
from methods.signals import get_signal
from methods.signals.recorder import Recorder

BACKWARD = 2  # forward-equivalents of a backward pass


@dataclass(frozen=True)
class Charge:
    """Forward-equivalents for each image of the pool, and of the held-out part; below 0 where more is spent."""

    pool: int = 0
    held_out: int = 0

    def __add__(self, other: "Charge") -> "Charge":
        return Charge(self.pool + other.pool, self.held_out + other.held_out)

    def __sub__(self, other: "Charge") -> "Charge":
        return Charge(self.pool - other.pool, self.held_out - other.held_out)

    def of(self, pool: int, held_out: int) -> int:
        """In all, where the two parts have so many images."""
        return self.pool * pool + self.held_out * held_out


@cache
def recording(needs: tuple[str, ...], until: int, schedule: int) -> Charge:
    """What these signals take in a proxy run of `until` epochs of its schedule, beside the training itself."""
    parts = ([n for n in needs if not n.startswith(HELD_OUT)], [n for n in needs if n.startswith(HELD_OUT)])
    pool, held_out = (_snapshots([n.removeprefix(HELD_OUT) for n in part], until, schedule) for part in parts)
    return Charge(pool, held_out)


def _snapshots(names: Iterable[str], until: int, schedule: int) -> int:
    recorder = Recorder([get_signal(name) for name in names], 0, until, seed=0, schedule=schedule)
    passes = [recorder.snapshot_passes(epoch) for epoch in range(until)]
    return sum(forward + BACKWARD * backward for forward, backward in passes)


def proxy_run(training: Training, until: int, needs: Iterable[str]) -> Charge:
    """A proxy trained on the whole pool for `until` epochs of its schedule, and what is recorded on it."""
    recipe = training.recipe
    return Charge(recipe.work * until) + recording(tuple(needs), until, recipe.epochs)


def allowance(suite: Suite) -> Charge:
    """What every row may spend beside equal epochs of its coreset, on the clock "cost"."""
    recipe = suite.proxies["standard"].recipe
    return Charge(round(suite.allowance * recipe.work * recipe.epochs))


def presentations(recipe: Recipe, k: int, spare: Charge, pool: int, held_out: int) -> int:
    """Samples that the clock "cost" lets a coreset of `k` present: equal epochs of it, and what the row has to spare.

    Below 0 where it has less than nothing.
    """
    return recipe.epochs * k + spare.of(pool, held_out) // recipe.work


def affordable(recipe: Recipe, fraction: float, spare: Charge) -> bool:
    """Whether that is one pass over the coreset at least, however large the held-out part (at most as the pool)."""
    return (recipe.epochs - 1) * recipe.work * fraction + spare.pool + min(0, spare.held_out) >= 0
