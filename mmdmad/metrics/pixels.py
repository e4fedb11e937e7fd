"""Localisation in pictures: pixel AUROC, pixel AP and AUPRO from one sort of all pixels.

AUPRO (Bergmann et al., "The MVTec Anomaly Detection Dataset", IJCV 2021): the per-region overlap, the mean over
connected defect regions of the share of the region above a threshold, integrated over the false-positive rate of the
normal pixels up to a limit (0.3) and divided by the limit. Every region counts the same, however small.
"""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from mmdmad.errors import DataError

EIGHT = np.ones((3, 3), int)  # regions touch at corners too, as in the reference evaluation


def region_weights(masks: Sequence[np.ndarray]) -> tuple[list[np.ndarray], int]:
    """One over the size of its region for each defect pixel, 0 elsewhere, float32 per mask; and the number of regions.

    >>> weights, n = region_weights([np.array([[1, 1, 0, 1]])])
    >>> weights[0].tolist(), n
    ([[0.5, 0.5, 0.0, 1.0]], 2)
    """
    weights, count = [], 0
    for mask in masks:
        regions, n = ndimage.label(np.asarray(mask) > 0, structure=EIGHT)
        sizes = np.bincount(regions.ravel())
        inverse = np.zeros(len(sizes), np.float32)
        inverse[1:] = 1.0 / sizes[1:]
        weights.append(inverse[regions])
        count += n
    return weights, count


def pixel_metrics(maps: Sequence[np.ndarray], masks: Sequence[np.ndarray], limit: float = 0.3) -> dict[str, float]:
    """`pixel_auroc`, `pixel_ap` and `aupro` of anomaly maps (H, W) against masks (H, W) of the same shapes.

    Exact: every distinct score is a threshold; ties move together. Good pictures have empty masks and count for the
    false-positive rate. Memory is about 30 bytes a pixel.

    >>> mask = np.zeros((8, 8)); mask[2:4, 2:4] = 1
    >>> pixel_metrics([mask + 0.0], [mask])
    {'pixel_auroc': 1.0, 'pixel_ap': 1.0, 'aupro': 1.0}
    """
    if len(maps) != len(masks) or any(m.shape != k.shape for m, k in zip(maps, masks)):
        raise DataError("maps and masks must be as many and of the same shapes, picture by picture")
    if not 0 < limit <= 1:
        raise DataError(f"limit={limit} was given; allowed is 0 < limit <= 1")
    weights, regions = region_weights(masks)
    if not regions:
        raise DataError("no mask holds a defect pixel; AUPRO needs at least one region")
    scores = np.concatenate([np.asarray(m, np.float32).ravel() for m in maps])
    if not np.isfinite(scores).all():
        raise DataError("the maps hold values that are NaN or infinite")
    overlap = np.concatenate([w.ravel() for w in weights])
    order = np.argsort(-scores, kind="stable")
    scores, overlap = scores[order], overlap[order]
    del order
    defect = overlap > 0
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))  # last pixel of each distinct score
    hits = np.cumsum(defect)[ends].astype(np.float64)
    if hits[-1] == len(scores):
        raise DataError("every pixel is a defect pixel; a false-positive rate needs normal pixels")
    false = ends + 1 - hits
    pro = np.append(0.0, np.cumsum(overlap, dtype=np.float64)[ends] / regions)
    fpr, tpr = np.append(0.0, false / false[-1]), np.append(0.0, hits / hits[-1])
    return {
        "pixel_auroc": float(np.trapezoid(tpr, fpr)),
        "pixel_ap": float(np.sum(np.diff(tpr) * hits / (ends + 1))),
        "aupro": area_until(fpr, pro, limit),
    }


def area_until(x: np.ndarray, y: np.ndarray, limit: float) -> float:
    """Area under the curve y(x) from 0 to `limit` by trapezoids, divided by `limit`; the last piece is interpolated.

    >>> area_until(np.array([0.0, 1.0]), np.array([0.0, 1.0]), 0.5)
    0.25
    """
    inside = x <= limit
    edge = np.interp(limit, x, y)
    return float(np.trapezoid(np.append(y[inside], edge), np.append(x[inside], limit)) / limit)


def aupro(maps: Sequence[np.ndarray], masks: Sequence[np.ndarray], limit: float = 0.3) -> float:
    """AUPRO alone; see `pixel_metrics`."""
    return pixel_metrics(maps, masks, limit)["aupro"]
