"""k-center, herding and CAL's neighbours as DeepCore is built (Guo et al. 2022): the yardstick of selection.

Distances in float32 from torch or NumPy, anew for all samples not yet picked, which a mask copies at every pick; all
pairs at once and sorted whole for neighbours. Faults that are no part of the structure are left out: the first center
is given in place of a random one, herding takes the nearest and not the farthest, and picks keep their order.
"""

import numpy as np
import torch

from methods.api import Floats, Integers


def distances(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Of all rows of x from all of y."""
    squares = x.square().sum(dim=1, keepdim=True) + y.square().sum(dim=1)
    return torch.addmm(squares, x, y.T, alpha=-2).clamp(min=1e-12).sqrt()


def k_center(features: Floats, first: int, k: int) -> Integers:
    """One row of a matrix [k, n] a pick."""
    matrix, n = torch.from_numpy(features), len(features)
    picked, picks = torch.zeros(n, dtype=torch.bool), [first]
    table = -torch.ones(k, n)
    picked[first] = True
    table[0, ~picked] = distances(matrix[picked], matrix[~picked])[0]
    nearest = table[0].clone()
    while len(picks) < k:
        best = int(nearest.argmax())
        picked[best], nearest[best] = True, -1
        row = len(picks)
        table[row, ~picked] = distances(matrix[[best]], matrix[~picked])[0]
        nearest = torch.minimum(nearest, table[row])
        picks.append(best)
    return np.array(picks)


def herding(features: Floats, k: int) -> Integers:
    """The sum of the picks and the distances of the rest, anew at every pick."""
    matrix, n = torch.from_numpy(features), len(features)
    mean, indices = matrix.mean(dim=0), torch.arange(n)
    picked, picks = torch.zeros(n, dtype=torch.bool), []
    for step in range(1, k + 1):
        wanted = step * mean - matrix[picked].sum(dim=0)
        best = int(indices[~picked][distances(wanted[None], matrix[~picked])[0].argmin()])
        picked[best] = True
        picks.append(best)
    return np.array(picks)


def neighbours(features: Floats, k: int) -> Integers:
    """The first of each row of a sorted n x n matrix, without the sample itself."""
    squares = np.repeat(np.square(features).sum(axis=1)[:, None], len(features), axis=1)
    pairs = np.sqrt(np.clip(squares + squares.T - 2 * np.dot(features, features.T), 1e-12, None))
    return np.argsort(pairs, axis=1)[:, 1 : k + 1]
