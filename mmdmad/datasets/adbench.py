"""ADBench tables (Han et al., NeurIPS 2022) and feature vectors: arrays, no manifest; and the two split protocols.

Expected: `adbench_classical/NN_name.npz` with `X` (n, d) and `y` (n,), `published_auroc_semi.csv` beside them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mmdmad.datasets.sources import by_row, source
from mmdmad.errors import ConfigError, ManifestError

NAME = "adbench_classical"
PROTOCOLS = {
    "leak-free": "duplicate rows dropped, normal rows shuffled, half of them train, scaler fitted on the training rows",
    "compat": "as published (DTE, ADBench): sets under 1000 rows are drawn up to 1000 with replacement before the "
    "split, so that copies of test rows lie in training; normal rows in file order, first half train",
}


@dataclass(frozen=True, eq=False)
class Split:
    """Standardised float32 training rows (all normal) and test rows with labels."""

    train: np.ndarray
    test: np.ndarray
    labels: np.ndarray


def names(data: str | Path, folder: str = NAME) -> list[str]:
    """Names of the tables ("6_cardio"), by number."""
    stems = [p.stem for p in source(data, folder).glob("*.npz")]
    if not stems:
        raise ManifestError(f"{Path(data) / folder} holds no .npz tables")
    return sorted(stems, key=lambda s: (int(s.split("_")[0]) if s.split("_")[0].isdigit() else 0, s))


def among(data: str | Path, wanted: Sequence[str]) -> list[str]:
    """Those of the wanted tables that are there; ManifestError where none is."""
    there = names(data)
    found = [name for name in wanted if name in there]
    if not found:
        raise ManifestError(f"none of {', '.join(wanted)} is in {Path(data) / NAME}")
    return found


def load(data: str | Path, name: str, folder: str = NAME) -> tuple[np.ndarray, np.ndarray]:
    """`X` float64 (n, d) and `y` int (n,) of one table."""
    path = source(data, folder, (f"{name}.npz",)) / f"{name}.npz"
    with np.load(path) as arrays:
        return np.asarray(arrays["X"], np.float64), np.asarray(arrays["y"]).astype(int).ravel()


def published(data: str | Path) -> dict[str, dict[str, float]]:
    """Published semi-supervised AUROC as shares of one: {lower-case set name: {method: value}}."""
    frame = pd.read_csv(source(data, NAME, ("published_auroc_semi.csv",)) / "published_auroc_semi.csv")
    frame.index = pd.Index(frame["Dataset"].str.lower())
    return by_row(frame.drop(columns="Dataset") / 100)


def make_split(X: np.ndarray, y: np.ndarray, protocol: str, seed: int, limit: int = 50_000) -> Split:
    """Split one table by a protocol of `PROTOCOLS`; tables above `limit` rows are subsampled first in both.

    >>> X = np.arange(40.0).reshape(20, 2); y = np.repeat([0, 1], [16, 4])
    >>> split = make_split(X, y, "leak-free", seed=0); split.train.shape, split.labels.tolist().count(1)
    ((8, 2), 4)
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"no protocol is called {protocol!r}; there are {', '.join(PROTOCOLS)}")
    rng = np.random.default_rng(seed)
    if protocol == "leak-free":
        _, kept = np.unique(np.column_stack([X, y]), axis=0, return_index=True)
        rows = rng.permutation(np.sort(kept))[:limit]
    elif len(X) < 1000:
        rows = rng.integers(0, len(X), 1000)
    else:
        rows = np.arange(len(X)) if len(X) <= limit else rng.choice(len(X), limit, replace=False)
    X, y = X[rows], y[rows]
    normal, odd = np.flatnonzero(y == 0), np.flatnonzero(y == 1)
    train, test = normal[: len(normal) // 2], np.concatenate([normal[len(normal) // 2 :], odd])
    mean, scale = X[train].mean(axis=0), X[train].std(axis=0)
    scale[scale == 0] = 1.0
    scaled = ((X - mean) / scale).astype(np.float32)
    return Split(scaled[train], scaled[test], y[test])
