"""One model a position, or one for all: decided on normal items alone, by how high held-out ones score.

What is normal but rare in a place (a walker on a spot that few walk over) is far from a model of that place and near
one of all places; what is odd only for its place is seen by the first alone. Likelihood prefers models of single
places even where they fail, since it is an average over tokens. False alarms come from the highest scores of normal
items, so those are asked: where a tenth of the held-out items score much higher with a model a position, measured in
typical token scores, one model for all is taken.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmdmad.detectors.items import some
from mmdmad.tokens import Tokens

if TYPE_CHECKING:
    from mmdmad.detectors.base import Detector

FOLDS = 3
HIGH = 0.9  # a quantile over items that a single odd one among many does not move
LONGER = 3.0
"""Times the height with one model for all, beyond which models of single positions are given up.

When this was written it was 8 to 11 times on ped2, where they do harm, and 0.5 to 1.6 on the simulated line, where
places matter. Both were in view.
"""


def height(item_scores: np.ndarray, token_scores: np.ndarray) -> float:
    """What a tenth of items exceed, in medians of their tokens: scores (N,) and (M,), from 0 upwards.

    >>> height(np.arange(11.0), np.full(5, 3.0))
    3.0
    """
    return float(np.quantile(item_scores, HIGH) / max(np.median(token_scores), np.finfo(float).tiny))


def apart_by_tails(make: "Callable[[bool], Detector]", items: Sequence[Tokens]) -> bool:
    """Whether held-out normal items score about as low with models of single positions as with one model for all.

    make: an unfitted detector with, or without, a model a position. Items are held out in three blocks of neighbours,
    since items side by side may overlap; of fewer than six there is too little to hold out, and positions stay apart.
    """
    if len(items) < 2 * FOLDS:
        return True
    heights = []
    for apart in (True, False):
        tokens: list[np.ndarray] = []
        scores: list[float] = []
        for held in np.array_split(np.arange(len(items)), FOLDS):
            fitted = make(apart).fit(some(items, np.setdiff1d(np.arange(len(items)), held)))
            seen = fitted.token_scores(some(items, held))
            tokens += seen
            scores += [fitted._pool(one) for one in seen]
        heights.append(height(np.array(scores), np.concatenate(tokens)))
    return heights[0] <= LONGER * heights[1]
