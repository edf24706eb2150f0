"""The hash against an independent implementation on uint64, and the draws against the laws they claim."""

import hashlib
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmark.randomness import (
    derive_seed,
    hash64,
    integers,
    normal_images,
    shuffled,
    uniform,
    uniform_images,
)

N = 20_000
IDS = torch.arange(N)
KEYS = (0, 1, 2**63 - 1)


def splitmix64(state: np.ndarray) -> np.ndarray:
    """One output of splitmix64 (Steele, Lea and Flood 2014) per state, as in the authors' Java."""
    with np.errstate(over="ignore"):
        z = state + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def oracle(key: int, ids: np.ndarray, stream: int) -> np.ndarray:
    """The (id + 1)-th output of the generator that key and stream start."""
    start = int.from_bytes(hashlib.sha256(f'["hash64",{key},{stream}]'.encode()).digest()[:8], "big") >> 1
    with np.errstate(over="ignore"):
        return splitmix64(np.uint64(start) + ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def test_the_oracle_itself() -> None:
    # the first outputs of the reference implementation from seed 1234567
    golden = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        outputs = splitmix64(np.uint64(1234567) + np.arange(3, dtype=np.uint64) * golden)
    assert outputs.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("stream", [0, 3])
def test_hash64_is_splitmix64(key: int, stream: int) -> None:
    ids = torch.cat([IDS[:1000], torch.tensor([2**31, 2**40 + 7, 2**62])])
    ours = hash64(key, ids, stream).numpy().view(np.uint64)
    assert np.array_equal(ours, oracle(key, ids.numpy(), stream))


@pytest.mark.parametrize("key", KEYS)
def test_draws_follow_from_the_bits(key: int) -> None:
    bits = oracle(key, IDS.numpy(), 1)
    expected = ((bits >> np.uint64(41)).astype(np.float64) + 0.5) / 2**23
    assert np.array_equal(uniform(key, IDS, 1).numpy(), expected.astype(np.float32))
    expected = ((bits >> np.uint64(32)) * np.uint64(10)) >> np.uint64(32)
    assert np.array_equal(integers(key, IDS, 10, 1).numpy(), expected.astype(np.int64))


def test_derive_seed() -> None:
    digest = hashlib.sha256(json.dumps(["train", "a", 1], separators=(",", ":")).encode()).digest()
    assert derive_seed("train", "a", 1) == int.from_bytes(digest[:8], "big") >> 1
    seeds = {derive_seed(*parts) for parts in [("a", 1), ("a", "1"), ("a", 1, 1), ("a", 11), ("b", 1), ("a",), ("a1",)]}
    assert len(seeds) == 7
    assert all(0 <= derive_seed("range", i) < 2**63 for i in range(1000))


@pytest.mark.parametrize("key", KEYS)
def test_uniform_is_uniform_and_open(key: int) -> None:
    draws = uniform(key, IDS)
    assert draws.dtype == torch.float32
    assert 0 < draws.min()
    assert draws.max() < 1
    assert stats.kstest(draws.double().numpy(), "uniform").pvalue > 1e-3


@pytest.mark.parametrize("high", [2, 10, 1000])
def test_integers_are_uniform(high: int) -> None:
    counts = torch.bincount(integers(5, torch.arange(100 * high), high), minlength=high)
    assert len(counts) == high
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3


def test_uniform_images() -> None:
    images = uniform_images(3, IDS[:100], (3, 8, 8))
    assert images.shape == (100, 3, 8, 8)
    assert images.dtype == torch.float32
    assert stats.kstest(images.flatten().double().numpy(), "uniform").pvalue > 1e-3
    assert images.flatten().unique().numel() > 0.99 * images.numel()


def test_normal_images() -> None:
    images = normal_images(3, IDS[:100], (3, 8, 8))
    assert images.shape == (100, 3, 8, 8)
    assert images.dtype == torch.float32
    assert images.isfinite().all()
    values = images.flatten().double().numpy()
    assert stats.kstest(values, "norm").pvalue > 1e-3
    assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 4 / np.sqrt(len(values))


@pytest.mark.parametrize("draw", [uniform_images, normal_images])
def test_images_belong_to_ids_not_to_positions(draw) -> None:
    ids = torch.tensor([5, 900, 17, 3])
    images = draw(11, ids, (1, 4, 4))
    assert torch.equal(draw(11, ids.flip(0), (1, 4, 4)), images.flip(0))
    assert torch.equal(draw(11, ids[2:3], (1, 4, 4)), images[2:3])
    assert not torch.equal(draw(12, ids, (1, 4, 4)), images)


def test_streams_and_keys_are_uncorrelated() -> None:
    draws = [uniform(key, IDS, stream).double().numpy() for key in (0, 1) for stream in (0, 1, 2)]
    draws += [np.roll(draws[0], 1)]  # nor is an id with the next
    correlation = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(correlation).max() < 4 / np.sqrt(N)


@given(ids=st.sets(st.integers(0, 10**6), max_size=60), key=st.integers(0, 2**63 - 1), random=st.randoms())
def test_equal_sets_are_shuffled_alike(ids: set[int], key: int, random) -> None:
    first, second = sorted(ids), sorted(ids)
    random.shuffle(second)
    order = shuffled(key, torch.tensor(first, dtype=torch.int64))
    assert torch.equal(order, shuffled(key, torch.tensor(second, dtype=torch.int64)))
    assert sorted(order.tolist()) == first


def test_shuffles_are_uniform_and_change_with_the_key() -> None:
    positions = np.zeros((4, 4))
    for key in range(2000):
        positions[np.arange(4), shuffled(key, torch.arange(4)).numpy()] += 1
    assert stats.chisquare(positions.flatten()).pvalue > 1e-3


def test_shared_samples_keep_their_relative_order() -> None:
    larger = shuffled(9, torch.arange(100))
    smaller = shuffled(9, torch.arange(0, 100, 3))
    assert torch.equal(larger[larger % 3 == 0], smaller)


def test_global_random_state_is_untouched() -> None:
    before = torch.get_rng_state()
    shuffled(0, IDS)
    normal_images(0, IDS[:10], (1, 8, 8))
    assert torch.equal(torch.get_rng_state(), before)


def test_the_shuffle_says_nothing_of_an_images_own_draws() -> None:
    """Sorted by the hash that also decides its crop, a batch would hold images that are all cropped alike."""
    ids = torch.arange(5000)
    order = shuffled(KEYS[0], ids)
    for stream in range(4):
        draws = uniform(KEYS[0], order, stream)
        assert abs(stats.spearmanr(range(len(ids)), draws.numpy()).statistic) < 0.05
    noise = normal_images(KEYS[0], order, (1, 2, 2))[:, 0, 0, 0]
    assert abs(stats.spearmanr(range(len(ids)), noise.numpy()).statistic) < 0.05
