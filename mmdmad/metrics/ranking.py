"""How well a score ranks anomalous above normal: thin wrappers around scikit-learn that refuse one-class labels."""

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from mmdmad.errors import DataError


def _checked(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.asarray(labels).ravel().astype(int), np.asarray(scores, np.float64).ravel()
    if labels.shape != scores.shape:
        raise DataError(f"{labels.size} labels and {scores.size} scores were given; one score a label is needed")
    if set(np.unique(labels)) != {0, 1}:
        raise DataError(f"labels hold the values {np.unique(labels).tolist()}; both 0 and 1 are needed")
    if not np.isfinite(scores).all():
        raise DataError(f"{int((~np.isfinite(scores)).sum())} scores are NaN or infinite")
    return labels, scores


def auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve: the chance that an anomalous item outranks a normal one, ties counting half.

    >>> auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.75
    """
    return float(roc_auc_score(*_checked(labels, scores)))


def average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Average precision (area under the precision-recall curve as a step function).

    >>> round(average_precision([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8333
    """
    return float(average_precision_score(*_checked(labels, scores)))


def f1_max(labels: np.ndarray, scores: np.ndarray) -> float:
    """Best F1 over all thresholds; it looks at the labels, so it is an upper bound and not a verdict's F1.

    >>> round(f1_max([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]), 4)
    0.8
    """
    precision, recall, _ = precision_recall_curve(*_checked(labels, scores))
    total = precision + recall
    return float(np.max(np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)))


def f1_at(labels: np.ndarray, flags: np.ndarray) -> dict[str, float]:
    """F1, precision and recall of given verdicts (1 = flagged), with 0 where nothing was flagged.

    >>> f1_at([0, 0, 1, 1], [0, 1, 1, 1])["recall"]
    1.0
    """
    labels, flags = _checked(labels, flags)
    hit = float(np.sum((labels == 1) & (flags > 0)))
    precision = hit / max(float(np.sum(flags > 0)), 1.0)
    recall = hit / float(np.sum(labels == 1))
    f1 = 2 * precision * recall / (precision + recall) if hit else 0.0
    return {"f1": f1, "precision": precision, "recall": recall}
