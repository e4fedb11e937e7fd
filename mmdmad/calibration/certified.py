"""Thresholds with confidence: what holds for this calibration set, not only on average over all that might be drawn.

A case is flagged where p <= k / (n + 1), that is where fewer than k of the n calibration scores are above its own. The
share of normal cases above the k-th largest of n scores is the k-th smallest of n uniform numbers, Beta(k, n + 1 - k),
whatever the scores are (without ties; with them it is smaller). So one rate, named beforehand, holds with confidence c
for the largest k with P(Beta(k, n + 1 - k) <= rate) >= c (Wilks, Annals of Mathematical Statistics 12, 1941; Vovk,
"Conditional validity of inductive conformal predictors", 2012): 59 scores are enough for 5 % at 95 %.

For a threshold chosen after looking, all n bounds have to hold at once. They do with confidence c if every one is its
own Beta's quantile at one common level, found so that all hold together with probability c (Berk and Jones, 1979;
Aldor-Noiman et al., American Statistician 67, 2013). A Kolmogorov-Smirnov band is as wide in the tail as in the middle,
and at n = 1,000 says nothing of rates below 4 %.
"""

import math
from functools import lru_cache

import numpy as np

from mmdmad.errors import DataError

CONFIDENCE = 0.95
MOST = 3_000
"""Calibration scores up to which a band is found; its cost grows with their square."""
_HALVINGS = 25


def certified_rank(size: int, rate: float, confidence: float = CONFIDENCE) -> int:
    """The largest k for which flagging p <= k / (size + 1) flags at most `rate` of normal cases; 0 where there is none.

    With probability `confidence` over the draw of the calibration set, for one rate that was named beforehand.
    DataError for a rate or confidence outside (0, 1) or a negative size.

    >>> certified_rank(58, 0.05), certified_rank(59, 0.05), certified_rank(1000, 0.05)
    (0, 1, 39)
    """
    from scipy import stats

    _check(size, confidence)
    if not 0 < rate < 1:
        raise DataError(f"a rate of {rate} was given; allowed is one between 0 and 1")
    k = np.arange(1, size + 1)
    return int((stats.beta.cdf(rate, k, size + 1 - k) >= confidence).sum())


def fewest_to_certify(rate: float, confidence: float = CONFIDENCE) -> int:
    """The fewest calibration scores with which a threshold can be certified: P(all n lie below) = (1 - rate)^n.

    >>> fewest_to_certify(0.05), fewest_to_certify(0.01)
    (59, 299)
    """
    return math.ceil(math.log(1 - confidence) / math.log(1 - rate) - 1e-9)


@lru_cache(maxsize=8)
def certified_band(size: int, confidence: float = CONFIDENCE) -> tuple[float, ...]:
    """Upper bounds (size,) of the share of normal cases flagged at p <= k / (size + 1), k = 1 … size, all at once.

    With probability `confidence` over the draw of the calibration set every one of them holds, so that a threshold may
    be chosen after looking. DataError for a confidence outside (0, 1) and for more than MOST scores.

    >>> band = certified_band(100)
    >>> round(band[0], 3), round(band[4], 3)
    (0.058, 0.129)
    """
    from scipy import stats

    _check(size, confidence)
    if size > MOST:
        raise DataError(f"{size} calibration scores were given; a band is found for up to {MOST}")
    if not size:
        return ()
    k = np.arange(1, size + 1)
    low, high = (1 - confidence) / (2 * size), 1 - confidence  # Bonferroni is too strict, one bound alone too lax
    for _ in range(_HALVINGS):
        level = (low + high) / 2
        if _all_hold(stats.beta.ppf(1 - level, k, size + 1 - k)) >= confidence:
            low = level
        else:
            high = level
    return tuple(stats.beta.ppf(1 - low, k, size + 1 - k).tolist())


def _all_hold(bounds: np.ndarray) -> float:
    """P(U_(k) <= bounds_k for every k) of the n ordered uniform numbers, `bounds` (n,) rising.

    Counts of points up to each bound make a chain: a Poisson process of rate n, given that it has n points in all
    (Moscovich and Nadler, "Fast calculation of boundary crossing probabilities for Poisson processes", 2017). The k-th
    bound holds where at least k points lie below it.
    """
    from scipy.special import gammaln

    n = len(bounds)
    steps = np.diff(np.concatenate([[0.0], bounds, [1.0]])) * n
    state = np.zeros(n + 1)
    state[0] = 1.0
    for k, mean in enumerate(steps, 1):
        if mean > 0:
            counts = np.arange(min(n, int(mean + 12 * np.sqrt(mean) + 40)) + 1)  # beyond, less than rounding is left
            state = np.convolve(state, np.exp(counts * np.log(mean) - mean - gammaln(counts + 1)))[: n + 1]
        if k <= n:
            state[:k] = 0.0
    return float(min(1.0, state[n] / np.exp(n * np.log(n) - n - gammaln(n + 1))))


def _check(size: int, confidence: float) -> None:
    if size < 0 or not 0 < confidence < 1:
        raise DataError(
            f"size {size} and confidence {confidence} were given; allowed are 0 and more, and between 0 and 1"
        )
