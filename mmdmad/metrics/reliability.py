"""Are p-values what they say? On normal cases a valid p-value p satisfies P(p <= a) <= a for every a."""

import numpy as np

from mmdmad.calibration.binomial import clopper_pearson
from mmdmad.errors import DataError


def calibration_error(p_values: np.ndarray, grid: int = 100) -> dict[str, float]:
    """Expected and largest distance between the share of normal p-values <= a and a, over a = 1/grid .. 1.

    `optimism` is the largest excess of false alarms over what was declared (0 = never too many).

    >>> calibration_error(np.arange(1, 101) / 100)["optimism"]
    0.0
    """
    p = np.sort(_checked(p_values))
    levels = np.arange(1, grid + 1) / grid
    excess = np.searchsorted(p, levels + 1e-12, side="right") / len(p) - levels
    return {
        "expected": float(np.abs(excess).mean()),
        "largest": float(np.abs(excess).max()),
        "optimism": float(max(excess.max(), 0.0)),
    }


def false_alarms(p_values: np.ndarray, rate: float, level: float = 0.95) -> dict[str, float]:
    """Share of normal cases flagged at a declared rate, with its exact binomial interval and the counts.

    >>> false_alarms(np.arange(1, 101) / 100, 0.05)["rate"]
    0.05
    """
    p = _checked(p_values)
    hits = int(np.sum(p <= rate + 1e-12))
    low, high = clopper_pearson(hits, len(p), level)
    return {"rate": hits / len(p), "low": low, "high": high, "hits": float(hits), "trials": float(len(p))}


def _checked(p_values: np.ndarray) -> np.ndarray:
    p = np.asarray(p_values, np.float64).ravel()
    if not len(p) or not ((p >= 0) & (p <= 1)).all():
        raise DataError("p-values must be numbers between 0 and 1, at least one")
    return p
