"""Features of windows of a regular table: block means, local second-order statistics and relations. Functions.

All take `z` float64 (T, C), standardised per channel, and the first rows `starts` (W,) of windows of one length.
Running sums and extremes are taken once over the table, so the cost grows with T and W, not with their product.
"""

import numpy as np
from scipy.ndimage import maximum_filter1d, minimum_filter1d


def window_starts(rows: int, length: int, stride: int) -> np.ndarray:
    """First rows of windows every `stride` rows; the last window ends with the table.

    >>> window_starts(10, 4, 4).tolist()
    [0, 4, 6]
    """
    starts = np.arange(0, rows - length + 1, stride)
    last = rows - length
    return starts if starts[-1] == last else np.append(starts, last)


def segment_means(values: np.ndarray, starts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Means over the segments between `edges` (S+1,) of each window, (W, S, C).

    >>> segment_means(np.arange(6.0)[:, None], np.array([0, 2]), np.array([0, 2, 4]))[..., 0].tolist()
    [[0.5, 2.5], [2.5, 4.5]]
    """
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    at = total[starts[:, None] + edges[None]]
    return np.diff(at, axis=1) / np.diff(edges)[None, :, None]


def segment_edges(length: int, segments: int) -> np.ndarray:
    """Edges of `segments` nearly equal segments of a window, int64 (segments + 1,)."""
    return np.round(np.linspace(0, length, segments + 1)).astype(np.int64)


def activity(z: np.ndarray, starts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Root mean square of row differences in each segment, (W, S, C): 0 if frozen, high in a noise burst."""
    steps = np.diff(z, axis=0, prepend=z[:1])
    steps[0] = steps[1] if len(steps) > 1 else 0.0
    return np.sqrt(np.maximum(segment_means(steps**2, starts, edges), 0.0))


def peaks(z: np.ndarray, starts: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Largest distance of a row from its segment's mean, (W, S, C): a spike that block means would dilute."""
    size = int(np.diff(edges).max())
    origin = -(size // 2)  # moves the filter so that position t covers rows t to t + size - 1
    top = maximum_filter1d(z, size, axis=0, origin=origin, mode="nearest")
    low = minimum_filter1d(z, size, axis=0, origin=origin, mode="nearest")
    first = np.minimum(starts[:, None] + edges[None, :-1], len(z) - size)
    mean = segment_means(z, starts, edges)
    return np.maximum(top[first] - mean, mean - low[first])


def relation_residuals(values: np.ndarray, mean: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """What each variable of (..., V) is beyond its best linear prediction from the others, in the unit of `values`.

    For a Gaussian with precision matrix P the residual of variable i given the rest is (P (x - m))_i / P_ii
    (Lauritzen, Graphical Models, 1996, proposition C.5).

    >>> covariance = np.array([[1.0, 0.9], [0.9, 1.0]])
    >>> relation_residuals(np.array([1.0, -1.0]), np.zeros(2), np.linalg.inv(covariance)).round(2).tolist()
    [1.9, -1.9]
    """
    return (values - mean) @ precision / np.diag(precision)


def principal_directions(rows: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean (V,), directions (V, k <= most) of the largest variance and the common scale of their scores.

    Directions with less than 1e-8 of the largest variance are left out; the sign of each makes its largest entry
    positive, so that the result does not depend on the linear algebra library's choice.
    """
    mean = rows.mean(axis=0)
    centred = rows - mean
    variance, vectors = np.linalg.eigh(centred.T @ centred / max(len(rows) - 1, 1))
    order = np.argsort(variance)[::-1][: min(most, len(rows) - 1)]
    order = order[variance[order] > 1e-8 * max(float(variance.max()), 1e-12)]
    directions = vectors[:, order]
    if not len(order):
        return mean, np.zeros((rows.shape[1], 0)), 1.0
    directions = directions * np.sign(directions[np.abs(directions).argmax(axis=0), np.arange(len(order))])
    return mean, directions, float(np.sqrt(variance[order].mean()))
