"""Area under the margin from logits, sample by sample (arXiv:2001.10528, equation 1)."""

import numpy as np
import pytest

from tests.oracles.worlds import SEEDS, assert_highest, assert_lowest, chosen, context


def margin(values: list[float], label: int) -> float:
    return values[label] - max(v for c, v in enumerate(values) if c != label)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("outputs", ["logits", "probabilities"])
def test_smallest_mean_margin_first(seed: int, outputs: str) -> None:
    rng = np.random.default_rng(seed)
    epochs, n, classes = 5, 30, 4
    labels, logits = rng.integers(0, classes, n), 2 * rng.standard_normal((epochs, n, classes))
    powers = np.exp(logits)
    values = {"logits": logits, "probabilities": powers / powers.sum(axis=2, keepdims=True)}
    margins = {
        kind: [[margin(v[t, i].tolist(), labels[i]) for i in range(n)] for t in range(epochs)]
        for kind, v in values.items()
    }
    given = context(
        labels, {"logit_margin": margins["logits"], "probability_margin": margins["probabilities"]}, epochs=epochs
    )
    scores = [sum(margins[outputs][t][i] for t in range(epochs)) / epochs for i in range(n)]
    assert_lowest(chosen("aum", given, 11, {"outputs": outputs}), scores)
    assert_highest(chosen("aum@high", given, 11, {"outputs": outputs}), scores)


def test_every_epoch_counts_and_not_the_last_one_alone() -> None:
    """The published fault: the sum is reset each epoch."""
    margins = [[-9.0, 1.0], [1.0, 0.0]]
    given = context([0, 1], {"logit_margin": margins, "probability_margin": margins})
    assert chosen("aum", given, 1) == [0]
