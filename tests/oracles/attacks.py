"""PGD one image at a time, in NumPy with gradients written out."""

import numpy as np

from tests.oracles.networks import Perceptron


def softmax(z: np.ndarray) -> np.ndarray:
    powers = np.exp(z - z.max())
    return powers / powers.sum()


def iterates(net: Perceptron, image: np.ndarray, label: int, epsilon: float, steps: int = 10) -> list[np.ndarray]:
    """x_0 = x, ..., x_10: signed steps of a quarter of epsilon up the cross-entropy, in the ball and in [0, 1]."""
    start = image.ravel()
    path = [start]
    for _ in range(steps):
        error = softmax(net.logits(path[-1]))
        error[label] -= 1
        slope = net.slope(path[-1], error)
        following = []
        for was, now, g in zip(start, path[-1], slope, strict=True):
            moved = now + epsilon / 4 * (1 if g > 0 else -1 if g < 0 else 0)
            following.append(min(max(moved, was - epsilon, 0.0), was + epsilon, 1.0))
        path.append(np.array(following))
    return path
