"""Contextual diversity (Agarwal et al. 2020, arXiv:2008.05723), with the core-set strategy (CDAL-CS).

    d(p, q) = 1/2 KL(p || q) + 1/2 KL(q || p) = 1/2 sum_c (p_c - q_c) (log p_c - log q_c)

between softmax outputs after the last epoch, and farthest-first selection under it. The authors' code compares the
outputs of an image's regions, class by class, for segmentation; an image to classify is one region, whose output is
compared as a whole (the paper's own words on classification are not checked).

Left open: the first pick. The authors' code draws it; here it is the sample whose output is nearest to the mean
output, under d. A float32 softmax can be 0, where their code drops the comparison; here logarithms are taken of no less
than the smallest normal float32.

Cost: as for k-center, with two products of C terms a divergence.
"""

import numpy as np

from methods.api import Budget, Context, Floats, Integers
from methods.cal import log_probability
from methods.gradients import finite
from methods.k_center import farthest_first
from methods.registry import subset


@subset("contextual-diversity", needs="probability", direction="cover", nested=True, paper="arXiv:2008.05723")
def contextual_diversity(context: Context, budget: Budget) -> Integers:
    """Farthest-first under the symmetric divergence of predictions: each pick differs most from all before it."""
    shuffle = context.rng.permutation(context.n)  # equal divergences are decided by the generator
    p = finite(context.signals, "probability")[shuffle]
    log_p = log_probability(p)
    own = np.einsum("nc,nc->n", p, log_p)

    def divergences(some: Integers, others: Integers) -> Floats:
        products = p[some] @ log_p[others].T
        products += log_p[some] @ p[others].T
        return np.maximum(own[some, None] + own[others] - products, 0)  # twice d

    mean = p.mean(axis=0)
    first = int(np.argmin(own - p @ log_probability(mean) - log_p @ mean))  # the mean's own term is the same for all
    return shuffle[farthest_first(divergences, first, context.n, budget.k)]
