"""How often the guard fires on networks that mask nothing: `python -m tests.masking.false_alarms` (some minutes).

Random coresets of digits, trained by the recipes of the digits suite and attacked at its primary epsilons. Prints the
table of docs/attacks.md.
"""

from collections import Counter

import torch

from benchmark.attacks import guard, margin_pgd, pgd
from benchmark.data import load
from benchmark.leaderboard.masking import telling
from benchmark.models import build
from benchmark.models.folded import folded
from benchmark.records import Sign
from benchmark.spec import Guard, Regime, load_suite
from benchmark.stages.train import train

NETWORKS, GUARD = 40, Guard()


def gains(regime: Regime) -> list[int]:
    """Images that the guard broke and the suite's own attacks did not, for each network."""
    suite = load_suite("digits")
    data, descent, climb = load(suite.dataset), suite.attacks.pgd, suite.attacks.margin
    assert climb
    x, y, ids = next(data.test.batches(torch.arange(GUARD.images), GUARD.images))
    found = []
    for seed in range(NETWORKS):
        size = round(suite.fractions[seed % len(suite.fractions)] * len(data.train))
        order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(seed))
        network = build(regime.model, data.num_classes, data.shape, data.mean, data.std, seed=seed)
        train(network, data.train, order[:size].sort().values, regime.recipe, seed=seed)
        network, epsilon = folded(network.eval()), float(regime.primary)
        usual = pgd(network, x, y, (epsilon,), descent, seed, ids)[0]
        usual &= margin_pgd(network, x, y, (epsilon,), climb, seed, ids)[0]
        stages, _ = guard(network, x, y, epsilon, descent, climb, GUARD.factor, seed, ids)
        found.append(int((usual & ~stages["margin"]).sum()))
    return found


def main() -> None:
    torch.set_num_threads(1)
    print("| regime | networks | images gained: mean | 0 | 1 | 2 | 3 or more | flagged |")
    print("|:---|---:|---:|---:|---:|---:|---:|---:|")
    for name, regime in load_suite("digits").regimes.items():
        found = gains(regime)
        counts = Counter(min(gain, 3) for gain in found)
        flagged = sum(telling(Sign(found=gain, of=GUARD.images)) for gain in found)
        cells = [name, len(found), f"{sum(found) / len(found):.2f}", *(counts[i] for i in range(4)), flagged]
        print(f"| {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
