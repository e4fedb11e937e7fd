"""Detectors of other libraries, run in the same process on the same features and split (`--peers`)."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from mmdmad.bench.result import Meter
from mmdmad.errors import MissingExtraError

PYOD = {"pyod:KNN": ("knn", "KNN"), "pyod:IForest": ("iforest", "IForest"), "pyod:LOF": ("lof", "LOF")}


def peer(name: str, seed: int) -> Any:
    """A PyOD detector with its own default settings; needs the extra `bench`."""
    module, cls = PYOD[name]
    try:
        found = getattr(importlib.import_module(f"pyod.models.{module}"), cls)
    except ImportError as error:
        raise MissingExtraError("running peers", "pyod", "bench") from error
    return found(random_state=seed) if name == "pyod:IForest" else found()


def fit_and_score_peer(name: str, train: np.ndarray, test: np.ndarray, seed: int) -> tuple[Meter, np.ndarray]:
    """Fit a peer on training vectors (N, D) and score test vectors; the meter and item scores."""
    meter, made = Meter(), peer(name, seed)
    with meter.fit():
        made.fit(train)
    score: Callable[[np.ndarray], np.ndarray] = made.decision_function
    with meter.score():
        scores = np.asarray(score(test), np.float64)
    return meter, scores
