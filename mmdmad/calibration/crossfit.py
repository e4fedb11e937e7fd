"""Scores of rows by models that did not learn from them, and the threshold that such scores give.

A model knows the rows it learned from, so their scores are lower than those of new rows like them. Here the rows are
dealt into folds; each fold is scored by a model that learned from the others (Stone, "Cross-validatory choice and
assessment of statistical predictions", Journal of the Royal Statistical Society B 36, 1974; as conformal prediction:
Vovk, "Cross-conformal predictors", Annals of Mathematics and Artificial Intelligence 74, 2015). This module knows
neither detectors nor cases.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mmdmad.errors import DataError


@dataclass(frozen=True, eq=False)
class Unseen:
    """Rows (n,), ascending, and the score (n,) of each by a model that did not learn from it."""

    rows: np.ndarray
    scores: np.ndarray


def crossfit(
    count: int,
    score: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    folds: int = 5,
    rounds: int | None = None,
    seed: int = 0,
) -> Unseen:
    """Deal `count` rows into folds by seed and let `score(learn, left_out)` score each fold in turn.

    `learn` and `left_out` are ascending row numbers that share none; `score` fits on the first and returns the scores
    (len(left_out),) of the second. rounds: how many folds are left out, all by default; with fewer the work is less and
    the other rows have no score. No more folds are made than there are rows.

    >>> unseen = crossfit(6, lambda learn, left_out: np.full(len(left_out), float(len(learn))), folds=3)
    >>> unseen.rows.tolist(), unseen.scores.tolist()
    ([0, 1, 2, 3, 4, 5], [4.0, 4.0, 4.0, 4.0, 4.0, 4.0])
    """
    if count < 2 or folds < 2 or (rounds is not None and rounds < 1):
        raise DataError(f"{count} rows, folds={folds}, rounds={rounds} were given; at least 2, 2 and 1 are needed")
    fold = np.empty(count, np.int64)
    fold[np.random.default_rng(seed).permutation(count)] = np.arange(count) % folds
    rows, scores = [], []
    for number in range(min(folds, count, folds if rounds is None else rounds)):
        left_out = np.flatnonzero(fold == number)
        found = np.asarray(score(np.flatnonzero(fold != number), left_out), np.float64)
        if found.shape != left_out.shape:
            raise DataError(f"{found.shape} scores were returned for {len(left_out)} rows; one each is needed")
        rows.append(left_out)
        scores.append(found)
    order = np.argsort(np.concatenate(rows))
    return Unseen(np.concatenate(rows)[order], np.concatenate(scores)[order])


def honest_threshold(scores: ArrayLike, rate: float) -> float:
    """The score that a new row like those of `scores` (n,) exceeds with a probability of at most `rate`.

    That holds where the new score and these are exchangeable: one model gives them all and learned from none. Of
    scores by one model a fold it is an estimate.

    It is the k-th largest, k = floor(rate (n + 1)): a new row takes each of the n + 1 places among them with the same
    probability. With fewer scores than `mmdmad.calibration.smallest_calibration_size(rate)` there is no such k; the
    largest is returned, which is exceeded with probability 1 / (n + 1).

    >>> honest_threshold(np.arange(1, 40), 0.05), honest_threshold([3.0, 1.0], 0.05)
    (38.0, 3.0)
    """
    ordered = np.sort(np.asarray(scores, np.float64).ravel())
    if not len(ordered) or not np.isfinite(ordered).all() or not 0 < rate < 1:
        raise DataError(f"{len(ordered)} scores, rate={rate} were given; allowed are finite scores and 0 < rate < 1")
    k = math.floor(rate * (len(ordered) + 1) + 1e-9)
    return float(ordered[-max(k, 1)])


def flagged_band(unseen: int, fresh: int, rate: float, level: float = 0.95) -> tuple[float, float]:
    """Central interval of the share of `fresh` new rows that an `honest_threshold` from `unseen` scores flags.

    The number is beta-binomial: a threshold at the k-th largest of n continuous scores has a rate of false alarms of
    Beta(k, n + 1 - k) (Vovk, "Conditional validity of inductive conformal predictors", 2012, prop. 2a).

    >>> [round(share, 3) for share in flagged_band(1000, 3000, 0.05)]
    [0.035, 0.066]
    """
    from scipy.stats import betabinom

    k = max(1, math.floor(rate * (unseen + 1) + 1e-9))
    low, high = betabinom.ppf([(1 - level) / 2, (1 + level) / 2], fresh, k, unseen + 1 - k)
    return float(low) / fresh, float(high) / fresh
