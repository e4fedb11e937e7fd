"""Where a detector's threshold comes from: scores of training items by detectors that did not learn from them."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.calibration.crossfit import crossfit
from mmdmad.detectors.items import some
from mmdmad.tokens import Tokens

if TYPE_CHECKING:
    from mmdmad.detectors.base import Detector

FOLDS = 10  # of closed forms, each left out in turn
PARTS = 5  # of which networks, which take long to train, leave out one


def unseen_scores(detector: "Detector", items: Sequence[Tokens]) -> np.ndarray:
    """Item scores (n,) that tell how new normal items will score, ascending; `detector` is fitted on `items`.

    They are its `decision_scores_` where those leave each item's own memory out or where two items are all there is;
    else another detector like it learns from a part of the items and scores the rest, once for each fold of a closed
    form, once in all for a network. The `contamination` share with the highest scores is left out: those items are
    taken for anomalous.
    """
    if detector._leaves_own_out or len(items) < 3:
        scores = detector.decision_scores_
    else:
        quick = detector.about.cost == "instant"
        scores = crossfit(
            len(items),
            partial(_learn_and_score, detector, items),
            folds=FOLDS if quick else PARTS,
            rounds=None if quick else 1,
            seed=detector.seed,
        ).scores
    return lowest(scores, detector.contamination)


def lowest(scores: np.ndarray, contamination: float) -> np.ndarray:
    """Scores (n,) without the `contamination` share of the highest, ascending.

    >>> lowest(np.array([3.0, 9.0, 1.0, 2.0]), 0.25)
    array([1., 2., 3.])
    """
    return np.sort(scores)[: len(scores) - suspected(len(scores), contamination)].astype(np.float64)


def suspected(count: int, contamination: float) -> int:
    """How many of `count` items are taken for anomalous.

    >>> suspected(40, 0.1), suspected(2, 0.4)
    (4, 1)
    """
    return count - max(1, round(count * (1.0 - contamination)))


def training_labels(scores: np.ndarray, contamination: float, threshold: float | None) -> np.ndarray:
    """1 (int, N) for the `contamination` share of the highest scores; where that is 0, for those above the threshold.

    >>> scores = np.array([3.0, 9.0, 1.0, 2.0])
    >>> training_labels(scores, 0.25, None).tolist(), training_labels(scores, 0.0, 2.5).tolist()
    ([0, 1, 0, 0], [1, 1, 0, 0])
    """
    if contamination == 0:
        return np.zeros(len(scores), int) if threshold is None else (scores > threshold).astype(int)
    labels = np.zeros(len(scores), int)
    labels[np.argsort(-scores, kind="stable")[: suspected(len(scores), contamination)]] = 1
    return labels


def _learn_and_score(
    detector: "Detector", items: Sequence[Tokens], learn: np.ndarray, left_out: np.ndarray
) -> np.ndarray:
    other = detector._another(f"unseen-{left_out[0]}")
    other._fit(some(items, learn))
    return other._pooled(other._score(some(items, left_out)))
