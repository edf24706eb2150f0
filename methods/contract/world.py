"""What a method may be shown, in a form that checks can permute, rename and spoil."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from methods.api import HELD_OUT, Context, HeldOut, Integers, Signals

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class World:
    """A training set and what proxies recorded of it.

    labels           int64 [N]
    grades           int64 [N]: how each sample was planted
    proxies          the declared signals of each proxy run, by need
    axes             the axes of each need by name, such as ("T", "N") or ("N", "C")
    epochs           the proxies' schedule, T
    held_out_labels  int64 [M], for needs that start with "select."
    """

    labels: Integers
    num_classes: int
    grades: Integers
    proxies: tuple[Arrays, ...]
    axes: dict[str, tuple[str, ...]]
    epochs: int
    held_out_labels: Integers

    @property
    def n(self) -> int:
        return len(self.labels)

    def context(self, seed: int, asked_by: str) -> Context:
        """What the harness would hand to a method. It sees this world's own arrays, not copies."""
        held_out = self._signals(HELD_OUT, asked_by)
        return Context(
            self.labels,
            self.num_classes,
            self._signals("", asked_by),
            np.random.default_rng(seed),
            HeldOut(self.held_out_labels, held_out) if held_out.names else None,
        )

    def _signals(self, part: str, asked_by: str) -> Signals:
        first, *others = (
            {need.removeprefix(part): a for need, a in arrays.items() if need.startswith(HELD_OUT) == bool(part)}
            for arrays in self.proxies
        )
        more = tuple(Signals(arrays, self.epochs, asked_by=asked_by) for arrays in others)
        return Signals(first, self.epochs, asked_by=asked_by, others=more)

    def at(self, samples: Integers) -> "World":
        """Only these samples, in this order. The held-out part stays."""

        def take(need: str, array: NDArray[Any]) -> NDArray[Any]:
            return array if need.startswith(HELD_OUT) else np.take(array, samples, axis=self._axis(need))

        return replace(self, labels=self.labels[samples], grades=self.grades[samples], proxies=self._each(take))

    def renamed(self, names: Integers) -> "World":
        """Class c is called names[c]: in the labels, and along every class axis of the signals."""
        former = np.argsort(names)

        def rename(need: str, array: NDArray[Any]) -> NDArray[Any]:
            for axis, what in enumerate(self.axes[need]):
                array = np.take(array, former, axis=axis) if what == "C" else array
            return array

        names = np.asarray(names)
        return replace(
            self,
            labels=names[self.labels],
            held_out_labels=names[self.held_out_labels],
            proxies=self._each(rename),
        )

    def levelled(self, samples: Integers | None = None) -> "World":
        """These samples, or all, have the signals of the first of them, so that labels alone tell them apart."""
        alike = np.arange(self.n) if samples is None else samples
        source = np.arange(self.n)
        source[alike] = alike[0]
        return replace(self.at(source), labels=self.labels, grades=self.grades)

    def stilled(self) -> "World":
        """No signal moves from epoch to epoch: each holds the last one throughout, on the held-out part too."""

        def still(need: str, array: NDArray[Any]) -> NDArray[Any]:
            return np.broadcast_to(array[-1:], array.shape).copy() if self.axes[need][0] == "T" else array

        return replace(self, proxies=self._each(still))

    def faded(self, every: int) -> "World":
        """Every so many samples have features of zero norm, as where no unit of the last layer is active."""

        def fade(need: str, array: NDArray[Any]) -> NDArray[Any]:
            array = array.copy()
            if need.removeprefix(HELD_OUT) == "features":
                array[::every] = 0
            return array

        return replace(self, proxies=self._each(fade))

    def spoiled(self, need: str, sample: int, value: float) -> "World":
        """One sample's values of this signal are all `value`."""

        def spoil(name: str, array: NDArray[Any]) -> NDArray[Any]:
            array = array.copy()
            if name == need:
                array[(slice(None),) * self._axis(need) + (sample,)] = value
            return array

        return replace(self, proxies=self._each(spoil))

    def without(self, need: str) -> "World":
        """This signal is not there."""
        kept = tuple({name: array for name, array in arrays.items() if name != need} for arrays in self.proxies)
        return replace(self, proxies=kept)

    def copied(self) -> "World":
        """The same values in arrays of their own."""
        return replace(
            self,
            labels=self.labels.copy(),
            held_out_labels=self.held_out_labels.copy(),
            proxies=self._each(lambda _, array: array.copy()),
        )

    def _axis(self, need: str) -> int:
        return self.axes[need].index("N")

    def _each(self, change: Callable[[str, NDArray[Any]], NDArray[Any]]) -> tuple[Arrays, ...]:
        return tuple({need: change(need, array) for need, array in arrays.items()} for arrays in self.proxies)
