"""The projection that FAB spends most of its time in, without the sort of all pixels of every image.

FAB (Croce and Hein 2020, arXiv:1907.02044, section 3.1) asks for the smallest step in the maximum norm that takes a
point t of the box [0, 1]^d to the hyperplane <w, x> = b. With p_i the room that pixel i has towards it, the step is
min(r, p_i) in each pixel for the r at which

    g(r) = sum_i |w_i| min(r, p_i) = |<w, t> - b|,

or all the room there is where that is not enough. The package sorts the p_i and bisects. g is concave, so Newton's
method from the left never overshoots, and as g is made of straight pieces it ends at the solution after a few passes.
"""

import torch
from torch import Tensor

PASSES = 50  # a handful is usual; beyond these, r is right to rounding


def projection_linf(points: Tensor, normals: Tensor, offsets: Tensor) -> Tensor:
    """The steps from points [n, d] in [0, 1] to the hyperplanes of normals [n, d] and offsets [n]: [n, d].

    Stands in for `pyautoattack.fab_projections.projection_linf`: the same steps up to rounding.
    """
    excess = (normals * points).sum(1) - offsets
    side = torch.where(excess >= 0, -1.0, 1.0)[:, None] * normals.sign()  # where each pixel goes, -1, 0 or 1
    room = torch.where(side > 0, 1 - points, points)
    steepness, wanted = normals.abs(), excess.abs()
    radius = (wanted / steepness.sum(1)).nan_to_num_(0)  # a normal of 0 moves nothing
    rows = torch.arange(len(points), device=points.device)
    p, w, aim, r = room, steepness, wanted, radius
    for _ in range(PASSES):
        free = p > r[:, None]
        slope = (w * free).sum(1)
        better = (aim - torch.where(free, 0, w * p).sum(1)) / slope  # nothing free: all the room is not enough
        moved = (better > r) & (slope > 0)
        radius[rows[slope <= 0]] = torch.inf
        if not moved.any():
            break
        radius[rows[moved]] = better[moved]
        rows, p, w, aim, r = rows[moved], p[moved], w[moved], aim[moved], better[moved]
    return side * torch.minimum(room, radius[:, None])
