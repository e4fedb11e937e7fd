"""p-values for new recordings, whose windows are alike: only recordings are exchangeable, not windows.

A window drawn at random from a new recording: let f(s) be the mean, over the R calibration recordings and the new one,
of the share of windows of each that are at least as odd as s. A window drawn from a recording drawn at random has
P(f(s) <= a) <= a, as f ranks it in the distribution it is drawn from, and by exchange of the recordings the new one is
such a recording. Its own windows count at most 1 / (R + 1) in f, so that

    p = (1 + sum over the R recordings of the share of its windows at least as odd) / (R + 1) >= f(s)

is a p-value (Lee, Barber and Willett, "Distribution-free inference with hierarchical data", 2023, of one new group).
Keeping one window of each recording, drawn beforehand, leaves R exchangeable scores, so that the plain rank is one too
(Dunn, Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical models", JASA 118, 2023,
"subsampling once"). Which of the two catches more is measured by the suite `recordings`.

A recording as a whole: its most odd window among the most odd windows of the others. Recordings, with their lengths,
are exchangeable, and so are their maxima.
"""

import numpy as np
from numpy.typing import ArrayLike

from mmdmad.calibration.conformal import conformal_p_values
from mmdmad.errors import DataError


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
