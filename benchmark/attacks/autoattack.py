"""AutoAttack *standard* (Croce and Hein, ICML 2020, arXiv:2003.01690), stage by stage, image by image.

The attacks are those of the package `pyautoattack`, the authors' code. Its evaluation loop is repeated here,
to the same verdicts: it keeps no verdicts per stage and ends tracers (coverage, debuggers) with
`sys.settrace(None)`. Three pieces are replaced by faster ones that compute the same: APGD's steps (`apgd.py`), FAB's
projection (`projection.py`) and Square's queries (`square.py`).
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from benchmark.attacks.model import CountedModel, Model, attack_mode, check_images, is_right, logits_of
from benchmark.attacks.projection import projection_linf
from benchmark.attacks.signs import Signs, share, signs
from benchmark.spec import AutoAttack

STAGES = ("apgd-ce", "apgd-t", "fab-t", "square")
_TOLERANCE = 1e-6  # the attacks leave the ball by float32 rounding, 4e-8 or so


@dataclass(frozen=True, eq=False)
class AutoAttackResult:
    """Verdicts of AutoAttack, and signs that gradients misled it.

    Attributes:
        clean: bool [n], classified right without attack.
        stages: for each stage run, in order, bool [n]: still right after it and all before it.
        omitted: stages left out, each with the reason.
        square_gain: share of all images that only Square, which uses no gradients, broke.
        signs: what the model shows without being attacked.
        forwards: images passed through the model, whole or, in a query of Square, as far as its square reaches.
        backwards: images for which an input gradient was taken.
    """

    clean: Tensor
    stages: dict[str, Tensor]
    omitted: tuple[str, ...]
    square_gain: float
    signs: Signs
    forwards: int
    backwards: int

    @property
    def robust(self) -> Tensor:
        """bool [n]: right when clean and after every stage."""
        return list(self.stages.values())[-1]


def autoattack(
    model: Model, x: Tensor, y: Tensor, epsilon: float, spec: AutoAttack, seed: int, num_classes: int
) -> AutoAttackResult:
    """Runs APGD-CE, APGD-T, FAB-T and Square in turn, each on the images still classified right.

    APGD-T and FAB-T aim at min(9, num_classes - 1) classes. APGD-T needs four classes (its loss reads the
    four largest logits) and is left out below. An example counts if it lies in the ball and in the box.
    The package reseeds every batch and Square draws one square a batch: verdicts depend on seed, batch size
    and the order of images, and are the same on every run with the same three.

    Args:
        model: a callable from images to logits [n, num_classes].
        x: float32 [n, C, H, W] in [0, 1].
        y: int64 [n].
        epsilon: the radius in pixels.
        spec: `batch_size`, images a batch.
        seed: in [0, 2**63); every batch of every stage starts from it.
        num_classes: how many logits the model gives, at least 2.

    Returns:
        Verdicts on the device of x. No global random state is moved.

    Raises:
        ValueError: images or labels of a wrong shape, type or range; fewer than two classes, or another
            number of logits than of classes.
    """
    check_images(x, y)
    if num_classes < 2:
        raise ValueError(f"an attack needs at least two classes, not {num_classes}")
    counted = CountedModel(model)
    with _forked_rng(), _silent("auto-attack"), attack_mode(counted, x.device), torch.no_grad():
        logits = logits_of(counted, x, spec.batch_size)
        if logits.shape[1] != num_classes:
            raise ValueError(f"the model gives {logits.shape[1]} logits for {num_classes} classes")
        alive = clean = is_right(logits, y)
        shown = signs(counted, x, y, logits, spec.batch_size)
        omitted = () if num_classes >= 4 else (f"apgd-t: needs at least 4 classes, there are {num_classes}",)
        perturb = _attacks(counted, x.device, epsilon, seed, min(9, num_classes - 1))
        stages = {}
        for stage in [name for name in STAGES if name != "apgd-t" or not omitted]:
            alive = alive.clone()
            for some in alive.nonzero().squeeze(1).split(spec.batch_size):
                # clones, for the attacks may write to what they are given
                images, labels = x[some].clone(), y[some].clone()
                with _projecting():
                    attacked = perturb[stage](images, labels)
                fooled = ~is_right(counted(attacked), y[some])
                alive[some] = ~(fooled & _allowed(attacked, x[some], epsilon))
            stages[stage] = alive
    before = stages["fab-t"]
    return AutoAttackResult(
        clean=clean,
        stages=stages,
        omitted=omitted,
        square_gain=share(before & ~alive),
        signs=shown,
        forwards=counted.forwards,
        backwards=counted.backwards,
    )


def _attacks(
    model: Model, device: torch.device, epsilon: float, seed: int, targets: int
) -> dict[str, Callable[[Tensor, Tensor], Tensor]]:
    """The four attacks of the standard ensemble, each from images and labels to adversarial images."""
    import pyautoattack

    from benchmark.attacks.apgd import SparingAPGD, SparingTargetedAPGD
    from benchmark.attacks.square import WindowedSquare

    ensemble: Any = pyautoattack.AutoAttack(
        model, norm="Linf", eps=epsilon, seed=seed, version="standard", device=device
    )
    ensemble.apgd_targeted.n_target_classes = targets
    ensemble.fab.targeted = True
    ensemble.fab.n_target_classes = targets
    attacks = (
        SparingAPGD.of(ensemble.apgd),
        SparingTargetedAPGD.of(ensemble.apgd_targeted),
        ensemble.fab,
        WindowedSquare.of(ensemble.square),
    )
    return {stage: attack.perturb for stage, attack in zip(STAGES, attacks, strict=True)}


def _allowed(attacked: Tensor, x: Tensor, epsilon: float) -> Tensor:
    """bool [n]: finite, within epsilon of x and in [0, 1], up to rounding."""
    distance = (attacked - x).abs().flatten(1).amax(dim=1)
    outside = (attacked - attacked.clamp(0, 1)).abs().flatten(1).amax(dim=1)
    return (distance <= epsilon + _TOLERANCE) & (outside <= _TOLERANCE)


@contextmanager
def _projecting() -> Iterator[None]:
    """Puts our projection in the place of the package's, which FAB finds by its name."""
    from pyautoattack import fab_base

    theirs = fab_base.projection_linf
    fab_base.projection_linf = projection_linf
    try:
        yield
    finally:
        fab_base.projection_linf = theirs


@contextmanager
def _forked_rng() -> Iterator[None]:
    """Restores torch's global random state, which the package seeds on every device."""
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        yield


@contextmanager
def _silent(name: str) -> Iterator[None]:
    """Turns a logger off: what the package warns of is measured here and returned."""
    logger = logging.getLogger(name)
    was = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = was
