"""p-values for new recordings, whose windows are alike: only recordings are exchangeable, not windows.

A window drawn at random from a new recording: let f(s) be the mean, over the R calibration recordings and the new one,
of the share of windows of each that are at least as odd as s. A window drawn from a recording drawn at random has
P(f(s) <= a) <= a, as f ranks it in the distribution it is drawn from, and by exchange of the recordings the new one is
such a recording. Its own windows count at most 1 / (R + 1) in f, so that

    p = (1 + sum over the R recordings of the share of its windows at least as odd) / (R + 1) >= f(s)

is a p-value (Lee, Barber and Willett, "Distribution-free inference with hierarchical data", 2023, of one new group).
Keeping one window of each recording, drawn beforehand, leaves R exchangeable scores, so that the plain rank is one too
(Dunn, Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical models", JASA 118, 2023,
"subsampling once"). Of the two the second catches more at the measured rate (suite `recordings`), so verdicts use it.

A recording as a whole: its most odd window among the most odd windows of the others. Recordings, with their lengths,
are exchangeable, and so are their maxima. The p-value of the maximum is the smallest that any of its windows has among
these maxima, so that each window can be ranked when it comes, and its recording at any time.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from mmdmad.calibration.conformal import case_uniform, conformal_p_value, conformal_p_values
from mmdmad.errors import DataError
from mmdmad.guarantees import ByRecording
from mmdmad.saved import check_finite, require

ALL_TIES = float(np.nextafter(1.0, 0.0))
"""The uniform number by which all scores that tie count as at least as odd."""


@dataclass(frozen=True, eq=False)
class PerRecording:
    """What a window of a new recording is ranked among: of each of R recordings one window, and the most odd one.

    `drawn` and `most` (R,) are joint scores, each in increasing order.
    """

    drawn: np.ndarray
    most: np.ndarray

    @classmethod
    def of(cls, scores: ArrayLike, recordings: Sequence[str], contents: Sequence[str], seed: int) -> Self:
        """From the scores (n,) of windows, whose they are, and the keys of their contents, by which one is drawn.

        Each window of a recording is drawn with the same probability, copies too; neither its place in a file nor its
        name matters, for copies have the same score.

        >>> made = PerRecording.of([1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"], ["k", "l", "m", "n"], seed=0)
        >>> made.drawn.tolist(), made.most.tolist()
        ([1.0, 4.0], [2.0, 4.0])
        """
        own, copies = np.asarray(scores, np.float64), Counter[tuple[str, str]]()
        if own.shape != (len(recordings),) or len(recordings) != len(contents) or not np.isfinite(own).all():
            raise DataError(f"{own.shape} finite scores of {len(recordings)} windows were given; one each is needed")
        first: dict[str, tuple[float, float]] = {}
        most: dict[str, float] = {}
        for score, name, content in zip(own.tolist(), recordings, contents, strict=True):
            copies[name, content] += 1
            place = case_uniform(content, "drawn", copies[name, content], seed)
            first[name] = min((place, score), first.get(name, (1.0, score)))
            most[name] = max(score, most.get(name, score))
        return cls(np.sort(np.array([score for _, score in first.values()])), np.sort(np.array(list(most.values()))))

    def __len__(self) -> int:
        return len(self.drawn)

    def rank(self, score: float, uniform: float) -> ByRecording:
        """How a window of this joint score ranks; `uniform` in [0, 1) breaks ties with the windows drawn.

        Equal scores of whole recordings count as at least as odd: the smallest of many uniform numbers is not uniform.
        """
        own, whole = conformal_p_value(score, self.drawn, uniform), conformal_p_value(score, self.most, ALL_TIES)
        return ByRecording(p_value=own, whole=whole, count=len(self))

    def state(self) -> list[list[float]]:
        """Everything it holds, as JSON values."""
        return [self.drawn.tolist(), self.most.tolist()]

    @classmethod
    def from_state(cls, name: str, state: Sequence[Sequence[float]]) -> Self:
        """What `state` described; ModelError where `of` cannot have made it. `name` says whose it is."""
        require(len(state) == 2 and len(state[0]) == len(state[1]), f"{name} has other windows drawn than recordings")
        drawn, most = (np.array(scores, np.float64) for scores in state)
        for scores in (drawn, most):
            check_finite(f"the recordings of {name}", scores)
            require((np.diff(scores) >= 0).all(), f"the recordings of {name} are not in increasing order")
        require((drawn <= most).all(), f"a window drawn of {name} is above the most odd of its recording")
        return cls(drawn, most)


def window_p_values(scores: ArrayLike, calibration: ArrayLike, recordings: ArrayLike) -> np.ndarray:
    """Hierarchical p-values (N,) of `scores` (N,), each of a window drawn at random from a new recording.

    `calibration` (n,) are scores of normal windows, `recordings` (n,) whose they are. Equal scores count as at least as
    odd. No p-value is below 1 / (R + 1). DataError for scores that are not finite, or without a recording each.

    >>> window_p_values([5.0, 2.0], [1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"]).round(4)
    array([0.3333, 0.8333])
    """
    own, odd = np.atleast_1d(np.asarray(scores, np.float64)), _by_recording(calibration, recordings)
    if not np.isfinite(own).all():
        raise DataError("scores that are NaN or infinite were given; p-values of recordings need finite scores")
    shares = [1 - np.searchsorted(one, own, side="left") / len(one) for one in odd]
    return np.asarray((1 + np.sum(shares, axis=0)) / (len(odd) + 1), np.float64)


def one_draw_p_values(
    scores: ArrayLike, calibration: ArrayLike, recordings: ArrayLike, uniforms: ArrayLike, seed: int
) -> np.ndarray:
    """p-values (N,) among one window of each recording, drawn by `seed`; `uniforms` (N,) in [0, 1) break ties.

    >>> one_draw_p_values([5.0, 0.0], [1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"], [0.5, 0.5], seed=0).round(4)
    array([0.3333, 1.    ])
    """
    odd = _by_recording(calibration, recordings)
    rng = np.random.default_rng(seed)
    return conformal_p_values(scores, [one[rng.integers(len(one))] for one in odd], uniforms)


def whole_p_value(scores: ArrayLike, calibration: ArrayLike, recordings: ArrayLike, uniform: float) -> float:
    """The p-value of a new recording as a whole, from the scores of all its windows.

    >>> whole_p_value([0.5, 3.5], [1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"], 0.5).__round__(4)
    0.6667
    """
    most = [one[-1] for one in _by_recording(calibration, recordings)]
    own = np.asarray(scores, np.float64)
    if not own.size:
        raise DataError("a recording without a window was given; at least one is needed")
    return float(conformal_p_values([own.max()], most, [uniform])[0])


def _by_recording(calibration: ArrayLike, recordings: ArrayLike) -> list[np.ndarray]:
    """The scores of each recording, in increasing order."""
    scores, names = np.asarray(calibration, np.float64), np.asarray(recordings)
    if scores.shape != names.shape or scores.ndim != 1 or not np.isfinite(scores).all():
        raise DataError(f"{scores.shape} finite scores of {names.shape} recordings were given; one each is needed")
    if not len(scores):
        return []
    order = np.lexsort((scores, names))
    ends = np.flatnonzero(names[order][1:] != names[order][:-1]) + 1
    return np.split(scores[order], ends)
