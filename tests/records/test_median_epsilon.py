"""The median smallest epsilon, beside numpy's median of the radii."""

import numpy as np
import pytest

from benchmark.leaderboard.outcomes import median_epsilon
from benchmark.records import Radii, pack_levels

STEP, LEVELS = 0.003, 7


def radii(codes: list[int]) -> Radii:
    return Radii(step=STEP, levels=LEVELS, images=len(codes), codes=pack_levels(np.array(codes, dtype=np.int64)))


@pytest.mark.parametrize("images", [1, 2, 7, 8, 100, 101])
@pytest.mark.parametrize("seed", range(5))
def test_it_is_numpys_median_to_the_last_bit(images: int, seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, LEVELS + 2, images)
    right = codes[codes > 0]
    found = median_epsilon(radii(codes.tolist()))
    if not right.size:
        assert np.isnan(found)
        return
    assert found == np.median(np.where(right > LEVELS, np.inf, right * STEP))


def test_half_of_the_images_beyond_the_bound_are_enough_for_infinity() -> None:
    assert median_epsilon(radii([3, LEVELS + 1])) == np.inf
    assert median_epsilon(radii([3, 4, LEVELS + 1])) == 4 * STEP


def test_there_is_none_where_no_image_is_right() -> None:
    assert np.isnan(median_epsilon(radii([0, 0, 0])))
    assert np.isnan(median_epsilon(radii([])))
