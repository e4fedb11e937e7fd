"""What anomalies among the training items cost, with and without `contamination=` being told."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mmdmad.bench.base import Context, fit_and_score, suite
from mmdmad.bench.result import Meter, Row
from mmdmad.datasets import adbench
from mmdmad.metrics import auroc, average_precision

SETS = ("4_breastw", "6_cardio", "7_Cardiotocography", "12_fault", "18_Ionosphere", "30_satellite", "35_SpamBase")
SHARES = (0.0, 0.05, 0.1, 0.2)
PROTOCOL = (
    "tables of ADBench, duplicates dropped, rows shuffled; half of the normal and half of the odd rows are the test "
    "set of every share; training sets of one size hold 0, 5, 10 or 20 % odd rows from the other half (the largest "
    "size for which they suffice), unlabelled; scaler fitted on the training rows; `_told`: contamination= is the "
    "true share; without: 0; detectors that take vectors and train in seconds, unless named"
)


@dataclass(frozen=True, eq=False)
class Dirty:
    """One training set with unlabelled anomalies, and the test set all shares have in common."""

    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray


@suite("contamination", "anomalies among the training rows, AUROC and AP", PROTOCOL, ("dte-np",))
def run(context: Context) -> Iterator[Row]:
    """Every table, detector and seed: one row with the figures of all shares, told and not told."""
    for name in context.track(adbench.among(context.data, SETS), "tables"):
        X, y = adbench.load(context.data, name)
        for seed in range(context.seeds):
            for detector in context.detectors if context.chosen else takers():
                yield _row(name, X, y, detector, seed)


def takers() -> tuple[str, ...]:
    """Detectors that take vectors and train in seconds, the default first."""
    from mmdmad.detectors.base import detectors

    found = [n for n, c in detectors().items() if "vectors" in c.about.modalities and c.about.cost != "minutes"]
    return tuple(sorted(found, key=lambda name: name != "dte-np"))


def _row(name: str, X: np.ndarray, y: np.ndarray, detector: str, seed: int) -> Row:
    whole, metrics = Meter(), {}
    for share in SHARES:
        made = contaminate(X, y, share, seed)
        for told in (False, True) if share else (False,):
            meter, _, scores = fit_and_score(
                detector, made.train, made.test, seed, contamination=share if told else 0.0
            )
            label = f"{round(100 * share)}{'_told' if told else ''}"
            metrics[f"auroc_{label}"] = auroc(made.labels, scores)
            metrics[f"ap_{label}"] = average_precision(made.labels, scores)
            for what, seconds in meter.seconds.items():
                whole.seconds[what] += seconds
    return whole.row(name, detector, seed, metrics)


def contaminate(X: np.ndarray, y: np.ndarray, share: float, seed: int) -> Dirty:
    """Training rows of which `share` are odd, and test rows that do not depend on `share`.

    >>> X = np.random.default_rng(0).normal(size=(100, 2)); y = np.repeat([0, 1], [80, 20])
    >>> made = contaminate(X, y, 0.2, seed=0); made.train.shape, made.test.shape
    ((40, 2), (50, 2))
    """
    _, kept = np.unique(np.column_stack([X, y]), axis=0, return_index=True)
    rows = np.random.default_rng(seed).permutation(np.sort(kept))
    normal, odd = rows[y[rows] == 0], rows[y[rows] == 1]
    size = min(len(normal) // 2, int(len(odd) // 2 / max(SHARES)))
    count = round(share * size)
    learn = np.concatenate([normal[: size - count], odd[:count]])
    test = np.concatenate([normal[len(normal) // 2 :], odd[len(odd) // 2 :]])
    mean, scale = X[learn].mean(axis=0), X[learn].std(axis=0)
    scale[scale == 0] = 1.0
    standard = ((X - mean) / scale).astype(np.float32)
    order = np.random.default_rng(seed + 1).permutation(size)
    return Dirty(standard[learn[order]], standard[test], y[test])
