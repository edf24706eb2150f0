"""The promises of a dynamic method, on whole trainings of a planted world whose model stands still.

"Exactly k" does not bind it; what it presents in all its epochs does. Each check is a function of a `DynamicSubject`,
as those of `checks.py`, from which it takes what both kinds keep.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from methods.api import Budget, Coreset, Floats, Integers, MissingSignal
from methods.contract.ambient import elsewhere, states
from methods.contract.checks import SIGMAS, info_complete, registrable
from methods.contract.planted import EASY, world_for
from methods.contract.subject import ContractViolation, DoesNotApply, Subject, equal
from methods.contract.world import World
from methods.dynamics import DynamicInfo, Presentations, TrainingContext, Weighting, described, present
from methods.errors import CoresetBenchError
from methods.signals import get_signal

EPOCHS = 8
RUNS = 30  # generators, where a distribution has to be seen
FRACTION = 0.2
CLEARLY = 2.0  # standard deviations


@dataclass(frozen=True)
class DynamicSubject(Subject):
    """A dynamic method, and the trainings that checks send it through."""

    _straight: list[NDArray[np.int64]] = field(default_factory=list, repr=False)

    @property
    def info(self) -> DynamicInfo:
        return described(self.method)

    def world(self, num_classes: int = 3, also: tuple[str, ...] = ()) -> World:
        return training_world((*self.info.needs, *also), num_classes)

    def course(self, world: World, k: int = 0, seed: int = 0, epochs: int = EPOCHS) -> list[Coreset]:
        """What each epoch of one training presents, as the harness takes it."""
        k = k or Budget.of(FRACTION, world.n).k
        budget = Presentations(world.n, world.n if self.info.own_budget else k, epochs)
        memory: dict[str, Any] = {}
        rounds: list[Coreset] = []
        while budget.left and not (self.info.own_budget and len(rounds) == epochs):
            shown = world.context(seed, self.name)
            rng = np.random.default_rng([seed, len(rounds)])
            context = TrainingContext(shown.labels, shown.num_classes, shown.signals, rng, None, "cpu", memory)
            rounds.append(present(self.method, context, budget, len(rounds)))
            budget = budget.after(len(rounds[-1].indices))
        return rounds

    def counts(self, world: Callable[[int], tuple[World, Integers]]) -> NDArray[np.int64]:
        """How often each sample is presented in the training of each of some generators, [runs, N].

        `world(seed)` gives what the method sees and, for each row of it, the sample that it stands for.
        """
        found = np.zeros((RUNS, self.world().n), dtype=np.int64)
        for seed in range(RUNS):
            shown, samples = world(seed)
            for chosen in self.course(shown, seed=seed):
                found[seed, samples[chosen.indices]] += 1
        return found

    def straight(self) -> NDArray[np.int64]:
        """The counts of the world as it is, computed once."""
        if not self._straight:
            world = self.world()
            everyone = np.arange(world.n)
            self._straight.append(self.counts(lambda _: (world, everyone)))
        return self._straight[0]


@lru_cache(maxsize=64)
def training_world(needs: tuple[str, ...], num_classes: int) -> World:
    """The planted world with these signals of a model in training, its proxy as it ends.

    Those of the objective are made up from the proxy's: half of each sample's error is that of an adversarial image,
    whose features are a little shorter.
    """
    base = world_for(("loss", "probability", "features"), {}, num_classes)
    recorded = base.proxies[0]
    error = recorded["probability"].copy()
    error[np.arange(base.n), base.labels] -= 1
    made = {
        "last_loss": recorded["loss"][-1],
        "clean_error": error,
        "attacked_error": 0.5 * error,
        "attacked_features": 0.9 * recorded["features"],
    }
    signals = [get_signal(need) for need in needs]
    shown = world_for(tuple(s.name for s in signals if s.view == "snapshot"), {}, num_classes)
    arrays = {need: (made if get_signal(need).view == "training" else shown.proxies[0])[need] for need in needs}
    axes = {s.name: tuple(s.shape.strip("[] ").replace(" ", "").split(",")) for s in signals}
    return replace(base, proxies=(arrays,), axes=axes)


def training_info(subject: DynamicSubject) -> None:
    """`info` says how its weights are meant, and it reads only what a model in training can show."""
    if subject.info.weighting not in get_args(Weighting):
        raise subject.refuse(
            f"has the weighting {subject.info.weighting!r}; choose one of {', '.join(get_args(Weighting))}."
        )
    for need in subject.info.needs:
        if get_signal(need).view == "online":
            raise subject.refuse(f"needs '{need}', which a proxy shows; a dynamic method reads snapshots.")


def declared_signals(subject: DynamicSubject) -> None:
    """It runs with the signals that it declares, and reads no others."""
    try:
        subject.course(subject.world())
    except MissingSignal as error:
        raise ContractViolation(str(error)) from None
    except CoresetBenchError as error:
        if isinstance(error.__cause__, MissingSignal):
            raise ContractViolation(str(error.__cause__)) from None
        raise


def spends_its_budget(subject: DynamicSubject) -> None:
    """Every epoch presents samples, none twice; a budget is spent to the last presentation, and its own has an end."""
    world = subject.world()
    for k in sorted({1, world.num_classes, world.n // 10, world.n // 2, world.n}):
        presented = [len(chosen.indices) for chosen in subject.course(world, k)]
        if subject.info.own_budget:
            return
        if sum(presented) != EPOCHS * k or len(presented) > EPOCHS * world.n:
            raise subject.refuse(f"presents {sum(presented)} samples for a budget of {EPOCHS * k}; spend all of it.")
        if len(presented) > 2 * EPOCHS:
            raise subject.refuse(
                f"takes {len(presented)} rounds for {EPOCHS} epochs of {k}; present `budget.k` samples in each."
            )


def usable_weights(subject: DynamicSubject) -> None:
    """Weights, where `info` promises them, come with every epoch; none is negative and not all are zero."""
    for chosen in subject.course(subject.world()):
        if subject.info.weighted != (chosen.weights is not None):
            said = "promises weights and returns none" if subject.info.weighted else "returns unpromised weights"
            raise subject.refuse(f"{said} in an epoch; set weighted={not subject.info.weighted}, or weigh all by 1.")
    if not subject.info.weighted:
        raise DoesNotApply("it gives no weights")


def same_generator_same_answer(subject: DynamicSubject) -> None:
    """Generators and memory are all that it goes by: trainings before this one leave no trace."""
    world = subject.world()
    first = subject.course(world, seed=7)
    with elsewhere():
        subject.course(world, k=world.n // 3, seed=8, epochs=2)
        second = subject.course(world.copied(), seed=7)
    if len(first) != len(second) or not all(map(equal, first, second)):
        raise subject.refuse(
            "gave two answers for the same generators; draw from context.rng alone, keep notes in context.memory alone."
        )


def inputs_untouched(subject: DynamicSubject) -> None:
    """Labels and signals are read, never written."""
    world = subject.world().copied()
    before = world.copied()
    try:
        subject.course(world)
    except CoresetBenchError as error:
        if isinstance(error.__cause__, ValueError) and "read-only" in str(error.__cause__):
            raise subject.refuse("writes into its inputs, which are read-only; work on a copy.") from None
        raise
    if not np.array_equal(world.labels, before.labels):
        raise subject.refuse("changed the labels it was given; work on a copy.")
    for name, array in world.proxies[0].items():
        if not np.array_equal(array, before.proxies[0][name]):
            raise subject.refuse(f"changed the signal '{name}' it was given; work on a copy.")


def global_randomness_untouched(subject: DynamicSubject) -> None:
    """The global generators of Python, NumPy and torch stay as they are."""
    with elsewhere():
        before = states()
        subject.course(subject.world())
        after = states()
    for library, state in after.items():
        if state != before[library]:
            raise subject.refuse(f"draws from, or seeds, the global generator of {library}; draw from context.rng.")


def order_of_samples(subject: DynamicSubject) -> None:
    """Permuting the samples permutes what is presented, up to ties and draws."""
    world = subject.world()

    def shuffled(seed: int) -> tuple[World, Integers]:
        order = np.random.default_rng([seed, 1]).permutation(world.n)
        return world.at(order), order

    if _differ(subject.straight(), subject.counts(shuffled)):
        raise subject.refuse(
            "presents other samples when their order changes; never let a position decide, break ties by context.rng."
        )


def names_of_labels(subject: DynamicSubject) -> None:
    """Renaming the classes changes nothing: a class is no number."""
    world = subject.world()
    everyone = np.arange(world.n)
    renamed = world.renamed(np.roll(np.arange(world.num_classes), 1))
    if _differ(subject.straight(), subject.counts(lambda _: (renamed, everyone))):
        raise subject.refuse(
            "presents other samples when the classes are renamed; treat labels as names, and break ties by context.rng."
        )


def ties_by_generator(subject: DynamicSubject) -> None:
    """Where samples cannot be told apart, the generator decides between them and not their position."""
    world = subject.world().levelled()
    everyone = np.arange(world.n)
    counts = subject.counts(lambda _: (world, everyone))
    for c in range(world.num_classes):
        mine = counts[:, world.labels == c]
        spread = np.sqrt(mine.var(axis=0).mean() / RUNS)
        if (np.abs(mine.mean(axis=0) - mine.mean()) > SIGMAS * spread + 1e-9).any():
            raise subject.refuse("prefers some of several equal samples; break ties by context.rng, never by position.")


def awkward_worlds(subject: DynamicSubject) -> None:
    """Tiny and empty classes, two classes, samples that are all alike and features of zero norm are served."""
    world = subject.world()
    lonely = np.flatnonzero(world.labels == 0)[1:]
    worlds = {
        "a class has one sample": world.at(np.delete(np.arange(world.n), lonely)),
        "a class is empty": world.at(np.flatnonzero(world.labels != 1)),
        "every class has one sample": world.at(np.unique(world.labels, return_index=True)[1]),
        "there are two classes": subject.world(num_classes=2),
        "all samples of a class are identical": world.levelled(np.flatnonzero(world.labels == 0)),
        "all samples are identical": world.levelled(),
        "all features are zero": world.faded(every=1),
    }
    for case, shown in worlds.items():
        for k in sorted({1, shown.num_classes, max(1, shown.n // 10), shown.n}):
            try:
                subject.course(shown, min(k, shown.n), epochs=3)
            except CoresetBenchError as error:
                raise subject.refuse(f"fails where {case}, at k = {k}: {error}") from None


def non_finite_signals(subject: DynamicSubject) -> None:
    """A signal that is NaN or infinite is refused in words, never turned into picks."""
    world = subject.world()
    read = [need for need in world.proxies[0] if _refuses(subject, world.without(need))]
    if not read:
        raise DoesNotApply("it reads no signals that could be NaN")
    for need in read:
        for value in (np.nan, np.inf, -np.inf):
            if not _refuses(subject, world.spoiled(need, 3, value)):
                raise subject.refuse(f"accepts a sample whose '{need}' is {value}; raise, but never pick from it.")


def stated_direction(subject: DynamicSubject) -> None:
    """If `info` states "easy" or "hard": planted easy samples are presented clearly more, or less, than others."""
    if subject.info.direction not in ("easy", "hard"):
        raise DoesNotApply("it states no direction")
    world = subject.world()
    counts = subject.straight()
    easy = world.grades == EASY
    excess = counts[:, easy].mean(axis=1) - counts[:, ~easy].mean(axis=1)
    clearly = excess.mean() / max(excess.std() / np.sqrt(RUNS), 1e-12)
    if (clearly if subject.info.direction == "easy" else -clearly) < CLEARLY:
        raise subject.refuse(
            f"states the direction '{subject.info.direction}', but presents an easy sample "
            f"{counts[:, easy].mean():.2f} times and another {counts[:, ~easy].mean():.2f} times; "
            "look for a wrong sign, or correct direction."
        )


def _refuses(subject: DynamicSubject, world: World) -> bool:
    with np.errstate(all="ignore"):
        try:
            subject.course(world)
        except CoresetBenchError:
            return True
    return False


def _differ(first: NDArray[np.int64], second: NDArray[np.int64]) -> bool:
    """Whether the mean counts of two sets of runs differ for any sample by more than chance allows."""
    spread: Floats = np.sqrt((first.var(axis=0) + second.var(axis=0)) / RUNS)
    return bool((np.abs(first.mean(axis=0) - second.mean(axis=0)) > SIGMAS * spread + 1e-9).any())


DYNAMIC_CHECKS: tuple[Callable[[Any], None], ...] = (
    info_complete,
    registrable,
    training_info,
    declared_signals,
    spends_its_budget,
    usable_weights,
    same_generator_same_answer,
    inputs_untouched,
    global_randomness_untouched,
    order_of_samples,
    names_of_labels,
    ties_by_generator,
    awkward_worlds,
    non_finite_signals,
    stated_direction,
)
