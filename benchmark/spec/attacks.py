"""What models are attacked with."""

from typing import Annotated

from pydantic import Field

from benchmark.spec.base import FULL, Positive, Share, Spec


class PGD(Spec):
    """Projected gradient descent in the L-infinity ball; the step is `step_ratio` times epsilon."""

    steps: Positive = 20
    step_ratio: Annotated[float, Field(gt=0)] = 0.1
    restarts: Positive = 1
    batch_size: Positive = 512


class MarginPGD(Spec):
    """PGD on the margin between a wrong class and the label, once for each of the `targets` nearest wrong classes.

    Cross-entropy is a poor guide on a TRADES model whose probabilities are flat: there PGD on it was seen to read up to
    15 points too robust and to reverse the order of methods. On digits (a TRADES MLP, epsilon 0.2) PGD left 47.6 % of
    500 images robust, this 32.0 % with 3 targets and 31.8 % with 9; AutoAttack was a point below it.
    """

    steps: Positive = 20
    step_ratio: Annotated[float, Field(gt=0)] = 0.1
    targets: Positive = 3
    batch_size: Positive = 512


class Where(Spec):
    """The cells on which a costly attack is run: where fraction, replicate, row and regime match.

    An empty list means none, None every one. A regime on a further clock is one of its own, "standard@steps".
    """

    fractions: tuple[Share, ...] | None = None
    replicates: tuple[int, ...] | None = None
    rows: tuple[str, ...] | None = None
    regimes: tuple[str, ...] | None = None

    def covers(self, row: str, fraction: float, replicate: int, regime: str) -> bool:
        """Whether the cell is one of them. Full data counts as a row at every fraction asked for."""
        return (
            (self.fractions is None or fraction in self.fractions or (row == FULL and bool(self.fractions)))
            and (self.replicates is None or replicate in self.replicates)
            and (self.rows is None or row in self.rows)
            and (self.regimes is None or regime in self.regimes)
        )


class AutoAttack(Where):
    """AutoAttack *standard* at the primary epsilon, on the first `test` test images (None: all of them).

    Its result depends on seed and batch size, so both are keyed.
    """

    test: Positive | None = None
    batch_size: Positive = 512


class Guard(Where):
    """Both of the suite's PGDs at the primary epsilon with `factor` times the steps and restarts, on few test images.

    What they find beyond the suite's own shows how far its robust accuracies can be trusted;
    `benchmark.leaderboard.masking` says how much is too much. On the first `images` test images; the margin is
    climbed `factor` times for each class.
    """

    images: Positive = 100
    factor: Positive = 10


class SmallestEpsilon(Spec):
    """Bounded bisection, image by image, for the smallest epsilon at which PGD on the margin succeeds.

    The grid is `levels` equal steps up to `bound` times the regime's largest epsilon.
    """

    bound: Annotated[float, Field(gt=0)] = 2.0
    levels: Annotated[int, Field(gt=0, lt=255)] = 127
    steps: Positive = 10
    step_ratio: Annotated[float, Field(gt=0)] = 0.2


class Attacks(Spec):
    """What every model meets. `folded`: with batch norm folded into its convolutions, channels last."""

    pgd: PGD = PGD()
    margin: MarginPGD | None = MarginPGD()
    autoattack: AutoAttack = AutoAttack(fractions=())
    guard: Guard | None = None
    smallest_epsilon: SmallestEpsilon = SmallestEpsilon()
    folded: bool = True
    test: Positive | None = None  # attack only the first `test` test images; None: all of them
