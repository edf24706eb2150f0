"""Distance to the nearest prototype (Sorscher et al. 2022, "Beyond neural scaling laws", arXiv:2206.14486).

    score(x) = 1 - max_j cos(h(x), c_j),  c_1 ... c_C the centres of k-means in feature space

of penultimate features of the proxy after its last epoch. The paper's headline metric has the features of a
self-supervised network and is another method; with supervised features this is no `ssp`. Its released scores are
cosine similarities, high where an example is worth keeping: far from its prototype.

The paper keeps the far end where data are plenty and the near end where they are few. Which end is kept is no matter
of the data here: far (hard) by default, `prototypes@low` the near one.

Left open: the number of centres (as many as classes; the paper found that it matters little (from memory, not
checked)), and in which geometry they are found: features are brought to unit length first, so that k-means and the
score agree on what is near. Features of zero length are at distance 1 from every centre. k-means is scikit-learn's,
one run from k-means++, seeded by the generator: another generator finds other centres.

Cost: N x C x D for each iteration of k-means.
"""

import warnings
from functools import cache
from typing import Any

import numpy as np

from methods.api import Floats, Signals
from methods.gradients import finite
from methods.registry import score


@score("prototypes", needs="features", keep="high", direction="hard", stochastic=True, paper="arXiv:2206.14486")
def prototypes(signals: Signals, num_classes: int, rng: np.random.Generator) -> Floats:
    """Farthest from the nearest of C k-means centres, by cosine."""
    from sklearn.preprocessing import normalize

    features = normalize(finite(signals, "features"), copy=False)  # finite made a copy
    centres = normalize(k_means(features, num_classes, rng))
    nearest = np.argmax(features @ centres.T, axis=1)
    return 1 - np.einsum("nd,nd->n", features, centres[nearest])  # row by row: equal samples score exactly alike


def k_means(features: Floats, k: int, rng: np.random.Generator) -> Floats:
    """At most k centres, [k, D]. On one thread: more would add up in any order, and no run would repeat another."""
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    model = KMeans(min(k, len(features)), n_init=1, random_state=int(rng.integers(2**32)))
    with warnings.catch_warnings(), _threads().limit(limits=1, user_api="openmp"):
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct samples than centres
        centres: Floats = model.fit(features).cluster_centers_
    return centres


@cache
def _threads() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()  # looks through all loaded libraries: once will do
