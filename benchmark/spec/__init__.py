"""What an experiment is: frozen, validated specifications, read from the TOML files in `benchmark/suites`.

Everything that changes a number by design is a field here, and so part of the content address of the stages
that it touches. Lengths in image space (epsilon, step sizes) are in units of pixels in [0, 1] and may be
written as fractions ("8/255").
"""

from benchmark.spec.attacks import PGD, Attacks, AutoAttack, Guard, MarginPGD, SmallestEpsilon
from benchmark.spec.base import FULL, Scalar, Spec
from benchmark.spec.files import explain, load_suite, suite_names, validated_suite
from benchmark.spec.suite import CALIBRATE, NULL, UNIFORM, Family, Nulls, Regime, Row, Suite
from benchmark.spec.training import Augment, Clock, DatasetSpec, Recipe, Training, Tuned, Tuning

__all__ = [
    "CALIBRATE",
    "FULL",
    "NULL",
    "PGD",
    "UNIFORM",
    "Attacks",
    "Augment",
    "AutoAttack",
    "Clock",
    "DatasetSpec",
    "Family",
    "Guard",
    "MarginPGD",
    "Nulls",
    "Recipe",
    "Regime",
    "Row",
    "Scalar",
    "SmallestEpsilon",
    "Spec",
    "Suite",
    "Training",
    "Tuned",
    "Tuning",
    "explain",
    "load_suite",
    "suite_names",
    "validated_suite",
]
