"""The experiment in the plane: where a network puts its boundary when it learns all points, or only the easiest.

After Figure 4 of the EasyCore paper (Ramesh et al. 2025, arXiv:2510.11018): 1,200 points, and the 720 of the lowest
AIGN. The paper's own points, network and recipe are not public; here they are the data set `toy` (two interleaved half
moons in the unit square), the perceptron `mlp` and `TRAINING`. 720 points drawn at random are the control that the
paper lacks: fewer points alone change a boundary too.

Lengths are in sides of the unit square, curvatures in radians per side. Everything is a function of a seed.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmark.randomness import derive_seed
from benchmark.spec import DatasetSpec, Recipe, Training

if TYPE_CHECKING:
    from benchmark.data import Dataset
    from benchmark.models.classifier import Classifier

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DATA = DatasetSpec(name="toy")
EASIEST = 720  # of the 1,200
ALL, EASY, RANDOM = "all", "easiest", "random"  # what a network learns
# Long, and without weight decay: the boundary follows the points that it is shown, stray ones too.
TRAINING = Training(model="mlp", recipe=Recipe(epochs=200, batch_size=32, lr=0.1, weight_decay=0))
SIDE = 241  # of the grid on which a boundary is measured
SPACING = 0.02  # between the points at which a boundary's turning is measured: about five cells of the grid


@dataclass(frozen=True, eq=False)
class Boundary:
    """Where both classes are equally likely in the unit square: polylines [m, 2], a closed one ending at its start."""

    pieces: tuple[Floats, ...]

    @property
    def count(self) -> int:
        """How many separate pieces there are."""
        return len(self.pieces)

    @property
    def length(self) -> float:
        """Of all pieces together."""
        return float(sum(np.linalg.norm(np.diff(piece, axis=0), axis=1).sum() for piece in self.pieces))

    @property
    def turning(self) -> float:
        """The angle through which they turn, left and right alike, in radians: 2 pi for a circle, 0 for a line."""
        return float(sum(_turning(piece) for piece in self.pieces))

    @property
    def curvature(self) -> float:
        """Mean absolute curvature, turning over length: 1/r for a circle of radius r. NaN without a boundary."""
        return self.turning / self.length if self.length else float("nan")


def load_plane() -> "Dataset":
    """The points: `train` has 1,200, each an image of two pixels."""
    from benchmark.data import load

    return load(DATA)


def points(data: "Dataset") -> tuple[Floats, Integers]:
    """Coordinates [N, 2] in the unit square, and labels [N], of the pool."""
    import torch

    x, y, _ = next(iter(data.train.batches(torch.arange(len(data.train)), len(data.train))))
    return x.flatten(1).double().cpu().numpy(), y.cpu().numpy()


def hardness(data: "Dataset", seed: int, training: Training = TRAINING) -> Floats:
    """AIGN of each point, [N], from a proxy of its own that learns all of them."""
    from benchmark.stages.trace import trace
    from methods.api import Signals
    from methods.easycore import aign

    epochs = training.recipe.epochs
    arrays, *_ = trace(data, training, derive_seed("plane proxy", seed), epochs, ["input_grad_norm"], "cpu")
    return np.asarray(aign(Signals(arrays, epochs), squared=False), dtype=np.float64)


def subsets(scores: Floats, seed: int, size: int = EASIEST) -> dict[str, Integers]:
    """The points that the networks learn: all, the `size` of the lowest score, and as many at random."""
    rng = np.random.default_rng(derive_seed("plane subsets", seed))
    ties = rng.permutation(len(scores))
    return {
        ALL: np.arange(len(scores)),
        EASY: np.sort(ties[np.argsort(scores[ties], kind="stable")[:size]]),
        RANDOM: np.sort(rng.permutation(len(scores))[:size]),
    }


def learn(data: "Dataset", ids: Integers, seed: int, training: Training = TRAINING) -> "Classifier":
    """A network trained on these points. The seed gives weights and order, whatever the points."""
    import torch

    from benchmark.models import build
    from benchmark.stages.train import train

    seed = derive_seed("plane training", seed)
    start = derive_seed("init", seed)
    model = build(training.model, data.num_classes, data.shape, data.mean, data.std, seed=start)
    train(model, data.train, torch.from_numpy(ids), training.recipe, seed)
    return model.eval()


def accuracy(model: "Classifier", data: "Dataset") -> float:
    """The share of the test points that it is right on."""
    import torch

    x, y, _ = next(iter(data.test.batches(torch.arange(len(data.test)), len(data.test))))
    with torch.no_grad():
        return float((model(x).argmax(dim=1) == y).double().mean())


def field(model: "Classifier", side: int = SIDE) -> Floats:
    """The second class's logit minus the first's on a grid of the unit square, [side, side]: rows are heights."""
    import torch

    ticks = torch.linspace(0, 1, side)
    heights, across = torch.meshgrid(ticks, ticks, indexing="ij")
    images = torch.stack([across, heights], dim=-1).reshape(-1, 2, 1, 1)
    with torch.no_grad():
        logits = model(images).double()
    return (logits[:, 1] - logits[:, 0]).reshape(side, side).numpy()


def boundary(values: Floats, spacing: float = SPACING) -> Boundary:
    """Where a field on a grid of the unit square is zero, as points about `spacing` apart along each piece."""
    from contourpy import contour_generator

    ticks = np.linspace(0, 1, len(values))
    lines = contour_generator(ticks, ticks, values).lines(0.0)
    return Boundary(tuple(_spaced(np.asarray(line, dtype=np.float64), spacing) for line in lines if len(line) > 1))


def _spaced(line: Floats, spacing: float) -> Floats:
    """The polyline by evenly spaced points of it. The crossings of grid lines lie at any distance, however small."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    count = max(2, 1 + round(along[-1] / spacing))
    places = np.linspace(0, along[-1], count)
    return np.stack([np.interp(places, along, line[:, axis]) for axis in (0, 1)], axis=1)


def _turning(piece: Floats) -> float:
    steps = np.diff(piece, axis=0)
    steps = steps[np.linalg.norm(steps, axis=1) > 0]
    if len(steps) == 0:
        return 0.0
    if np.allclose(piece[0], piece[-1]):
        steps = np.concatenate([steps, steps[:1]])
    headings = np.arctan2(steps[:, 1], steps[:, 0])
    turns = np.diff(headings)
    return float(np.abs((turns + np.pi) % (2 * np.pi) - np.pi).sum())
