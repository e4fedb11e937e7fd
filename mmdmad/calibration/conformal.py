"""Split-conformal p-values: how a score becomes a verdict with a guarantee.

If the case to be judged and the calibration cases are exchangeable (all normal, drawn alike), its rank among them is
uniform, whatever the detector does. So P(p <= rate) <= rate for every normal case, without any assumption on the
scores (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005, prop. 2.4; for outlier detection
Bates et al., "Testing for outliers with conformal p-values", Annals of Statistics 51, 2023).
"""

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from mmdmad.errors import DataError


def case_uniform(key: str, *purpose: object) -> float:
    """A number in [0, 1) fixed by a key and what it is for: breaks ties the same way in every run and order.

    The key is that of the case's content (`mmdmad.parts.case_key`), so that another name moves no p-value.

    >>> case_uniform("a", "joint", 0) == case_uniform("a", "joint", 0) != case_uniform("b", "joint", 0)
    True
    """
    text = "\x1f".join([str(key), *map(str, purpose)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56


def conformal_p_values(scores: ArrayLike, calibration: ArrayLike, uniforms: ArrayLike) -> np.ndarray:
    """Conformal p-values (N,) of `scores` (N,) against the calibration scores (n,) of normal cases.

    p = (1 + #{calibration > s} + K) / (n + 1), where K is uniform on 0..#{calibration = s}: the case takes a random
    place among those that tie with it, `uniforms` (N,) in [0, 1) decide. For normal cases p is exactly uniform on
    {1, ..., n + 1} / (n + 1), with or without ties (Vovk et al. 2005, smoothed rank, kept on the grid so that the
    smallest p-value, 1 / (n + 1), never pretends to more data than there are).

    >>> conformal_p_values([9.0, 1.0], [0.0, 1.0, 2.0], [0.5, 0.9])
    array([0.25, 0.75])
    """
    s, u = np.atleast_1d(np.asarray(scores, np.float64)), np.atleast_1d(np.asarray(uniforms, np.float64))
    reference = np.sort(np.asarray(calibration, np.float64).ravel())
    if not (np.isfinite(s).all() and np.isfinite(reference).all()):
        raise DataError("scores that are NaN or infinite were given; conformal p-values need finite scores")
    if s.shape != u.shape or (len(u) and not (u.min() >= 0 and u.max() < 1)):
        raise DataError(f"{u.shape} uniforms were given for {s.shape} scores; one in [0, 1) is needed for each")
    greater = len(reference) - np.searchsorted(reference, s, side="right")
    ties = len(reference) - np.searchsorted(reference, s, side="left") - greater
    return (1 + greater + np.floor(u * (ties + 1))) / (len(reference) + 1)


def conformal_p_value(score: float, calibration: ArrayLike, uniform: float) -> float:
    """The conformal p-value of one score; see `conformal_p_values`.

    >>> conformal_p_value(9.0, [0.0, 1.0, 2.0], 0.5)
    0.25
    """
    return float(conformal_p_values([score], calibration, [uniform])[0])


def pooled_p_value(p_values: Sequence[float], sizes: Sequence[int]) -> float:
    """The p-value of a case over K folds, from its p-value in each, among `sizes` calibration scores.

    p = (1 + sum of the places above it) / (n + 1), n all calibration scores: ranks of a fold are taken within the fold.
    Ties share as in each fold, with the one uniform number of the case, so that a case that ties with all of them is
    as uniform as with one fold. What a theorem says of it stands in `mmdmad.calibration.promise`.

    >>> pooled_p_value([0.25, 0.5], [3, 3])
    0.2857142857142857
    """
    ranks = [round(p * (size + 1)) for p, size in zip(p_values, sizes, strict=True)]
    return (1 + sum(rank - 1 for rank in ranks)) / (sum(sizes) + 1)


def smallest_calibration_size(rate: float) -> int:
    """The fewest calibration cases with which a case can be flagged at `rate`: n + 1 >= 1 / rate.

    >>> smallest_calibration_size(0.01)
    99
    """
    _check_rate(rate)
    return max(0, math.ceil(1 / rate - 1e-9) - 1)


def is_attainable(size: int, rate: float) -> bool:
    """True where `size` calibration cases suffice for `rate`.

    >>> is_attainable(99, 0.01), is_attainable(98, 0.01)
    (True, False)
    """
    return size >= smallest_calibration_size(rate)


def false_alarm_interval(size: int, rate: float, level: float = 0.95) -> tuple[float, float]:
    """Central interval of the false-alarm rate that this one calibration set really gives.

    Flagging p <= rate flags scores above the k-th largest calibration score, k = floor(rate (n + 1)). Over calibration
    sets, the probability that a normal case lies above it is Beta(k, n + 1 - k) (continuous scores; Vovk,
    "Conditional validity of inductive conformal predictors", 2012, prop. 2a). Its mean k / (n + 1) is at most `rate`.

    >>> [round(x, 4) for x in false_alarm_interval(199, 0.05)]
    [0.0244, 0.0841]
    """
    from scipy.stats import beta

    _check_rate(rate)
    k = math.floor(rate * (size + 1) + 1e-9)
    if k < 1:
        return 0.0, 0.0
    if k > size:
        return 1.0, 1.0
    tail = (1 - level) / 2
    low, high = beta.ppf([tail, 1 - tail], k, size + 1 - k)
    return float(low), float(high)


def attained_level(size: int, rate: float) -> float:
    """The rate that `p <= rate` really has over calibration sets: k / (n + 1) with k = floor(rate (n + 1)).

    >>> attained_level(199, 0.05), round(attained_level(30, 0.05), 4), attained_level(18, 0.05)
    (0.05, 0.0323, 0.0)
    """
    _check_rate(rate)
    return min(math.floor(rate * (size + 1) + 1e-9), size + 1) / (size + 1)


def false_alarm_range(rate: float, size: int, cases: int, level: float = 0.95) -> tuple[int, int]:
    """The smallest and largest count of false alarms among `cases` normal cases that a valid verdict explains.

    Given the calibration set the true rate is Beta(k, n + 1 - k) with k = floor(rate (n + 1)) (Vovk, "Conditional
    validity of inductive conformal predictors", ACML 2012, prop. 2a), so the count is beta-binomial: wider than a
    binomial range, which takes the rate itself as known.

    >>> false_alarm_range(0.05, 150, 200), false_alarm_range(0.05, 10, 200)
    ((2, 20), (0, 0))
    """
    from scipy import stats

    _check_rate(rate)
    tail, k = (1 - level) / 2, math.floor(rate * (size + 1) + 1e-9)
    if k < 1 or cases < 1:
        return 0, 0
    if k > size:
        return cases, cases
    hits = stats.betabinom(cases, k, size + 1 - k)
    return int(hits.ppf(tail)), int(hits.ppf(1 - tail))


def adjusted_p_values(p_values: ArrayLike) -> np.ndarray:
    """Benjamini–Hochberg adjusted p-values (N,): case i is a discovery at rate q exactly where adjusted_i <= q.

    >>> adjusted_p_values([0.01, 0.04, 0.03])
    array([0.03, 0.04, 0.04])
    """
    p = np.asarray(p_values, np.float64)
    if p.ndim != 1 or not (np.isfinite(p).all() and (p >= 0).all() and (p <= 1).all()):
        raise DataError(f"p-values of shape {p.shape} were given; one dimension, each in [0, 1], is needed")
    order = np.argsort(p, kind="stable")
    raw = p[order] * len(p) / np.arange(1, len(p) + 1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return adjusted


def benjamini_hochberg(p_values: ArrayLike, rate: float) -> np.ndarray:
    """Which of a batch of cases to report so that at most `rate` of the reports are false on average; bool (N,).

    Benjamini and Hochberg, JRSS B 57, 1995. Conformal p-values that share a calibration set are positively dependent,
    so the procedure keeps its guarantee (Bates et al. 2023, theorem 2). With n calibration cases and N cases in the
    batch, single discoveries need 1 / (n + 1) <= rate / N; many together need less.

    >>> benjamini_hochberg([0.001, 0.2, 0.011, 0.9], 0.05)
    array([ True, False,  True, False])
    """
    _check_rate(rate)
    return adjusted_p_values(p_values) <= rate


def _check_rate(rate: float) -> None:
    if not 0 < rate < 1:
        raise DataError(f"a rate of {rate} was given; allowed is 0 < rate < 1")
