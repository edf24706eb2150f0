"""Forgetting as in DeepCore (deepcore/methods/forgetting.py): what was never learnt counts 0, ties go by position."""

import numpy as np

from methods.api import Budget, Context, Integers
from methods.registry import subset


@subset(
    "forgetting-deepcore",
    needs="correct",
    direction="any",
    nested=True,
    paper="arXiv:1812.05159",
    repeats="forgetting",
)
def forgetting_deepcore(context: Context, budget: Budget) -> Integers:
    """Most often forgotten, where a sample that was never right has been forgotten 0 times.

    Two faults: the paper counts samples that were never learnt among the most forgettable, here they tie with the
    easiest; and a descending sort of small whole numbers, many of them equal, lets the order of the file decide.
    """
    correct = context.signals.correct.astype(bool)
    events = (correct[:-1] & ~correct[1:]).sum(axis=0)
    return np.argsort(events, kind="stable")[::-1][: budget.k]
