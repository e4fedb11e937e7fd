"""Metrics of series: VUS-PR and VUS-ROC, the volume under the surface, and the window they are taken over.

Paparrizos et al., "Volume Under the Surface: A New Accuracy Evaluation Measure for Time-Series Anomaly Detection",
VLDB 2022, in the form that TSB-AD (Liu and Paparrizos, NeurIPS 2024) reports. For every buffer length w = 0..W the
labels get soft borders, a range-aware curve is drawn over 250 thresholds, and the areas are averaged over w.
"""

from itertools import pairwise

import numpy as np

from mmdmad.errors import DataError


def segments(labels: np.ndarray) -> np.ndarray:
    """First and last row of each anomalous stretch, int (n, 2).

    >>> segments(np.array([1, 0, 1, 1])).tolist()
    [[0, 0], [2, 3]]
    """
    padded = np.concatenate([[0], np.asarray(labels).astype(int), [0]])
    steps = np.diff(padded)
    return np.stack([np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1], axis=1)


def soft_labels(labels: np.ndarray, window: int) -> np.ndarray:
    """Labels (n,) with borders of half a window on both sides of each stretch: sqrt(1 - distance / window).

    >>> soft_labels(np.array([0, 0, 1, 0, 0]), 2).round(3).tolist()
    [0.0, 0.707, 1.0, 0.707, 0.0]
    """
    soft = np.asarray(labels, np.float64).copy()
    half = window // 2
    for first, last in segments(labels):
        after = np.arange(last + 1, min(last + half + 1, len(soft)))
        before = np.arange(max(first - half, 0), first)
        soft[after] += np.sqrt(1 - (after - last) / window)
        soft[before] += np.sqrt(1 - (first - before) / window)
    return np.minimum(soft, 1.0)


def _merged(stretches: np.ndarray, half: int, length: int) -> list[tuple[int, int]]:
    """The stretches widened by half a window; those that meet become one."""
    merged, start = [], max(stretches[0][0] - half, 0)
    for (_, last), (following, _) in pairwise(stretches):
        if last + half < following - half:
            merged.append((start, last + half))
            start = following - half
    merged.append((start, min(stretches[-1][1] + half, length - 1)))
    return merged


def vus(labels: np.ndarray, scores: np.ndarray, window: int, thresholds: int = 250) -> dict[str, float]:
    """`vus_pr` and `vus_roc` of point scores (n,) against point labels (n,) for buffers of 0..window rows.

    Per buffer and threshold: TP = sum of soft labels over flagged rows; positives P' = anomalous rows plus half of the
    soft mass of flagged border rows; recall = min(TP / P', 1) times the share of widened stretches that hold a flagged
    row; precision = TP / flagged; FPR = (flagged - TP) / (n - P').

    >>> labels = np.repeat([0, 1, 0], [90, 20, 90])
    >>> vus(labels, labels, window=10)["vus_pr"]
    1.0
    """
    labels, scores = np.asarray(labels).astype(int).ravel(), np.asarray(scores, np.float64).ravel()
    n, positives = len(labels), int(np.sum(labels))
    if len(scores) != n or not np.isfinite(scores).all():
        raise DataError(f"{n} labels and {len(scores)} scores were given; one finite score a label is needed")
    if not 0 < positives < n:
        raise DataError(f"{positives} of {n} rows are anomalous; both kinds are needed")
    if window < 0:
        raise DataError(f"window={window} was given; allowed is 0 or more")
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    cuts = ranked[np.linspace(0, n - 1, thresholds).astype(int)]
    flagged = np.searchsorted(-ranked, -cuts, side="right")  # rows with a score of at least the cut
    stretches, border = segments(labels), labels == 0
    pr, roc = np.empty(window + 1), np.empty(window + 1)
    for w in range(window + 1):
        soft = soft_labels(labels, w)
        hits = np.cumsum(soft[order])[flagged - 1]
        positive_mass = positives + np.cumsum((soft * border)[order])[flagged - 1] / 2
        tops = np.array([scores[a : b + 1].max() for a, b in _merged(stretches, w // 2, n)])
        found = (tops[None, :] >= cuts[:, None]).mean(axis=1)
        recall = np.append(0.0, np.minimum(hits / positive_mass, 1.0) * found)
        rate = np.append(0.0, (flagged - hits) / (n - positive_mass))
        pr[w] = np.sum(np.diff(recall) * hits / flagged)
        roc[w] = np.trapezoid(np.append(recall, 1.0), np.append(rate, 1.0))
    return {"vus_pr": float(pr.mean()), "vus_roc": float(roc.mean())}


def vus_pr(labels: np.ndarray, scores: np.ndarray, window: int) -> float:
    """VUS-PR alone; see `vus`."""
    return vus(labels, scores, window)["vus_pr"]


def buffer_window(values: np.ndarray, longest: int = 300, default: int = 125) -> int:
    """The window W that TSB-AD gives VUS: the lag (3 to 303) of the highest local maximum of the autocorrelation.

    `values` is (n,) or (n, C); of several channels the first is used, as TSB-AD does. Without a maximum it is 125.

    >>> buffer_window(np.sin(2 * np.pi * np.arange(2000) / 50))
    50
    """
    x = np.asarray(values, np.float64)
    x = (x[:, 0] if x.ndim > 1 else x)[:20000]
    x = x - x.mean()
    power = np.abs(np.fft.rfft(x, 2 * len(x))) ** 2
    correlation = np.fft.irfft(power)[: min(401, len(x))]
    if len(correlation) <= 3 or correlation[0] <= 0:
        return default
    tail = correlation[3:] / correlation[0]
    peaks = np.flatnonzero((tail[1:-1] > tail[:-2]) & (tail[1:-1] > tail[2:])) + 1
    if not len(peaks):
        return default
    best = int(peaks[::-1][np.argsort(tail[peaks][::-1], kind="stable")[-1]])
    return default if not 3 <= best <= longest else best + 3
