"""What can be measured on one channel of a sensor table, the same way for normal cases and for the case in question.

All measures are robust and local: a rolling level, the residual against a rolling median (spikes), the rolling
standard deviation of the steps (noise), stretches that hold one value (frozen), stretches without readings (dropout)
and the rise of a straight line (drift).
"""

from dataclasses import dataclass

import numpy as np

MEASURES = ("low", "high", "spike", "rough", "run", "rise", "shift", "gap")
MEDIAN_WINDOW = 9


@dataclass(frozen=True, eq=False)
class Traces:
    """Rolling measures of one channel; every array is (T,)."""

    times: np.ndarray
    values: np.ndarray  # gaps filled by straight lines
    missing: np.ndarray  # bool
    level: np.ndarray
    residual: np.ndarray
    rough: np.ndarray
    run: np.ndarray  # length in samples of the stretch of equal values that a sample belongs to
    window: int

    @property
    def step(self) -> float:
        """Seconds from one sample to the next (median)."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0

    def measures(self) -> np.ndarray:
        """One number per name of MEASURES, float64; NaN only for a channel without a single reading."""
        if self.missing.all():
            return np.array([np.nan] * (len(MEASURES) - 1) + [len(self.missing) * self.step])
        return np.array(
            [
                self.level.min(),
                self.level.max(),
                np.abs(self.residual).max(),
                self.rough.max(),
                self.run.max() * self.step,
                rise(self.times, self.values),
                abs(contrast(self.values)),
                longest(self.missing) * self.step,
            ]
        )


def traces(values: np.ndarray, times: np.ndarray) -> Traces:
    """Rolling measures of one channel (T,) over its times (T,) in seconds; NaN marks missing readings."""
    from scipy import ndimage

    values, times = np.asarray(values, np.float64), np.asarray(times, np.float64)
    missing = ~np.isfinite(values)
    if missing.all():
        zero = np.zeros(len(values))
        return Traces(times, zero, missing, zero, zero, zero, zero, 1)
    filled = np.interp(times, times[~missing], values[~missing]) if missing.any() else values
    window = max(3, len(values) // 8)
    level = ndimage.uniform_filter1d(filled, window, mode="nearest")
    residual = filled - ndimage.median_filter(filled, min(MEDIAN_WINDOW, len(values) | 1), mode="nearest")
    steps = np.diff(filled, prepend=filled[:1])
    # a filled gap is no reading: its straight line is neither smooth nor frozen
    steps[missing] = 0.0
    mean = ndimage.uniform_filter1d(steps, window, mode="nearest")
    square = ndimage.uniform_filter1d(steps**2, window, mode="nearest")
    rough = np.sqrt(np.maximum(square - mean**2, 0.0))
    return Traces(times, filled, missing, level, residual, rough, _runs(filled, missing), window)


def rise(times: np.ndarray, values: np.ndarray) -> float:
    """Rise of the least-squares line from the first to the last time, in the channel's unit."""
    if times[-1] == times[0]:
        return 0.0
    t = times - times.mean()
    return float((t @ (values - values.mean())) / (t @ t) * (times[-1] - times[0]))


def contrast(values: np.ndarray) -> float:
    """Mean inside the best box minus mean outside it, in the channel's unit; 0 for a channel too short for a box."""
    (a, b), _ = best_box(values)
    if b <= a:
        return 0.0
    inside, outside = means(values, a, b)
    return inside - outside


def means(values: np.ndarray, a: int, b: int) -> tuple[float, float]:
    """Mean of the samples a to b - 1, and of all others."""
    return float(values[a:b].mean()), float(np.delete(values, np.s_[a:b]).mean())


def best_box(values: np.ndarray) -> tuple[tuple[int, int], float]:
    """Start and stop of the stretch whose mean differs most from the rest (least squares), and the error left."""
    n = len(values)
    points = np.unique(np.linspace(0, n, min(n, 120) + 1).astype(int))
    total = np.concatenate([[0.0], np.cumsum(values - values.mean())])[points]
    length = points[None, :] - points[:, None]
    inner = total[None, :] - total[:, None]
    valid = (length >= max(2, n // 40)) & (length <= n - max(2, n // 40))
    gain = np.where(valid, inner**2 * n / np.maximum(length * (n - length), 1), -1.0)
    i, j = np.unravel_index(int(gain.argmax()), gain.shape)
    error = float(((values - values.mean()) ** 2).sum() - gain[i, j])
    return (int(points[i]), int(points[j])), error


def longest(flags: np.ndarray) -> int:
    """Length of the longest stretch of True."""
    a, b = longest_stretch(flags)
    return b - a


def longest_stretch(flags: np.ndarray) -> tuple[int, int]:
    """Start and stop (exclusive) of the longest stretch of True, the first of equals; (0, 0) without any.

    >>> longest_stretch(np.array([True, False, True, True]))
    (2, 4)
    """
    return max(stretches(flags), key=lambda s: s[1] - s[0], default=(0, 0))


def stretches(flags: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop (exclusive) of every stretch of True.

    >>> stretches(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    edges = np.diff(np.concatenate([[0], np.asarray(flags, np.int8), [0]]))
    return [(int(a), int(b)) for a, b in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True)]


def _runs(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Per sample the length of the stretch of exactly equal readings that it belongs to; 0 where missing."""
    changes = (values[1:] != values[:-1]) | missing[1:] | missing[:-1]
    owner = np.concatenate([[0], np.cumsum(changes)])
    length = np.bincount(owner)[owner].astype(np.float64)
    length[missing] = 0
    return length
