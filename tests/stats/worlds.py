"""Synthetic benchmarks whose truth is known: differences between two rows, by replicate and test image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Floats = NDArray[np.float64]

IMAGES = 200
TRUTH = 0.03  # the expected difference over replicates and images, in the additive worlds


@dataclass(frozen=True)
class World:
    """Additive: difference = TRUTH + seed effect + image effect + noise of seed and image, normal with these sigmas."""

    name: str
    seed: float
    image: float
    noise: float

    def draw(self, rng: np.random.Generator, replicates: int) -> tuple[Floats, float, float]:
        """A table [S, n], the expected difference on these test images (A), and over all images (B)."""
        seeds, images = rng.normal(0, self.seed, (replicates, 1)), rng.normal(0, self.image, IMAGES)
        table = TRUTH + seeds + images + rng.normal(0, self.noise, (replicates, IMAGES))
        return table, TRUTH + float(images.mean()), TRUTH


@dataclass(frozen=True)
class Bits:
    """As records are: two rows are right or wrong on each image, and the difference is -1, 0 or 1.

    A row is right where row mean + difficulty + row x image + row x seed + noise > 0, each normal but for the mean.
    """

    name: str
    means: tuple[float, float] = (0.15, 0.0)
    difficulty: float = 1.0
    row_image: float = 0.5
    seed: float = 0.1  # about 3 points
    noise: float = 0.7

    def draw(self, rng: np.random.Generator, replicates: int) -> tuple[Floats, float, float]:
        """As in World."""
        difficulty = rng.normal(0, self.difficulty, IMAGES)
        within = np.hypot(self.seed, self.noise)
        right, on_these, over_all = [], [], []
        for mean in self.means:
            image = mean + difficulty + rng.normal(0, self.row_image, IMAGES)
            latent = image + rng.normal(0, self.seed, (replicates, 1)) + rng.normal(0, self.noise, (replicates, IMAGES))
            right.append(latent > 0)
            on_these.append(ndtr(image / within).mean())
            over_all.append(ndtr(mean / np.sqrt(within**2 + self.difficulty**2 + self.row_image**2)))
        table = right[0].astype(np.float64) - right[1]
        return table, float(on_these[0] - on_these[1]), float(over_all[0] - over_all[1])


WORLDS = (
    World("seeds vary most", seed=0.03, image=0.10, noise=0.05),
    World("seeds and images alike", seed=0.03, image=0.25, noise=0.10),
    World("images vary most", seed=0.005, image=0.50, noise=0.10),
    World("noise of seed × image only", seed=0.0, image=0.0, noise=0.50),
    Bits("bits of two rows"),
)
