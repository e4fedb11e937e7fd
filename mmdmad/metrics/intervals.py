"""Intervals: a number without one proves nothing."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from mmdmad.errors import DataError


def binomial_range(rate: float, trials: int, level: float = 0.95) -> tuple[int, int]:
    """The smallest and largest count that a true rate explains at this level: the band a false-alarm count must hit.

    >>> binomial_range(0.05, 200)
    (4, 16)
    """
    tail = (1 - level) / 2
    return int(stats.binom.ppf(tail, trials, rate)), int(stats.binom.ppf(1 - tail, trials, rate))


def bootstrap_mean(values: np.ndarray, seed: int = 0, draws: int = 2000, level: float = 0.95) -> tuple[float, float]:
    """Percentile interval of the mean of `values` (n,), resampling the values.

    >>> bootstrap_mean([0.5, 0.5, 0.5])
    (0.5, 0.5)
    """
    values = np.asarray(values, np.float64).ravel()
    if not len(values):
        raise DataError("no values were given; at least one is needed")
    rng = np.random.default_rng(seed)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    return _tails(means, level)


def bootstrap_metric(
    metric: Callable[[np.ndarray, np.ndarray], float],
    labels: np.ndarray,
    scores: np.ndarray,
    *,
    groups: np.ndarray | None = None,
    seed: int = 0,
    draws: int = 500,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile interval of `metric(labels, scores)`, resampling normal and anomalous items apart.

    With `groups` (n,) whole groups are resampled (frames of one clip, rows of one file): items of a group are not
    independent. Draws without both labels are dropped.
    """
    labels, scores = np.asarray(labels).ravel(), np.asarray(scores).ravel()
    rng = np.random.default_rng(seed)
    found = []
    if groups is None:
        kinds = [np.flatnonzero(labels == value) for value in (0, 1)]
        for _ in range(draws):
            rows = np.concatenate([rng.choice(k, len(k)) for k in kinds])
            found.append(metric(labels[rows], scores[rows]))
    else:
        members = [np.flatnonzero(np.asarray(groups) == g) for g in np.unique(groups)]
        for _ in range(draws):
            rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
            if 0 < labels[rows].sum() < len(rows):
                found.append(metric(labels[rows], scores[rows]))
    if not found:
        raise DataError("no resample held both labels; an interval needs more groups")
    return _tails(np.array(found), level)


def _tails(values: np.ndarray, level: float) -> tuple[float, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
