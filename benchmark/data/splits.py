"""Class-stratified splits with exact totals, always the same ones: their seeds are fixed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmark.randomness import derive_seed
from methods.errors import UsageError

Indices = NDArray[np.int64]


class Parts(NamedTuple):
    """Indices into all images of a source; disjoint."""

    train: Indices
    tune: Indices
    select: Indices
    test: Indices


def stratified(labels: Indices, count: int, seed: int) -> Indices:
    """Draws `count` positions whose classes are in the proportions of `labels`, in ascending order.

    Each class gets its exact share rounded down; the largest remainders, the lowest class first among equals, share
    what is left. Which members of a class are drawn depends on the seed.

    Raises:
        ValueError: more positions are asked for than there are.
    """
    if not 0 <= count <= len(labels):
        raise ValueError(f"cannot draw {count} of {len(labels)}")
    sizes = np.bincount(labels)
    quota, remainder = np.divmod(sizes * count, max(len(labels), 1))
    quota[np.argsort(-remainder, kind="stable")[: count - quota.sum()]] += 1
    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # class by class, at random within each
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[rank < np.repeat(quota, sizes)]).astype(np.int64)


def interleaved(labels: Indices) -> Indices:
    """Positions in an order in which every beginning holds the classes in about their proportions.

    For files that are sorted by class, of which "the first 500" would otherwise be one class.
    """
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    rank = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[np.argsort((rank + 0.5) / np.repeat(sizes, sizes), kind="stable")].astype(np.int64)


def divide(name: str, labels: Indices, test: Indices | int, tune: int, select: int) -> Parts:
    """Divides the images of data set `name` into the pool, the two held-out parts and the test part.

    `test` is the official test part, which keeps its order, or the number of images to hold out as one. Neither
    depends on `tune` and `select`, and `tune` does not depend on `select`.

    Raises:
        UsageError: nothing would be left for the pool.
    """
    if isinstance(test, int):
        held = stratified(labels, test, derive_seed("split", "test"))
        test = held[interleaved(labels[held])]
    rest = np.setdiff1d(np.arange(len(labels)), test)
    if tune + select >= len(rest):
        raise UsageError(
            f"'{name}' has {len(rest)} training images, too few to hold out tune = {tune} and select = {select}; "
            f"make those smaller."
        )
    chosen = rest[stratified(labels[rest], tune, derive_seed("split", "tune"))]
    rest = np.setdiff1d(rest, chosen)
    apart = rest[stratified(labels[rest], select, derive_seed("split", "select"))]
    return Parts(np.setdiff1d(rest, apart), chosen, apart, test)


def limited(name: str, labels: Indices, parts: Parts, train: int | None, test: int | None) -> Parts:
    """The same parts with the pool and the test part cut to a stratified `train` and `test` images (None: all).

    Raises:
        UsageError: a limit is larger than its part.
    """

    def cut(what: str, part: Indices, count: int | None) -> Indices:
        if count is None:
            return part
        if count > len(part):
            raise UsageError(
                f"'{name}' has {len(part)} {what} images, fewer than {what} = {count}; lower that limit or drop it."
            )
        return part[stratified(labels[part], count, derive_seed("limit", what))]

    return parts._replace(train=cut("train", parts.train, train), test=cut("test", parts.test, test))
