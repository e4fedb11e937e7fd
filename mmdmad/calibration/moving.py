"""A moving reference: the scores of the latest cases, for a stream whose normal moves slowly.

Nothing is proved of it. A case is ranked among the WINDOW latest cases that were entered, so that a slow drift does not
flag everything; a fault that comes as slowly is learned too.

Entering unflagged cases alone would cut off the top of what is normal, the threshold would fall with each window, and
more and more be flagged: at 5 % with 200 scores 64 % of the fourth thousand of a stream that stays (simulated).
So flagged cases enter as well, as often as false alarms are expected: each case that comes adds `rate` to a credit, one
flagged case costs 1, and what is left over is kept up to half of the places above the threshold (2 at least, MOST at
most), so that an event fills no window. With that it stays at 5 to 6 % (at 1 %: 1.0 to 1.3 %; 8 seeds).
"""

from bisect import bisect_left, bisect_right, insort
from collections import deque
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from pydantic import BaseModel, ConfigDict, Field

from mmdmad.calibration.conformal import attained_level, smallest_calibration_size
from mmdmad.errors import DataError
from mmdmad.guarantees import Guarantee
from mmdmad.saved import require, validated

WINDOW = 200
"""Cases that a reference holds at most, where the rate does not need more."""
MOST = 10.0


class _State(BaseModel):
    """What `MovingReference.state` gives."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    rate: float = Field(gt=0, lt=1)
    credit: float = Field(ge=0, le=MOST)
    scores: list[float]


class MovingReference:
    """The scores of the latest entered cases, at first those (n,) of calibration cases, thinned out evenly.

    >>> reference = MovingReference([0.0, 1.0, 2.0], rate=0.25)
    >>> reference.rank(9.0, 0.5), reference.enter(9.0, flagged=True), len(reference)
    (0.25, True, 4)
    >>> reference.enter(9.0, flagged=True)
    False
    """

    def __init__(self, calibration: ArrayLike, rate: float) -> None:
        scores = np.sort(np.asarray(calibration, np.float64).ravel())
        if not np.isfinite(scores).all():
            raise DataError("calibration scores that are NaN or infinite were given; a reference needs finite ones")
        self.rate, self.most = rate, max(WINDOW, 2 * (smallest_calibration_size(rate) + 1))
        kept = np.unique(np.linspace(0, len(scores) - 1, min(len(scores), self.most)).round().astype(int))
        self._set(scores[kept].tolist() if len(scores) else [], 1.0)

    def _set(self, scores: list[float], credit: float) -> None:
        self._queue, self._sorted, self._credit = deque(scores), sorted(scores), credit

    def __len__(self) -> int:
        return len(self._sorted)

    def rank(self, score: float, uniform: float) -> float:
        """The p-value of a case among the scores held; `uniform` in [0, 1) places it among those that tie with it."""
        right = bisect_right(self._sorted, score)
        ties = right - bisect_left(self._sorted, score)
        return (1 + len(self._sorted) - right + int(uniform * (ties + 1))) / (len(self._sorted) + 1)

    def enter(self, score: float, *, flagged: bool) -> bool:
        """Let the next case in time be one of those ranked among; a flagged one where a false alarm is expected."""
        if not np.isfinite(score):
            raise DataError(f"a score of {score} was given; a reference needs finite ones")
        kept = min(MOST, max(2.0, self.rate * len(self) / 2))
        self._credit = min(kept, self._credit + self.rate)
        if flagged and self._credit < 1:
            return False
        self._credit -= flagged
        self._queue.append(float(score))
        insort(self._sorted, float(score))
        if len(self._queue) > self.most:
            self._sorted.pop(bisect_left(self._sorted, self._queue.popleft()))
        return True

    def state(self) -> dict[str, Any]:
        """Everything that it knows, as JSON values (floats survive JSON exactly), the oldest score first."""
        return {"rate": self.rate, "credit": self._credit, "scores": list(self._queue)}

    @classmethod
    def from_state(cls, state: Any) -> "MovingReference":
        """The reference that `state` described; ModelError where no reference can have given it."""
        known = validated(_State, state)
        made = cls([], known.rate)
        require(len(known.scores) <= made.most, f"a reference of {len(known.scores)} scores holds {made.most} at most")
        made._set(known.scores, known.credit)
        return made


def moving(guarantee: Guarantee, size: int) -> Guarantee:
    """What stands behind a rank among a moving reference of so many cases: no promise."""
    note = f"ranked among the {size} latest cases (--adapt), a moving reference, which can learn a slow fault"
    return guarantee.model_copy(
        update={
            "method": "moving", "among": "cases", "within": False, "size": size, "units": size, "bound": None,
            "interval": (0.0, 1.0), "measured": None, "attained": attained_level(size, guarantee.rate), "valid": False,
            "note": note,
        }
    )  # fmt: skip
