"""Where a detector's threshold comes from: scores of training items by models that did not learn from them."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

import numpy as np

from mmdmad.calibration import smallest_calibration_size
from mmdmad.calibration.crossfit import crossfit
from mmdmad.detectors.items import owners, some
from mmdmad.tokens import Tokens

if TYPE_CHECKING:
    from mmdmad.detectors.base import Detector

Way = Literal["folds", "few", "own", "split"]
FOLDS = 10  # each left out in turn
SPENT = 8000  # items times folds, where a fit takes no time: of 89 items each is a fold, of 200 five
FEW, FEW_TOKENS = 2000, 20_000  # items and tokens up to which "few" means folds
HELD_OUT = 0.25  # of the items, where the detector itself does not learn from some


def held_out(detector: "Detector", count: int) -> np.ndarray:
    """Numbers (h,), ascending, of the items that `detector` is not to learn from: none but for the way "split".

    A quarter; of few items as many as the rate of false alarms needs, at most half.
    """
    if detector._unseen_by != "split" or detector.false_alarm_rate is None or count < 3:
        return np.zeros(0, np.int64)
    share = float(np.clip(smallest_calibration_size(detector.false_alarm_rate) / count, HELD_OUT, 0.5))
    shuffled = np.random.default_rng(detector.seed).permutation(count)
    return np.sort(shuffled[: max(1, int(share * count))])


def unseen_scores(detector: "Detector", items: Sequence[Tokens], held: np.ndarray) -> np.ndarray:
    """Item scores (n,) that tell how new normal items will score, ascending; `detector` is fitted on all but `held`.

    They are its `decision_scores_` of the items held out; or all of them, where those leave each item's own memory out
    or where two items are all there is; else detectors like it learn from all folds but one each and score that one.

    A detector that remembers items leaves an item out of its memory but not out of its scale, and not out of what it
    knows of the others. With 50 items new ones are flagged a third too often then; with thousands it does not show, and
    fits are no longer instant. So "few" is folds up to `FEW` items, and "own" beyond.
    """
    way = detector._unseen_by
    few = way == "few" and len(items) <= FEW and len(owners(items)) <= FEW_TOKENS
    if len(held):
        scores = detector.decision_scores_[held]
    elif len(items) < 3 or way == "own" or (way == "few" and not few):
        scores = detector.decision_scores_
    else:
        folds = max(FOLDS, min(len(items), SPENT // len(items))) if few else FOLDS
        scores = crossfit(
            len(items), partial(_learn_and_score, detector, items), folds=folds, seed=detector.seed
        ).scores
    return lowest(scores, detector.contamination)


def lowest(scores: np.ndarray, contamination: float) -> np.ndarray:
    """Scores (n,) without the `contamination` share of the highest, ascending: those items are taken for anomalous.

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
