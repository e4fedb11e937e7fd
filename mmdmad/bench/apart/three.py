"""One detector for two libraries: the mean of kNN, LOF and isolation forest (scikit-learn's), each standardised."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest
from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors

TINY = 1e-9


class MeanOfThree(BaseEstimator):
    """Scores (N,) of rows (N, D), higher = odder. Each of the three is standardised by its scores of the training rows.

    Of kNN these are distances to the five nearest others, of LOF its own factors, of the forest its scores as they are.
    """

    def __init__(self, random_state: int | None = 0) -> None:
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: Any = None) -> "MeanOfThree":
        """Learn from normal rows (N, D), N above 5."""
        self.mean_, self.scale_ = X.mean(axis=0), X.std(axis=0) + TINY
        rows = (X - self.mean_) / self.scale_
        self.near_ = NearestNeighbors(n_neighbors=5).fit(rows)
        self.factor_ = LocalOutlierFactor(n_neighbors=min(20, len(rows) - 1), novelty=True).fit(rows)
        self.forest_ = IsolationForest(n_estimators=100, random_state=self.random_state).fit(rows)
        own = (
            self.near_.kneighbors()[0].mean(axis=1),
            -self.factor_.negative_outlier_factor_,
            -self.forest_.score_samples(rows),
        )
        self.levels_ = [(float(one.mean()), float(one.std()) + TINY) for one in own]
        return self

    def decision_function(self, X: np.ndarray) -> np.ndarray:
        """The mean of the three standardised scores."""
        rows = (X - self.mean_) / self.scale_
        found = (
            self.near_.kneighbors(rows)[0].mean(axis=1),
            -self.factor_.score_samples(rows),
            -self.forest_.score_samples(rows),
        )
        return np.mean([(one - mean) / scale for one, (mean, scale) in zip(found, self.levels_)], axis=0)
