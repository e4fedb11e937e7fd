"""Thresholds with confidence, against binomial sums and against draws."""

import numpy as np
import pytest
from scipy import stats

from mmdmad.calibration import certified
from mmdmad.calibration.certified import certified_band, certified_rank, fewest_to_certify
from mmdmad.errors import DataError


@pytest.mark.parametrize("rate", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_the_rank_by_binomial_sums(rate: float, confidence: float) -> None:
    """The k-th largest of n scores lies above the rate's quantile with P(Bin(n, rate) >= k)."""
    for size in (1, 20, 58, 59, 150, 299, 700):
        enough = [k for k in range(1, size + 1) if stats.binom.sf(k - 1, size, rate) >= confidence]
        assert certified_rank(size, rate, confidence) == max(enough, default=0)
    fewest = fewest_to_certify(rate, confidence)
    assert certified_rank(fewest, rate, confidence) == 1
    assert certified_rank(fewest - 1, rate, confidence) == 0


@pytest.mark.parametrize("size", [1, 2, 9, 60])
def test_all_bounds_of_the_band_hold_together(size: int) -> None:
    draws = 40_000
    uniform = np.sort(np.random.default_rng(7).random((draws, size)), axis=1)
    for confidence in (0.5, 0.95):
        held = (uniform <= np.array(certified_band(size, confidence))).all(axis=1).mean()
        assert abs(held - confidence) < 4 * np.sqrt(confidence * (1 - confidence) / draws)


def test_a_band_is_above_single_bounds_and_below_bonferroni() -> None:
    k = np.arange(1, 101)
    band = np.array(certified_band(100))
    assert (np.diff(band) > 0).all()
    assert (band > stats.beta.ppf(0.95, k, 101 - k)).all()
    assert (band < stats.beta.ppf(1 - 0.05 / 100, k, 101 - k)).all()
    # the floor of a one-sided Kolmogorov-Smirnov band of 1,000 scores
    assert certified_band(1000)[0] < 0.007 < 0.0385 < np.sqrt(np.log(1 / 0.05) / 2000)


def test_what_cannot_be_certified_is_refused() -> None:
    assert certified_band(0) == ()
    assert certified_rank(0, 0.05) == 0
    for wrong in ((-1, 0.05, 0.95), (10, 0.0, 0.95), (10, 1.0, 0.95), (10, 0.05, 1.0), (10, 0.05, 0.0)):
        with pytest.raises(DataError, match="allowed"):
            certified_rank(*wrong)
    with pytest.raises(DataError, match="up to 3000"):
        certified_band(certified.MOST + 1)
