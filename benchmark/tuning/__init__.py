"""Tuning recipes for each regime, fraction and clock, on random coresets and images of `tune` alone.

One hyperparameter after the other: epochs, peak learning rate, optimiser, weight decay. A value is taken in place of
the recipe's own only where it is better by more than one standard error of the paired differences over random
coresets: a low bar, which an equal value passes in one place of five or six by chance, and to no row's advantage over
another. What was found is written into the suite file by hand, is the same for all rows, and stands in every
leaderboard.
"""

from benchmark.tuning.search import Found, Place, places, search, written
from benchmark.tuning.trials import Request, Trial, read_trials, write_trials

__all__ = ["Found", "Place", "Request", "Trial", "places", "read_trials", "search", "write_trials", "written"]
