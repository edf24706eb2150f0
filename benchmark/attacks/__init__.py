"""How robustness is measured: L-infinity attacks that return a verdict for every image, never a rate.

An attack is a function of a model (any callable from images to logits), images x (float32 [n, C, H, W] in
[0, 1]) and labels y (int64 [n]). It runs in float32 with the model in evaluation mode, and leaves modes,
parameters, their gradients and the global random state as they were.
"""

from benchmark.attacks.autoattack import AutoAttackResult, autoattack
from benchmark.attacks.guard import guard
from benchmark.attacks.model import CountedModel, Model, attack_mode, correct
from benchmark.attacks.pgd import margin_pgd, pgd, pgd_images
from benchmark.attacks.smallest import smallest_epsilon

__all__ = [
    "AutoAttackResult",
    "CountedModel",
    "Model",
    "attack_mode",
    "autoattack",
    "correct",
    "guard",
    "margin_pgd",
    "pgd",
    "pgd_images",
    "smallest_epsilon",
]
