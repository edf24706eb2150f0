"""Area under the margin from logits, sample by sample (arXiv:2001.10528, equation 1)."""

import numpy as np
import pytest

from methods.errors import UsageError
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

    def reset(margins: np.ndarray) -> np.ndarray:
        for epoch in margins:
            total = np.zeros(margins.shape[1])
            total += epoch
        return total

    margins = np.array([[-9.0, 1.0], [1.0, 0.0]])
    assert reset(margins).argmin() == 1
    given = context([0, 1], {"logit_margin": margins, "probability_margin": margins})
    assert chosen("aum", given, 1) == [0]


def test_the_two_outputs_rank_differently() -> None:
    """A margin of logits keeps growing where the one of probabilities has reached 1."""
    logits = np.array([[[9.0, 0.0]], [[0.5, 0.0]]])  # epochs 0 and 1 of a sample that was sure once
    steady = np.array([[[4.0, 0.0]], [[4.0, 0.0]]])
    both = np.concatenate([logits, steady], axis=1)
    powers = np.exp(both)
    values = {"logit_margin": both, "probability_margin": powers / powers.sum(axis=2, keepdims=True)}
    margins = {name: v[..., 0] - v[..., 1] for name, v in values.items()}
    assert chosen("aum", context([0, 0], margins), 1) == [1]
    assert chosen("aum", context([0, 0], margins), 1, {"outputs": "probabilities"}) == [0]


def test_outputs_that_do_not_exist_are_named() -> None:
    margins = np.zeros((2, 3))
    with pytest.raises(UsageError, match="did you mean 'logits'"):
        chosen(
            "aum", context([0] * 3, {"logit_margin": margins, "probability_margin": margins}), 1, {"outputs": "logit"}
        )
