"""Sets made to show one fault, in numbers that are the same on every machine.

Each function answers with the values that its entry's sentence names. Seeds are fixed; nothing is trained.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmark.ledger.entries import ENTRIES
from benchmark.ledger.lines import Shown
from methods.api import Budget, Context, Integers, Scalar, Signals
from methods.compat.submodular import coverage_order
from methods.gradients import LastLayer
from methods.registry import get

Values = dict[str, int | float]


def shown() -> list[Shown]:
    """What each entry's set shows, in the ledger's order."""
    return [Shown(entry=entry.name, values=SETS[entry.name]()) for entry in ENTRIES if entry.shown]


def picks(name: str, k: int, labels: Any, params: Mapping[str, Scalar] | None = None, **signals: Any) -> Integers:
    """What a method answers, whether or not it keeps the contract."""
    labels = np.asarray(labels, dtype=np.int64)
    arrays = {name: np.asarray(values) for name, values in signals.items()}
    epochs = max((len(a) for a in arrays.values() if a.shape[:2][-1] == len(labels)), default=1)
    context = Context(labels, int(labels.max()) + 1, Signals(arrays, epochs), np.random.default_rng(0))
    return get(name, params or {}).select(context, Budget(k, len(labels))).indices


def herding() -> Values:
    n, d, k = 5000, 16, 500
    features = np.random.default_rng(0).standard_normal((n, d))

    def gap(chosen: Integers) -> float:
        return float(np.linalg.norm(features[chosen].mean(axis=0) - features.mean(axis=0)))

    one_class = np.zeros(n)
    return {
        "n": n,
        "d": d,
        "k": k,
        "argmax": gap(picks("herding-deepcore", k, one_class, features=features)),
        "argmin": gap(picks("herding", k, one_class, features=features)),
        "random": gap(picks("random", k, one_class)),
    }


def ragged_batch() -> Values:
    n, batch, k = 1000, 300, 100
    norms = np.random.default_rng(0).gamma(4.0, size=(1, n))
    last = n % batch
    given: dict[str, Any] = {"labels": np.zeros(n), "last_layer_grad_norm": norms}

    def late(name: str, **params: Scalar) -> int:
        return int((picks(name, k, params={"proxies": 1, "at": 1.0, **params}, **given) >= n - last).sum())

    faulty, right = late("grand-deepcore", batch=batch), late("grand-last")
    return {"n": n, "batch": batch, "k": k, "last": last, "faulty": faulty, "right": right}


def log_det() -> Values:
    n, clusters, k, rng = 400, 20, 20, np.random.default_rng(0)
    features = 10 * rng.standard_normal((clusters, 50))[np.arange(n) % clusters] + rng.standard_normal((n, 50))

    def held(name: str) -> int:
        p = np.full((n, 1), 1.0)
        return len(np.unique(picks(name, k, np.zeros(n), features=features, probability=p) % clusters))

    return {"n": n, "clusters": clusters, "k": k, "faulty": held("log-det-deepcore"), "right": held("log-det")}


def facility_location() -> Values:
    n, batch, k, rng = 1000, 256, 50, np.random.default_rng(0)
    second = np.arange(n) >= n // 2
    features = 10 * rng.standard_normal((2, 50))[second.astype(int)] + rng.standard_normal((n, 50))

    def held(name: str, **params: Scalar) -> int:
        p = np.full((n, 1), 1.0)
        return int(second[picks(name, k, np.zeros(n), params, features=features, probability=p)].sum())

    faulty, right = held("facility-location-deepcore", batch=batch), held("facility-location")
    return {"n": n, "batch": batch, "k": k, "faulty": faulty, "right": right}


def stochastic_greedy() -> Values:
    n = 1000

    def candidates(epsilon: float, k: int) -> int:
        return max(round(-np.log(epsilon) * n / k), 1)

    return {"n": n, "tenth": candidates(0.9, 100), "third": candidates(0.9, 300), "usual": candidates(0.01, 100)}


def gradmatch() -> Values:
    n, k, rng = 200, 40, np.random.default_rng(0)
    labels = np.append(np.zeros(n), 9)  # ten classes, of which the last has one sample
    p = rng.dirichlet(np.full(10, 0.5), size=n + 1).astype(np.float32)
    features = np.abs(rng.standard_normal((n + 1, 32)))
    gradients = LastLayer(p[:n] - np.eye(10)[0], features[:n])
    largest = np.argsort(-gradients.along(gradients.total(np.ones(n))))[:k]

    def plain(name: str) -> int:
        return len(np.intersect1d(picks(name, k, labels, features=features, probability=p), largest))

    return {"n": n, "k": k, "faulty": plain("gradmatch-deepcore"), "right": plain("gradmatch")}


def craig_weights() -> Values:
    n, k, rng = 1000, 100, np.random.default_rng(0)
    labels = rng.integers(0, 5, n)
    signals = {"features": rng.standard_normal((n, 8)), "probability": rng.dirichlet(np.ones(5), size=n)}
    context = Context(labels, 5, Signals(signals, 1), np.random.default_rng(0))

    def total(name: str) -> float:
        weights = get(name).select(context, Budget(k, n)).weights
        assert weights is not None
        return float(weights.sum())

    return {"n": n, "k": k, "faulty": total("craig-deepcore"), "right": total("craig")}


def budgets() -> Values:
    labels = np.repeat([0, 1, 2], [31, 31, 138])
    n, k = len(labels), len(labels) // 2
    return {"n": n, "k": k, "returned": len(picks("random-deepcore", k, labels))}


def forgetting() -> Values:
    n, never, k, epochs, rng = 500, 50, 150, 20, np.random.default_rng(0)
    correct = rng.random((epochs, n)) < np.linspace(0.05, 0.95, epochs)[:, None] ** 0.3
    correct[:, rng.permutation(n)[:never]] = False
    lost = np.flatnonzero(~correct.any(axis=0))

    def found(name: str) -> int:
        return len(np.intersect1d(lost, picks(name, k, np.zeros(n), correct=correct)))

    straight = picks("forgetting-deepcore", k, np.zeros(n), correct=correct)
    backwards = n - 1 - picks("forgetting-deepcore", k, np.zeros(n), correct=correct[:, ::-1])
    return {
        "n": n,
        "never": len(lost),
        "k": k,
        "faulty": found("forgetting-deepcore"),
        "right": found("forgetting"),
        "same": len(np.intersect1d(straight, backwards)),
    }


def ccs_balance() -> Values:
    labels = np.repeat([0, 1, 2], [500, 300, 200])
    n, k = len(labels), len(labels) // 10
    margins = np.random.default_rng(0).random((1, n))
    chosen = picks("aum-ccs", k, labels, probability_margin=margins)
    first, second, third = np.bincount(labels[chosen], minlength=3).tolist()
    return {"n": n, "k": k, "first": first, "second": second, "third": third, "total": len(chosen)}


def acs_beta() -> Values:
    from scipy.spatial.distance import cdist
    from scipy.special import softmax

    n, k, beta, rng = 1000, 100, 6.0, np.random.default_rng(0)
    labels = rng.integers(0, 10, n)
    clean = 1.5 * rng.standard_normal((n, 10)) + 4 * np.eye(10)[labels]
    attacked = clean + rng.standard_normal((n, 10)) - 2 * np.eye(10)[labels]
    p, q = softmax(clean, axis=1), softmax(attacked, axis=1)
    surprise = np.log(p / q)
    natural = p - np.eye(10)[labels]
    # Gradients of KL(p || q) with respect to both logits, added up as the project adds them.
    robust = p * (surprise - (p * surprise).sum(axis=1, keepdims=True)) + q - p

    def chosen(weight: float) -> Integers:
        distances = cdist(natural + weight * robust, natural + weight * robust)
        return coverage_order(distances.max() - distances, k)

    def share(weight: float) -> float:
        term, rest = np.square(weight * robust).sum(), np.square(natural).sum()
        return float(100 * term / (term + rest))

    same = len(np.intersect1d(chosen(beta), chosen(beta**2)))
    return {"n": n, "k": k, "beta": beta, "right": share(beta), "faulty": share(beta**2), "same": same}


def datacull_fraction() -> Values:
    n, rate = 1000, 0.2
    documented = round((1 - rate) * n)
    kept = len(picks("random-datacull", documented, np.zeros(n, dtype=np.int64)))
    return {"n": n, "rate": rate, "documented": documented, "kept": kept}


SETS: dict[str, Callable[[], Values]] = {
    "herding": herding,
    "ragged-batch": ragged_batch,
    "log-det": log_det,
    "facility-location": facility_location,
    "stochastic-greedy": stochastic_greedy,
    "gradmatch": gradmatch,
    "craig-weights": craig_weights,
    "budgets": budgets,
    "forgetting": forgetting,
    "ccs-balance": ccs_balance,
    "acs-beta": acs_beta,
    "datacull-fraction": datacull_fraction,
}
