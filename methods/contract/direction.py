"""The check that a method keeps the samples that it says it keeps: a wrong sign must not pass."""

import numpy as np
from numpy.typing import NDArray

from methods.api import Floats, Integers
from methods.contract.planted import BOUNDARY, EASY, HARD, MISLABELLED
from methods.contract.subject import DoesNotApply, Subject
from methods.contract.world import World
from methods.registry import FunctionMethod

CLEARLY = 2.0  # standard deviations of a uniform draw that a stated direction must show


def stated_direction(subject: Subject) -> None:
    """Planted easy, boundary, hard and mislabelled samples are picked as `info.direction` states."""
    if subject.info.direction == "any":
        raise DoesNotApply("it states no direction")
    if subject.info.direction == "cover":
        return _covers(subject)
    if subject.info.direction == "middle":
        return _keeps_the_middle(subject)
    world = subject.world()
    excess = _excess(subject, world, world.grades == EASY)
    if (excess if subject.info.direction == "easy" else -excess) < CLEARLY:
        raise subject.refuse(
            f"states the direction '{subject.info.direction}', but {_tally(subject, world)}; "
            "look for a wrong sign, or correct keep or direction."
        )


def _keeps_the_middle(subject: Subject) -> None:
    """Clearly fewer of both ends, the lowest and the highest fifth, of what the method ranks."""
    world = subject.world()
    ranked = _ranked(subject, world)
    for end, members in (
        ("lowest", ranked <= np.quantile(ranked, 0.2)),
        ("highest", ranked >= np.quantile(ranked, 0.8)),
    ):
        if _excess(subject, world, members) > -CLEARLY:
            raise subject.refuse(
                f"states the direction 'middle', but keeps too many of the {end} fifth of what it ranks; "
                "look for a wrong sign, or correct keep or direction."
            )


def _ranked(subject: Subject, world: World) -> Floats:
    """Distance to the class mean for who reads features, else the method's own score, else planted difficulty."""
    if "features" in subject.info.needs:
        features = world.proxies[0]["features"].astype(np.float64)
        means = np.stack([features[world.labels == c].mean(axis=0) for c in range(world.num_classes)])
        return np.linalg.norm(features - means[world.labels], axis=1)
    if isinstance(subject.method, FunctionMethod) and subject.info.kind == "score":
        return subject.method.score(world.context(0, subject.name))
    return world.grades.astype(np.float64)


def _covers(subject: Subject) -> None:
    """No sample is far from its nearest pick: the covering radius beats nine uniform draws in ten."""
    world = subject.world(also=("features",))
    features = world.proxies[0]["features"].astype(np.float64)
    k = world.n // 10

    def radius(picks: Integers) -> float:
        gaps = np.linalg.norm(features[:, None] - features[picks], axis=2)
        return float(gaps.min(axis=1).max())

    rng = np.random.default_rng(0)
    uniform = [radius(rng.choice(world.n, k, replace=False)) for _ in range(100)]
    own = np.mean([radius(subject.picks(subject.world(), k, seed)) for seed in range(5)])
    if own >= np.quantile(uniform, 0.1):
        raise subject.refuse(
            f"states the direction 'cover', but leaves samples at distance {own:.2f} from every pick where uniform "
            f"draws leave {np.mean(uniform):.2f}; look for a wrong sign, or correct direction."
        )


def _excess(subject: Subject, world: World, members: NDArray[np.bool_]) -> float:
    """Picks among `members` beyond those of a uniform draw, in the latter's standard deviations."""
    k, share = world.n // 5, members.mean()
    found = np.mean([members[subject.picks(world, k, seed)].sum() for seed in range(5)])
    return float((found - k * share) / np.sqrt(k * share * (1 - share) * (1 - k / world.n)))


def _tally(subject: Subject, world: World) -> str:
    k = world.n // 5
    grades = {EASY: "easy", BOUNDARY: "boundary", HARD: "hard", MISLABELLED: "mislabelled"}
    found = np.bincount(world.grades[subject.picks(world, k)], minlength=len(grades))
    usual = k * np.bincount(world.grades, minlength=len(grades)) / world.n
    parts = ", ".join(f"{found[g]} {name} (uniform {usual[g]:.0f})" for g, name in grades.items())
    return f"of {k} picks it keeps {parts}"
