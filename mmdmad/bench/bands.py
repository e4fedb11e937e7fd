"""How many false alarms a promise explains over several splits, and how sure the share is that was seen in them.

Cases of one split share calibration cases, so they are no independent draws; splits are. The band of a count is that of
the theorem (beta-binomial a split), the interval of a share has the splits, or the recordings, as its clusters.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mmdmad.calibration.conformal import attained_level
from mmdmad.errors import DataError


def expected_flags(splits: Sequence[Mapping[int, int]], rate: float) -> float:
    """Mean count over all splits, each {calibration size: normal cases that rest on it}.

    >>> expected_flags([{99: 100}, {199: 100}], 0.05)
    10.0
    """
    return sum(cases * attained_level(size, rate) for one in splits for size, cases in one.items())


def flags_band(splits: Sequence[Mapping[int, int]], rate: float, level: float = 0.95) -> tuple[int, int]:
    """Central range of the count of flagged normal cases over splits, each {calibration size: cases}.

    A split's count is beta-binomial (Vovk, "Conditional validity of inductive conformal predictors", 2012, prop. 2a);
    splits are taken as independent, and so are patterns of one split, which share calibration cases: with several
    patterns, or splits of one small set, the band is a little too narrow.

    >>> flags_band([{199: 100}], 0.05), flags_band([{199: 100}] * 20, 0.05), flags_band([{9: 50}], 0.05)
    ((1, 11), (78, 124), (0, 0))
    """
    from scipy import signal, stats

    total = np.ones(1)
    for one in splits:
        for size, cases in one.items():
            k = round(attained_level(size, rate) * (size + 1))
            if k < 1 or cases < 1:
                continue
            own = stats.betabinom(cases, k, max(size + 1 - k, 1e-9)).pmf(np.arange(cases + 1))
            total = np.clip(signal.convolve(total, own), 0, None)
    reached = np.cumsum(total) / total.sum()
    tail = (1 - level) / 2
    return int(np.searchsorted(reached, tail)), int(np.searchsorted(reached, 1 - tail))


def clustered_share(hits: ArrayLike, cases: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """The share of hits over clusters (C,) of cases, with its interval: a ratio estimate, its error between clusters.

    Variance C / (C - 1) * sum (hits - share * cases)^2 / (sum cases)^2, with the t distribution of C - 1 degrees
    (Cochran, "Sampling Techniques", 1977, eq. 6.13, without the finite population). (0, 1) for a single cluster.

    >>> [round(x, 4) for x in clustered_share([4, 6, 5], [100, 100, 100])]
    [0.05, 0.0252, 0.0748]
    """
    from scipy import stats

    found, among = np.asarray(hits, np.float64), np.asarray(cases, np.float64)
    if found.shape != among.shape or found.ndim != 1 or not len(found) or not (among > 0).all():
        raise DataError(f"{found.shape} hits, {among.shape} cases were given; as many of each, and no empty cluster")
    share, count = found.sum() / among.sum(), len(found)
    if count == 1:
        return float(share), 0.0, 1.0
    error = np.sqrt(count / (count - 1) * ((found - share * among) ** 2).sum()) / among.sum()
    reach = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
    return float(share), max(0.0, float(share - reach)), min(1.0, float(share + reach))
